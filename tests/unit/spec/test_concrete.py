"""Concrete specs: what they satisfy, their graph, their hash and their plain form."""

from __future__ import annotations

import copy
import json

import pytest

from spack.errors import SpecError
from spack.spec import (
    ConcreteSpec,
    Edge,
    External,
    Spec,
    VariantValue,
    Version,
    VersionList,
    dump,
    load,
    traverse_all,
)

YES = {"yes": True, "no": False}


@pytest.mark.table("concrete.txt", "satisfies")
def test_satisfies(py_h5py: ConcreteSpec, row: tuple[str, ...]) -> None:
    text, result = row
    assert py_h5py.satisfies(text) is YES[result]
    assert py_h5py.satisfies(Spec(text)) is py_h5py.intersects(text) is YES[result]
    assert Spec(text).intersects(py_h5py) is YES[result]
    assert not Spec(text).satisfies(py_h5py)


@pytest.mark.table("concrete.txt", "in")
def test_in(py_h5py: ConcreteSpec, row: tuple[str, ...]) -> None:
    text, result = row
    assert (text in py_h5py) is YES[result]


def test_versions_of_virtuals_are_those_that_providers_provide(py_h5py: ConcreteSpec) -> None:
    def provided(node: ConcreteSpec, virtual: str) -> VersionList | None:
        versions = {("intel-oneapi-mpi", "mpi"): "2:3", ("zlib-ng", "zlib-api"): ":"}
        known = versions.get((node.name, virtual))
        return VersionList(known) if known else None

    def holds(text: str) -> bool:
        return py_h5py.satisfies(text, provided=provided)

    assert holds("^mpi@3:") and holds("%mpi@:2") and holds("^hdf5 %mpi@3")
    assert not holds("^mpi@4:") and not holds("%mpi@:1") and not holds("^hdf5 %mpi@4")
    assert holds("^zlib-api@7") and holds("^mpi") and holds("%c=gcc")
    assert not holds("%c@11") and not holds("^mpi@3: +x")
    assert holds("%[when='^mpi@4:'] nosuch") and not holds("%[when='^mpi@3:'] nosuch")
    assert py_h5py["mpi"].satisfies("mpi@3", provided=provided)
    assert not py_h5py["mpi"].satisfies("zlib-api", provided=provided)
    assert py_h5py.holds("mpi@2:", provided) and not py_h5py.holds("mpi@4:", provided)
    assert not py_h5py.satisfies("^mpi@3:") and "mpi@2:" not in py_h5py


def test_hash_prefixes_and_equality(py_h5py: ConcreteSpec) -> None:
    digest = py_h5py.dag_hash()
    assert (len(digest), digest.islower() or digest.isdigit()) == (32, True)
    assert py_h5py.dag_hash(7) == digest[:7]
    assert py_h5py.satisfies(f"/{digest[:7]}")
    assert py_h5py.satisfies(f"py-h5py@3/{digest}")
    assert not py_h5py.satisfies("/zzzzzzz")
    assert py_h5py.satisfies(py_h5py)
    assert not py_h5py.satisfies(py_h5py.lookup("hdf5"))
    assert py_h5py.lookup("hdf5") in py_h5py
    assert py_h5py.replace(version="3") not in py_h5py
    assert py_h5py == py_h5py.replace()
    assert hash(py_h5py) == hash(py_h5py.replace())
    assert py_h5py != py_h5py.replace(version="3")
    assert py_h5py != "py-h5py"


def test_lookup_is_direct_builds_first_then_what_is_linked_or_run(py_h5py: ConcreteSpec) -> None:
    assert py_h5py.lookup("python").name == "python"
    assert py_h5py["mpi"].name == "intel-oneapi-mpi"
    assert py_h5py["c"].name == "gcc"
    assert py_h5py["zlib-api"].name == "zlib-ng"
    assert py_h5py["py-pytest"].name == "py-pytest"
    assert py_h5py["py-h5py"] is py_h5py
    for name in ("gmake", "nosuch"):
        with pytest.raises(KeyError, match=f"no dependency '{name}' in py-h5py@3.16.0/"):
            py_h5py.lookup(name)
    assert py_h5py.find_edge("nosuch") is None
    edge = py_h5py.find_edge("mpi")
    assert edge is not None
    assert edge.virtuals == ("mpi",)
    assert repr(edge).startswith("Edge(mpi=intel-oneapi-mpi@2021.14/")


def test_dependencies(py_h5py: ConcreteSpec) -> None:
    assert [d.name for d in py_h5py.dependencies("python-venv")] == ["python-venv"]
    assert [d.name for d in py_h5py.dependencies(deptype="test")] == ["py-pytest"]
    assert [d.name for d in py_h5py.dependencies(deptype=("link",))] == [
        "hdf5",
        "intel-oneapi-mpi",
    ]
    assert [d.name for d in py_h5py.dependencies(virtuals="c")] == ["gcc"]
    assert [d.name for d in py_h5py.dependencies(virtuals=("c", "mpi"))] == [
        "gcc",
        "intel-oneapi-mpi",
    ]
    assert [e.spec.name for e in py_h5py.edges_to_dependencies("hdf5", "all")] == ["hdf5"]
    assert py_h5py.has_virtual_dependency("c")
    assert not py_h5py.has_virtual_dependency("fortran")


