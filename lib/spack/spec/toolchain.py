"""Toolchains: names in configuration that mean several direct dependencies at once.

``%name`` in a spec is replaced by the dependencies of the toolchain of that name::

    toolchains:
      gcc_all:
      - spec: "%c=gcc"
        when: "%c"
      - spec: "%cxx=gcc"
        when: "%cxx"

Only the text is looked at; configuration comes in as a mapping.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from spack.errors import SpecError
from spack.spec.algebra import BUILTIN_TO_LEGACY
from spack.spec.constraint import Spec
from spack.spec.dependency import Dependency, merged_dependencies
from spack.spec.parser import parse

__all__ = ["expand_toolchains", "toolchain"]


def toolchain(entries: str | Iterable[tuple[str, str]]) -> tuple[Dependency, ...]:
    """Return the dependencies of a toolchain.

    :param entries: one spec text, or pairs (spec text, condition; ``""`` for always).
    :raises SpecError: when an entry is malformed or holds more than direct dependencies.
    """
    found: tuple[Dependency, ...] = ()
    for text, condition in [(entries, "")] if isinstance(entries, str) else entries:
        spec = parse(text)
        if spec.without_dependencies() != Spec() or not all(
            edge.direct and not edge.spec.dependencies for edge in spec.dependencies
        ):
            raise SpecError(
                f"the toolchain entry '{text}' holds more than direct dependencies",
                hint="each entry consists of '%' dependencies, such as '%c=gcc'",
                facts={"entry": text},
                ref="toolchain",
            )
        for edge in spec.dependencies:
            when = edge.when
            if condition:
                when = parse(condition) if when is None else when.constrain(condition)
            found = merged_dependencies(found, (edge.replace(when=when),))
    return found


def expand_toolchains(spec: Spec, toolchains: Mapping[str, tuple[Dependency, ...]]) -> Spec:
    """Return *spec* with every ``%name`` of a toolchain replaced, at the root and below ``^``.

    :raises SpecError: when the name of a toolchain has attributes of its own, or its
        dependencies contradict those that are there.
    """
    if not spec.dependencies or not toolchains:
        return spec
    kept: list[Dependency] = []
    added: dict[str, bool] = {}
    for edge in spec.dependencies:
        name = _named(edge, toolchains)
        if name is None:
            kept.append(edge.replace(spec=expand_toolchains(edge.spec, toolchains)))
            continue
        if edge.spec != Spec.of(edge.spec.name):
            raise SpecError(
                f"'{name}' is a toolchain and takes no attributes of its own",
                hint=f"write %{name} alone",
                facts={"toolchain": name, "spec": str(spec)},
                ref="toolchain",
            )
        added[name] = added.get(name, False) or edge.propagate
    dependencies = tuple(kept)
    for name, propagate in added.items():
        edges = toolchains[name]
        if propagate:
            edges = tuple(edge.replace(propagate=True) for edge in edges)
        dependencies = merged_dependencies(dependencies, edges)
    return spec.replace(dependencies=dependencies)


def _named(edge: Dependency, toolchains: Mapping[str, tuple[Dependency, ...]]) -> str | None:
    """Return the toolchain that *edge* names; it may have the name of a legacy compiler."""
    if not edge.direct or edge.virtuals:
        return None
    for name in (edge.spec.name, BUILTIN_TO_LEGACY.get(edge.spec.name, "")):
        if name and name in toolchains:
            return name
    return None
