"""Versions of virtual packages that concrete specs provide."""

from __future__ import annotations

from spack.recipe import ProvidesRecord
from spack.recipe.provisions import provided_by
from spack.spec import ConcreteSpec, Edge, VersionList

RECORDS = {
    "openmpi": (
        ProvidesRecord(("mpi@:2.2",), "@1.6.5"),
        ProvidesRecord(("mpi@:3.1",), "@2:"),
        ProvidesRecord(("mpi@4", "fabric"), "@2: ^java@9:"),
    ),
    "jdk": (ProvidesRecord(("java@9:10",), "@10"), ProvidesRecord(("java@8",))),
}


def node(name: str, version: str, *edges: Edge) -> ConcreteSpec:
    return ConcreteSpec(name, "mine", version, edges=edges)


def test_the_conditions_of_records_decide() -> None:
    provided = provided_by(lambda spec: RECORDS.get(spec.name, ()))
    assert provided(node("openmpi", "1.6.5"), "mpi") == VersionList(":2.2")
    assert provided(node("openmpi", "4.1"), "mpi") == VersionList(":3.1")
    assert provided(node("openmpi", "1.0"), "mpi") is None
    assert provided(node("openmpi", "4.1"), "lapack") is None
    assert provided(node("zlib", "1.3"), "mpi") is None


def test_a_condition_may_ask_for_the_version_of_a_virtual() -> None:
    provided = provided_by(lambda spec: RECORDS.get(spec.name, ()))
    old = Edge(node("jdk", "8"), ("run",), ("java",))
    new = Edge(node("jdk", "10.0.1"), ("run",), ("java",))
    assert provided(node("openmpi", "4.1", old), "fabric") is None
    assert provided(node("openmpi", "4.1", new), "fabric") == VersionList(":")
    assert provided(node("openmpi", "4.1", new), "mpi") == VersionList(":3.1,4")