def test_traverse(py_h5py: ConcreteSpec) -> None:
    linked = [n.name for n in py_h5py.traverse(("link", "run"), root=False)]
    assert linked == [
        "python",
        "python-venv",
        "hdf5",
        "zlib-ng",
        "intel-oneapi-mpi",
        "py-numpy",
        "py-mpi4py",
    ]
    for order in ("pre", "post", "breadth"):
        nodes = list(py_h5py.traverse("all", order=order))
        assert len(nodes) == len({id(node) for node in nodes}) == 15
        location = {id(node): i for i, node in enumerate(nodes)}
        assert location[id(py_h5py)] == (14 if order == "post" else 0)
        if order == "post":
            assert all(location[id(e.spec)] < location[id(n)] for n in nodes for e in n.edges)
    breadth = [n.name for n in py_h5py.traverse(("link", "run"), order="breadth")]
    assert breadth[-1] == "zlib-ng"
    assert "py-pytest" not in [n.name for n in py_h5py.traverse()]
    assert len(list(py_h5py.traverse_edges())) == 29
    hdf5 = py_h5py["hdf5"]
    assert len(list(traverse_all([hdf5, py_h5py], "all"))) == 15
    assert len(list(traverse_all([hdf5, py_h5py], "all", "post"))) == 15


def test_a_deep_graph_needs_no_stack() -> None:
    spec = ConcreteSpec("p", "venv", "0")
    for depth in range(3000):
        spec = ConcreteSpec("p", "venv", str(depth), edges=[Edge(spec, ("link",))])
    assert len(list(spec.traverse())) == 3001
    assert len(spec.dag_hash()) == 32
    assert load(dump([spec]))[spec.dag_hash()] == spec
    assert spec.satisfies("^p@=7")


def test_the_hash_covers_what_makes_an_install(py_h5py: ConcreteSpec) -> None:
    digest = py_h5py.dag_hash()
    changes: list[dict[str, object]] = [
        {"name": "q"},
        {"namespace": "other"},
        {"version": Version("3.16")},
        {"variants": {}},
        {"variants": {"mpi": VariantValue.multi("mpi", ("true",))}},
        {"flags": {"cflags": ("-O2",)}},
        {"platform": "darwin"},
        {"os": "rhel9"},
        {"target": "zen2"},
        {"edges": py_h5py.edges[1:]},
        {"edges": (Edge(py_h5py.edges[0].spec, ("build",)), *py_h5py.edges[1:])},
        {"edges": (Edge(py_h5py.edges[0].spec, ("build", "run"), ("z",)), *py_h5py.edges[1:])},
        {"external": External("/opt")},
        {"package_hash": "1" * 64},
    ]
    assert len({py_h5py.replace(**change).dag_hash() for change in changes} | {digest}) == 15
    assert py_h5py.replace(edges=tuple(reversed(py_h5py.edges))).dag_hash() == digest


def test_what_is_tested_with_is_in_the_hash(py_h5py: ConcreteSpec) -> None:
    without = [edge for edge in py_h5py.edges if edge.deptypes != {"test"}]
    assert len(without) == len(py_h5py.edges) - 1
    assert py_h5py.replace(edges=without).dag_hash() != py_h5py.dag_hash()


def test_the_hash_is_stable() -> None:
    spec = ConcreteSpec("p", "venv", "1.2", platform="linux", os="debian12", target="x86_64")
    assert spec.dag_hash() == "dyxhqs3qpjl7caopl3ara6wegtigt2y5"


def test_targets_are_hashed_with_what_they_have() -> None:
    spec = ConcreteSpec("p", "venv", "1.2", target="skylake")
    data = dump([spec])["nodes"][spec.dag_hash()]
    assert data["arch"]["target"]["parents"] == ["broadwell"]
    assert "compilers" not in data["arch"]["target"]
    assert dump([spec.replace(target="x86_64_v3")])["nodes"].popitem()[1]["arch"]["target"] == (
        "x86_64_v3"
    )
    assert load(dump([spec]))[spec.dag_hash()].target == "skylake"


