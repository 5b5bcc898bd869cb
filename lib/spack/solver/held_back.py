"""Roots that are older than they could be, because no Python is built for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from spack.solver.candidates import Catalog
from spack.solver.expansion import dependency_records
from spack.solver.problem import HeldBackRoot, Root
from spack.spec import ConcreteSpec, Spec, Version

__all__ = ["INTERPRETER", "held_back"]

#: The package that is not built while one that is there satisfies the roots.
INTERPRETER = "python"


def held_back(
    catalog: Catalog, roots: Sequence[Root], specs: Sequence[ConcreteSpec]
) -> tuple[HeldBackRoot, ...]:
    """Return the roots whose best version the interpreter of the solution excludes."""
    if catalog.problem.python != "available":
        return ()
    found: dict[str, HeldBackRoot] = {}
    for root, spec in zip(roots, specs):
        interpreter = next((n for n in spec.traverse() if n.name == INTERPRETER), None)
        if interpreter is None or interpreter.external is None:
            continue
        event = _newer(catalog, root, spec, interpreter.version)
        if event is not None:
            found.setdefault(spec.name, event)
    return tuple(found.values())


def _newer(
    catalog: Catalog, root: Root, spec: ConcreteSpec, python: Version
) -> HeldBackRoot | None:
    candidates = catalog.get(spec.name)
    chosen = candidates.index(spec.version)
    allowed = candidates.buildable & candidates.mask(root.spec.versions)
    for index in range(chosen):
        if allowed >> index & 1:
            newer = candidates.versions[index].version
            for needed in _interpreters(catalog, spec.name, newer):
                if not needed.versions.holds(python):
                    return HeldBackRoot(spec.name, str(spec.version), str(newer), str(needed))
            return None
    return None


def _interpreters(catalog: Catalog, name: str, version: Version) -> Iterator[Spec]:
    """Yield what a version's recipe says of the interpreter, where only the version matters."""
    for record in dependency_records(catalog, name):
        needed = Spec.parse(record.spec)
        if needed.name != INTERPRETER or needed.versions.is_any:
            continue
        when = Spec.parse(record.when)
        if when.without_dependencies() == Spec.of(versions=when.versions) and (
            not when.dependencies and when.versions.holds(version)
        ):
            yield Spec.of(INTERPRETER, versions=needed.versions)
