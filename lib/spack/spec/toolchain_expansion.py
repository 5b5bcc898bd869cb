"""Toolchains: names in configuration that mean several direct dependencies at once.

``%name`` in a spec is replaced by the dependencies of the toolchain of that name::

    toolchains:
      gcc_all:
      - spec: "%c=gcc"
        when: "%c"
      - spec: "%cxx=gcc"
        when: "%cxx"

      - spec: cflags=-O3

Attributes of the node itself, such as flags, hold wherever the toolchain is named. Only the text
is looked at; configuration comes in as a mapping.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from spack.errors import SpecError
from spack.spec.algebra import BUILTIN_TO_LEGACY
from spack.spec.constraint import Spec
from spack.spec.dependency import Dependency, merged_dependencies
from spack.spec.parser import parse

__all__ = ["expand_toolchains", "toolchain"]


def toolchain(entries: str | Iterable[tuple[str, str]]) -> Spec:
    """Return a toolchain as one spec without a name.

    :param entries: one spec text, or pairs (spec text, condition; ``""`` for always). A condition
        is one of the dependencies of its entry.
    :raises SpecError: an entry is malformed, names a package, or has other than direct
        dependencies.
    """
    found = Spec()
    for text, condition in [(entries, "")] if isinstance(entries, str) else entries:
        spec = parse(text)
        if spec.name or not all(
            edge.direct and not edge.spec.dependencies for edge in spec.dependencies
        ):
            raise SpecError(
                f"the toolchain entry '{text}' holds more than direct dependencies and flags",
                hint="each entry consists of '%' dependencies, such as '%c=gcc', and flags",
                facts={"entry": text},
                ref="toolchain",
            )
        edges: tuple[Dependency, ...] = ()
        for edge in spec.dependencies:
            when = edge.when
            if condition:
                when = parse(condition) if when is None else when.constrain(condition)
            edges = merged_dependencies(edges, (edge.replace(when=when),))
        found = found.constrain(spec.without_dependencies())
        found = found.replace(dependencies=merged_dependencies(found.dependencies, edges))
    return found


def expand_toolchains(spec: Spec, toolchains: Mapping[str, Spec]) -> Spec:
    """Return *spec* with every ``%name`` of a toolchain replaced, at the root and below ``^``.

    :raises SpecError: when the name of a toolchain has attributes of its own, or what it says
        contradicts what is there.
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
    result = spec.replace(dependencies=tuple(kept))
    for name, propagate in added.items():
        edges = toolchains[name].dependencies
        if propagate:
            edges = tuple(edge.replace(propagate=True) for edge in edges)
        result = result.constrain(toolchains[name].without_dependencies())
        result = result.replace(dependencies=merged_dependencies(result.dependencies, edges))
    return result


def _named(edge: Dependency, toolchains: Mapping[str, Spec]) -> str | None:
    """Return the toolchain that *edge* names; it may have the name of a legacy compiler."""
    if not edge.direct or edge.virtuals:
        return None
    for name in (edge.spec.name, BUILTIN_TO_LEGACY.get(edge.spec.name, "")):
        if name and name in toolchains:
            return name
    return None
