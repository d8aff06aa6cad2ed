"""Tasks and models are found by name: a module of this package, or an entry point of an installed package.

A name may come from a recorded config, that is from somebody else's file. It is therefore looked up among the names
that exist here, and never imported as it stands.
"""

from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pkgutil import iter_modules
from typing import Any

from ntm_repro.errors import InvalidSetting


@dataclass(frozen=True)
class Registry:
    """What `package` offers by name, for instance the tasks of "ntm_repro.tasks".

    A module of the package counts if it has all the attributes `required`. Entry points of the group that is called as
    the package come after these; none replaces a module of the package.
    """

    package: str
    required: tuple[str, ...]

    @cached_property
    def built_in(self) -> dict[str, Any]:
        """{name: module} of the package's own, by name."""
        modules = {
            found.name: import_module(f"{self.package}.{found.name}")
            for found in iter_modules(import_module(self.package).__path__)
        }
        return {name: module for name, module in sorted(modules.items()) if self._is_complete(module)}

    @cached_property
    def installed(self) -> dict[str, EntryPoint]:
        """{name: entry point, not loaded yet} of other packages; only names that are identifiers."""
        points = {point.name: point for point in entry_points(group=self.package) if point.name.isidentifier()}
        return {name: point for name, point in sorted(points.items()) if name not in self.built_in}

    def names(self) -> list[str]:
        """Every name that `find` takes: those of this package first."""
        return [*self.built_in, *self.installed]

    def find(self, name: str) -> Any:
        """The module, or what the entry point stands for.

        Raises `InvalidSetting` for an unknown name, or an entry point that cannot be loaded.
        """
        if name in self.built_in:
            return self.built_in[name]
        if name not in self.installed:
            raise InvalidSetting("name", name, f"unknown; choose one of {', '.join(self.names())}")
        try:
            return self.installed[name].load()
        except Exception as error:  # whatever the other package's code raises
            raise self.unfit(name, f"cannot be loaded: {error}") from error

    def unfit(self, name: str, why: str) -> InvalidSetting:
        """The error for an entry point that cannot be used."""
        about = f"its entry point {self.installed[name].value} {why}"
        return InvalidSetting("name", name, about.replace("{", "{{").replace("}", "}}"))

    def _is_complete(self, module: Any) -> bool:
        return all(hasattr(module, attribute) for attribute in self.required)
