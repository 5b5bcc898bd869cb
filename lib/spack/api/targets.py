"""The microarchitecture as recipes see it."""

from __future__ import annotations

from typing import Any

__all__ = ["Target"]


class Target:
    """A microarchitecture: equal to its name, ``"avx2" in target`` asks for a feature.

    Comparison asks archspec's graph: ``a <= b`` says that what is built for a runs on b.
    """

    __slots__ = ("name",)

    def __init__(self, name: object) -> None:
        self.name = str(name)

    @property
    def microarchitecture(self) -> Any:
        """Archspec's record of it; a name that archspec does not know is its own family."""
        # start-up: archspec reads its tables at import
        from archspec.cpu import TARGETS, Microarchitecture

        known = TARGETS.get(self.name)
        if known is not None:
            return known
        return Microarchitecture(self.name, [], "generic", set(), {})

    @property
    def family(self) -> Target:
        """The generic family, ``x86_64`` or ``aarch64``."""
        return Target(self.microarchitecture.family.name)

    @property
    def generic(self) -> Target:
        """The nearest generic target, such as ``x86_64_v3``."""
        return Target(self.microarchitecture.generic.name)

    @property
    def ancestors(self) -> list[Target]:
        """The targets that this one extends."""
        return [Target(item.name) for item in self.microarchitecture.ancestors]

    def optimization_flags(self, compiler: str, version: str) -> str:
        """Return the compiler flags that build for this target."""
        return str(self.microarchitecture.optimization_flags(compiler, version))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.microarchitecture, name)

    def __contains__(self, feature: object) -> bool:
        return feature in self.microarchitecture

    def __eq__(self, other: object) -> bool:
        return self.name == str(other)

    def __hash__(self) -> int:
        return hash(self.name)

    def __lt__(self, other: object) -> bool:
        return bool(self.microarchitecture < Target(other).microarchitecture)

    def __le__(self, other: object) -> bool:
        return bool(self.microarchitecture <= Target(other).microarchitecture)

    def __gt__(self, other: object) -> bool:
        return bool(self.microarchitecture > Target(other).microarchitecture)

    def __ge__(self, other: object) -> bool:
        return bool(self.microarchitecture >= Target(other).microarchitecture)

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"Target({self.name!r})"