def test_plain_form(py_h5py: ConcreteSpec) -> None:
    data = dump([py_h5py, py_h5py["hdf5"]])
    again = load(json.loads(json.dumps(data)))
    assert data["roots"] == [py_h5py.dag_hash(), py_h5py["hdf5"].dag_hash()]
    assert len(again) == len(data["nodes"]) == 15
    for digest, node in again.items():
        assert node.dag_hash() == digest
        assert node.replace().dag_hash() == digest
    root = again[py_h5py.dag_hash()]
    assert root == py_h5py
    assert set(root.edges) == set(py_h5py.edges)
    assert root["python"] is root["py-numpy"]["python"]
    assert root["gcc"].external == External("/usr")
    assert root["gcc"].external_path == "/usr"
    assert root["gcc"].variants["languages"].value == ("c", "c++")
    assert root.variants["mpi"].value is True
    assert root.variants["build_system"].value == "python_pip"


def test_plain_form_of_everything_else() -> None:
    external = External("/opt", ("gcc/12",), {"compilers": {"c": "/opt/bin/gcc"}})
    spec = ConcreteSpec(
        "p", None, "git.main=1.2", flags={"cflags": ("-O2", "-g")}, external=external
    )
    again = load(json.loads(json.dumps(dump([spec]))))[spec.dag_hash()]
    assert again.external == external
    assert hash(again.external) == hash(external)
    assert again.extra_attributes["compilers"] == {"c": "/opt/bin/gcc"}
    assert again.external is not None
    assert again.external.modules == ("gcc/12",)
    assert again.flags == {"cflags": ("-O2", "-g")}
    assert (str(again.version), again.namespace) == ("git.main=1.2", None)
    assert repr(external) == "External('/opt', ('gcc/12',))"
    assert spec.satisfies("p@1.2 cflags=-g")
    assert ConcreteSpec("p", None, "1").extra_attributes == {}
    assert ConcreteSpec("p", None, "1").external_path is None


def test_broken_plain_forms_are_errors(py_h5py: ConcreteSpec) -> None:
    data = dump([py_h5py])
    digest = py_h5py["hdf5"].dag_hash()
    nodes = {key: value for key, value in data["nodes"].items() if key != digest}
    with pytest.raises(SpecError, match=f"the stored specs are incomplete.*{digest}") as caught:
        load({"roots": data["roots"], "nodes": nodes})
    assert caught.value.ref == "spec-data"
    forms: list[dict[str, object]] = [
        {},
        {"nodes": {"a": {}}},
        {"nodes": {"a": None}},
        {"nodes": None},
    ]
    for broken in forms:
        with pytest.raises(SpecError, match="the stored specs are incomplete"):
            load(broken)
    circle = {
        "a": {"dependencies": [{"name": "b", "hash": "b", "type": ["link"]}]},
        "b": {"dependencies": [{"name": "a", "hash": "a", "type": ["link"]}]},
    }
    with pytest.raises(SpecError, match="the stored nodes depend on each other"):
        load({"nodes": circle})


def test_parts(py_h5py: ConcreteSpec) -> None:
    assert str(py_h5py) == f"py-h5py@3.16.0/{py_h5py.dag_hash()}"
    assert py_h5py.short == f"py-h5py@3.16.0/{py_h5py.dag_hash(7)}"
    assert repr(py_h5py) == f'ConcreteSpec("{py_h5py.short}")'
    assert py_h5py.fullname == "venv.py-h5py"
    assert str(py_h5py.architecture) == "linux-debian12-x86_64_v3"
    assert py_h5py.arch is py_h5py.architecture
    assert str(py_h5py.versions) == "=3.16.0"
    assert (py_h5py.concrete, py_h5py.anonymous, py_h5py.is_develop) == (True, False, False)
    assert py_h5py.external is None
    develop = py_h5py.replace(variants={"dev_path": VariantValue.single("dev_path", "/x")})
    assert develop.is_develop
    assert sorted([py_h5py, py_h5py["hdf5"]])[0].name == "hdf5"


def test_values_are_immutable_and_can_be_copied(py_h5py: ConcreteSpec) -> None:
    for value in (py_h5py, py_h5py.edges[0], External("/usr")):
        with pytest.raises(AttributeError, match="immutable"):
            setattr(value, "name", "q")  # noqa: B010  # mypy knows that it cannot be set
    assert copy.copy(py_h5py) is copy.deepcopy(py_h5py) is py_h5py


def test_copies(py_h5py: ConcreteSpec) -> None:
    assert py_h5py.copy() is py_h5py
    bare = py_h5py.copy(deps=False)
    assert (bare.name, bare.edges) == ("py-h5py", ()) and bare != py_h5py


def test_as_a_constraint(py_h5py: ConcreteSpec) -> None:
    node = py_h5py.as_spec()
    assert str(node) == (
        "py-h5py@=3.16.0+mpi build_system=python_pip platform=linux os=debian12 target=x86_64_v3"
    )
    assert py_h5py.satisfies(node)
    assert node.satisfies("py-h5py@3.16+mpi target=x86_64:")
    edges = py_h5py.as_spec(dependencies=True)
    assert py_h5py.satisfies(edges)
    assert edges.satisfies("%c=gcc@12 ^hdf5")
