"""The differences of two concrete specs, as attributes of their nodes."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

from spack.spec import ConcreteSpec

__all__ = ["Attribute", "SpecDifference", "compare"]


class Attribute(NamedTuple):
    """One thing that is true of a spec, such as ``variant_value``, ``cake cream False``."""

    kind: str
    text: str


class SpecDifference(NamedTuple):
    """Sorted attributes: what both have, and what only one has."""

    intersect: tuple[Attribute, ...]
    a_not_b: tuple[Attribute, ...]
    b_not_a: tuple[Attribute, ...]


def compare(a: ConcreteSpec, b: ConcreteSpec, ignored: Collection[str] = ()) -> SpecDifference:
    """Return how *a* and *b* differ, with all that they depend on.

    :param ignored: names of dependencies that are left out, with what only they need.
    """
    first, second = set(_attributes(a, ignored)), set(_attributes(b, ignored))
    return SpecDifference(
        tuple(sorted(first & second)), tuple(sorted(first - second)), tuple(sorted(second - first))
    )


def _attributes(root: ConcreteSpec, ignored: Collection[str]) -> Iterator[Attribute]:
    seen = {root.dag_hash()}
    pending = [root]
    while pending:
        node = pending.pop()
        yield from _of_node(node)
        for edge in node.edges:
            if edge.spec.name in ignored:
                continue
            below = f"{node.name} {edge.spec.name}"
            for kind in sorted(edge.deptypes):
                yield Attribute("depends_on", f"{below} {kind}")
            for virtual in edge.virtuals:
                yield Attribute("virtual_on_edge", f"{below} {virtual}")
            if edge.spec.dag_hash() not in seen:
                seen.add(edge.spec.dag_hash())
                pending.append(edge.spec)


def _of_node(node: ConcreteSpec) -> Iterator[Attribute]:
    name = node.name
    yield Attribute("node", name)
    yield Attribute("hash", f"{name} {node.dag_hash()}")
    yield Attribute("version", f"{name} {node.version}")
    if node.namespace:
        yield Attribute("namespace", f"{name} {node.namespace}")
    if node.package_hash:
        yield Attribute("package_hash", f"{name} {node.package_hash}")
    for kind in ("platform", "os", "target"):
        yield Attribute(f"node_{kind}", f"{name} {getattr(node, kind)}")
    for variant, value in node.variants.items():
        for text in value.values:
            yield Attribute("variant_value", f"{name} {variant} {text}")
    for flag, texts in node.flags.items():
        for text in texts:
            yield Attribute("node_flag", f"{name} {flag} {text}")
    if node.external is not None:
        yield Attribute("external_path", f"{name} {node.external_path}")
