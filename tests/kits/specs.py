"""The factory of concrete specs, for tests that need graphs and no solver."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol, Union

from spack.spec import ConcreteSpec, Edge, External, VariantValue, Version

__all__ = ["Dependency", "MakeSpec", "make_edge", "make_spec"]

#: A dependency; with its types, and the virtuals that it provides.
Dependency = Union[
    ConcreteSpec,
    Edge,
    tuple[ConcreteSpec, Iterable[str]],
    tuple[ConcreteSpec, Iterable[str], Iterable[str]],
]

#: Stands for the content hash of a recipe.
PACKAGE_HASH = "0" * 52


class MakeSpec(Protocol):
    """The type of :func:`make_spec`, with fewer arguments."""

    def __call__(
        self,
        text: str,
        *dependencies: Dependency,
        external: str | External | None = None,
        **variants: bool | str | tuple[str, ...],
    ) -> ConcreteSpec: ...


def make_spec(  # noqa: PLR0913 - keywords of independent settings
    text: str,
    *dependencies: Dependency,
    types: Iterable[str] = ("build", "link"),
    namespace: str | None = "test",
    external: str | External | None = None,
    platform: str = "linux",
    os: str = "debian12",
    target: str = "x86_64",
    flags: Mapping[str, tuple[str, ...]] = {},
    **variants: bool | str | tuple[str, ...],
) -> ConcreteSpec:
    """Return a node, such as ``make_spec("name@1.2", below, (tool, ("build",)), mpi=True)``.

    :param text: name and version; without a version it is 1.0.
    :param types: of dependencies that are given without.
    :param external: its prefix, for one that is not built.
    :param flags: of compilers, by name.
    :param variants: True and False, a text, or a tuple of texts for several values.
    """
    name, _, version = text.partition("@")
    if isinstance(external, str):
        external = External(external)
    return ConcreteSpec(
        name,
        namespace,
        Version(version or "1.0"),
        {key: _variant(key, value) for key, value in variants.items()},
        flags,
        platform=platform,
        os=os,
        target=target,
        edges=[make_edge(item, types) for item in dependencies],
        external=external,
        package_hash=None if external else PACKAGE_HASH,
    )


def make_edge(dependency: Dependency, types: Iterable[str] = ("build", "link")) -> Edge:
    """Return the edge to *dependency*; *types* are those of one that is given without."""
    if isinstance(dependency, Edge):
        return dependency
    if isinstance(dependency, ConcreteSpec):
        return Edge(dependency, tuple(types))
    return Edge(dependency[0], tuple(dependency[1]), tuple(*dependency[2:]))


def _variant(name: str, value: bool | str | tuple[str, ...]) -> VariantValue:
    if isinstance(value, bool):
        return VariantValue.boolean(name, value)
    if isinstance(value, str):
        return VariantValue.single(name, value)
    return VariantValue.multi(name, value)
