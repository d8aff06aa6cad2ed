"""The innermost loop of a matrix product, with its sums in vector registers (compilers do not do this to a plain loop).

    C(r, i) += Σ_k a(r, k) B(k, i)      for four r and a panel of `vectors` × 16 columns i

(or C(r, i) = …, where the tile is `fresh`).
The panel's sums stay in registers from the first k to the last; each step of k loads one row of B's panel and four
numbers a. Written in LLVM's own language: vectors of 16 numbers, which it divides as the machine needs.
"""

from typing import Any

import llvmlite.binding
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

LANES = 16
ROWS = 4
# Four by four sums of 16 float32 are half the vector registers of AVX-512. Fewer where registers are short, and few.
WIDEST = 4 if llvmlite.binding.get_host_cpu_features().get("avx512f", False) else 1


def _tile(vectors: int, fresh: bool) -> Any:
    @intrinsic
    def tile(
        context: Any, like: Any, c: Any, c_row: Any, a: Any, a_row: Any, a_step: Any, b: Any, b_step: Any, steps: Any
    ) -> Any:
        """Addresses c, a and b; strides in numbers: c_row and a_row from r to r + 1, a_step and b_step from k to k + 1.

        `like` is any number of the arrays' type.
        """

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            kind = context.get_value_type(signature.args[0])
            size = context.get_abi_sizeof(kind)
            vector, word = ir.VectorType(kind, LANES), ir.IntType(64)
            fused = ir.FunctionType(vector, [vector] * 3)
            fma = cgutils.get_or_insert_function(builder.module, fused, f"llvm.fma.v{LANES}f{8 * size}")
            _, c, c_row, a, a_row, a_step, b, b_step, steps = arguments

            def at(base: Any, *terms: Any) -> Any:
                """base plus terms, which are (count, stride) in numbers."""
                for count, stride in terms:
                    numbers = builder.mul(word(count) if isinstance(count, int) else count, stride)
                    base = builder.add(base, builder.mul(numbers, word(size)))
                return base

            def pointer(address: Any, pointee: Any) -> Any:
                return builder.inttoptr(address, pointee.as_pointer())

            def load(address: Any) -> Any:
                value = builder.load(pointer(address, vector))
                value.align = size
                return value

            places = [[at(c, (r, c_row), (LANES * v, word(1))) for v in range(vectors)] for r in range(ROWS)]
            zero = ir.Constant(vector, [0.0] * LANES)
            begin = [[zero if fresh else load(place) for place in row] for row in places]
            entry, head = builder.block, builder.append_basic_block("tile.head")
            body, done = builder.append_basic_block("tile.body"), builder.append_basic_block("tile.done")
            builder.branch(head)

            builder.position_at_end(head)
            k, a_k, b_k = (builder.phi(word) for _ in range(3))
            sums = [[builder.phi(vector) for _ in range(vectors)] for _ in range(ROWS)]
            for phi, first in ((k, word(0)), (a_k, a), (b_k, b)):
                phi.add_incoming(first, entry)
            for r in range(ROWS):
                for v in range(vectors):
                    sums[r][v].add_incoming(begin[r][v], entry)
            builder.cbranch(builder.icmp_signed("<", k, steps), body, done)

            builder.position_at_end(body)
            panel = [load(at(b_k, (LANES * v, word(1)))) for v in range(vectors)]
            for r in range(ROWS):
                number = builder.load(pointer(at(a_k, (r, a_row)), kind))
                number.align = size
                single = builder.insert_element(ir.Constant(vector, ir.Undefined), number, ir.IntType(32)(0))
                zeros = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
                spread = builder.shuffle_vector(single, ir.Constant(vector, ir.Undefined), zeros)
                for v in range(vectors):
                    sums[r][v].add_incoming(builder.call(fma, [spread, panel[v], sums[r][v]]), body)
            k.add_incoming(builder.add(k, word(1)), body)
            a_k.add_incoming(at(a_k, (1, a_step)), body)
            b_k.add_incoming(at(b_k, (1, b_step)), body)
            builder.branch(head)

            builder.position_at_end(done)
            for r in range(ROWS):
                for v in range(vectors):
                    builder.store(sums[r][v], pointer(places[r][v], vector)).align = size
            return context.get_dummy_value()

        return types.none(like, *[types.intp] * 8), generate

    return tile


def _mover(count: int) -> Any:
    @intrinsic
    def move(context: Any, like: Any, target: Any, source: Any) -> Any:
        """Copy some numbers of `like`'s type from one address to another."""

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            kind = context.get_value_type(signature.args[0])
            pointer = ir.VectorType(kind, count).as_pointer()
            value = builder.load(builder.inttoptr(arguments[2], pointer))
            value.align = context.get_abi_sizeof(kind)
            builder.store(value, builder.inttoptr(arguments[1], pointer)).align = value.align
            return context.get_dummy_value()

        return types.none(like, types.intp, types.intp), generate

    return move


# What a tile reads in one step of k: a line of a panel, the numbers of its rows.
copy_line, copy_four = _mover(LANES), _mover(ROWS)
add_widest, add_single = _tile(WIDEST, fresh=False), _tile(1, fresh=False)
set_widest, set_single = _tile(WIDEST, fresh=True), _tile(1, fresh=True)
