"""Calls of functions that were compiled before: from Python without detours, and from compiled code by their addresses.

A compiled function that calls another by its name is compiled together with it: once more, in another context, hence
perhaps with other roundings. By its address it is the very machine code that Python calls, so that the bits are the
same, and one caller serves whatever is plugged in. The types of the arguments belong to the type of what is called:
numba refuses a call that does not fit.
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.errors import TypingError
from numba.extending import NativeValue, intrinsic, models, register_model, typeof_impl, unbox


class Compiled:
    """An entry for arguments of certain types, as compiled code takes it.

    run: calls it from Python, without a look at the types of the arguments. Numba's own look at a namedtuple of fifty
    fields takes as long as ten steps of an LSTM, and again each time.
    """

    def __init__(self, function: Any, *arguments: Any) -> None:
        """The machine code of `function`, an entry of `cache`, for arguments like these; compiled when first needed.

        A caller can be compiled before: it needs no more than the types.
        """
        self._function = function
        self.type = CompiledType(tuple(map(numba.typeof, arguments)))

    def compile(self) -> Any:
        """What numba made of it, or makes now; the code lives as long as this object."""
        return self._result

    @cached_property
    def _result(self) -> Any:
        self._function.compile(self.type.argument_types)
        return self._function.overloads[self.type.argument_types]

    @cached_property
    def run(self) -> Callable[..., Any]:
        function: Callable[..., Any] = self._result.entry_point
        return function

    @cached_property
    def address(self) -> int:
        address: int = self._result.library.get_pointer_to_function(self._result.fndesc.llvm_func_name)
        return address


class CompiledType(types.Type):
    """What numba takes a `Compiled` for: a function of arguments of these types."""

    def __init__(self, argument_types: tuple[types.Type, ...]) -> None:
        self.argument_types = argument_types
        super().__init__(f"Compiled{argument_types}")


@typeof_impl.register(Compiled)
def _typeof(compiled: Compiled, context: Any) -> CompiledType:
    return compiled.type


@register_model(CompiledType)
class _Model(models.PrimitiveModel):
    """Its address."""

    def __init__(self, manager: Any, compiled_type: CompiledType) -> None:
        super().__init__(manager, compiled_type, ir.IntType(64))


@unbox(CompiledType)
def _unbox(compiled_type: CompiledType, compiled: Any, context: Any) -> NativeValue:
    address = context.pyapi.object_getattr_string(compiled, "address")
    native = context.unbox(types.uint64, address)
    context.pyapi.decref(address)
    return native


@intrinsic
def call(typing_context, function, arguments):
    """Call a `Compiled`, one that returns nothing, with a tuple of arguments; for compiled code."""
    argument_types = tuple(map(types.unliteral, arguments))
    if argument_types != function.argument_types:
        raise TypingError(f"{function.argument_types} wanted, {argument_types} given")

    def generate(context, builder, signature, values):
        address, packed = values
        function_type = context.call_conv.get_function_type(types.none, argument_types)
        pointer = builder.inttoptr(address, function_type.as_pointer())
        unpacked = cgutils.unpack_tuple(builder, packed)
        status, _ = context.call_conv.call_function(builder, pointer, types.none, argument_types, unpacked)
        with cgutils.if_unlikely(builder, status.is_error):
            context.call_conv.return_status_propagate(builder, status)
        return context.get_dummy_value()

    return types.none(function, types.Tuple(argument_types)), generate
