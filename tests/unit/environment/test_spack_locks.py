"""Lock files that real Spack wrote, recorded in tests/cases/spack, and what is made of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from kits.specs import make_spec
from spack.actions.staging import refuse_spliced
from spack.environment import Environment
from spack.environment.lockfile import Lockfile, read_lockfile
from spack.errors import EnvironmentFileError, RecipeError
from spack.spec import DEPTYPES, ConcreteSpec, Edge, dump, from_specfile, load, to_specfile
from spack.spec.dag_hash import node_hash
from spack.spec.stored import stored_closure

RECORDED = Path(__file__).parents[2] / "cases" / "spack"


def recorded(name: str) -> Lockfile:
    lock = read_lockfile(RECORDED / name / "spack.lock")
    assert lock is not None
    return lock


@pytest.mark.parametrize("name", ["flake8", "mixed"])
def test_hashes_follow_the_rule_of_spack(name: str) -> None:
    """A node that is made here of the same parts has the hash that Spack gave it."""
    lock = recorded(name)
    assert len(lock.specs) == len(lock.nodes)
    for digest, node in lock.specs.items():
        assert node.dag_hash() == digest
        assert node.replace().dag_hash() == digest


@pytest.mark.parametrize("name", ["flake8", "mixed"])
def test_a_lock_is_written_as_spack_wrote_it(name: str, tmp_path: Path) -> None:
    path = tmp_path / "spack.lock"
    lock = recorded(name)
    lock.write(path)
    again = json.loads(path.read_text())
    original = json.loads((RECORDED / name / "spack.lock").read_text())
    for key in ("_meta", "roots", "concrete_specs"):
        assert again[key] == original[key]
    assert read_lockfile(path) == lock


def test_what_is_in_the_lock_of_spack() -> None:
    zlib, _, make = recorded("mixed").concrete_roots()
    assert zlib.flags == {"cflags": ("-O3", "-g")}
    assert zlib.satisfies("zlib-ng@2.3.3+compat %c,cxx=gcc@12.2.0 ^libc=glibc@2.36")
    assert zlib["gcc"].external_path == "/usr"
    assert zlib["gcc"].extra_attributes["compilers"]["c"] == "/usr/bin/gcc"
    assert zlib["gcc"].variants["languages"].value == ("c", "c++", "fortran")
    assert {edge.spec.name: set(edge.deptypes) for edge in make.edges} == {
        "compiler-wrapper": {"build"},
        "gcc": {"build"},
        "gcc-runtime": {"link"},
        "glibc": {"link"},
    }
    assert [digest[:4] for digest in make.patch_order] == ["fe5b", "ca60"]
    assert [str(digest)[:4] for digest in make.variants["patches"].values] == ["ca60", "fe5b"]


@pytest.mark.parametrize("name", ["flake8", "mixed", "earlier"])
def test_the_lock_of_spack_is_current(name: str) -> None:
    environment = Environment(RECORDED / name)
    assert environment.lockfile is not None
    asked = list(environment.user_specs())
    digest = "own:0" if name != "earlier" else environment.lockfile.configuration
    assert environment.lockfile.is_current(asked, digest)
    assert not environment.lockfile.is_current(asked[1:], digest)
    if name == "mixed":
        assert environment.lockfile.is_current(asked[::-1], digest)


def test_a_lock_of_an_earlier_version_gets_the_hashes_of_spack() -> None:
    lock = recorded("earlier")
    raw = json.loads((RECORDED / "earlier" / "spack.lock").read_text())
    (root,) = lock.concrete_roots()
    assert root.dag_hash() == lock.roots[0].hash != raw["roots"][0]["hash"]
    assert root.satisfies("py-flake8@7.3.0 build_system=python_wheel ^python@3.11.2+ssl")
    assert len(lock.specs) == len(raw["concrete_specs"]) == len(list(root.traverse(DEPTYPES)))
    assert root["python"].extra_attributes["executable"] == "/usr/bin/python3.11"
    for node in root.traverse(DEPTYPES):
        assert node_hash(lock.nodes[node.dag_hash()]) == node.dag_hash()


def test_a_changed_lock_of_an_earlier_version_is_refused(tmp_path: Path) -> None:
    text = (RECORDED / "earlier" / "spack.lock").read_text()
    (tmp_path / "spack.lock").write_text(text.replace('"7.3.0"', '"7.3.1"'))
    with pytest.raises(EnvironmentFileError, match=r"the content of py-flake8@7.3.1/\w+ is not"):
        read_lockfile(tmp_path / "spack.lock")


def altered(name: str, package: str, change: dict[str, Any], path: Path) -> Lockfile:
    """Return the recorded lock *name* with other keys in the node of *package*."""
    raw = json.loads((RECORDED / name / "spack.lock").read_text())
    for node in raw["concrete_specs"].values():
        if node["name"] == package:
            node.update(change)
    path.write_text(json.dumps(raw))
    lock = read_lockfile(path)
    assert lock is not None
    return lock


@pytest.mark.parametrize(
    ("package", "change"),
    [
        ("py-flake8", {"version": "7.3.1"}),
        ("python-venv", {"dependencies": []}),
        ("python", {"external": {"path": "/opt", "module": None, "extra_attributes": {}}}),
        ("py-pip", {"annotations": {"original_specfile_version": 5, "more": 1}}),
    ],
)
def test_a_changed_node_of_spack_is_refused(
    tmp_path: Path, package: str, change: dict[str, Any]
) -> None:
    lock = altered("flake8", package, change, tmp_path / "spack.lock")
    with pytest.raises(EnvironmentFileError, match=f"the content of {package}@"):
        lock.concrete_roots()


def test_a_dependency_with_the_hash_of_another_package(tmp_path: Path) -> None:
    lock = recorded("flake8")
    digest = next(key for key, node in lock.nodes.items() if node["name"] == "python")
    edge = {"name": "perl", "hash": digest, "parameters": {"deptypes": ["run"], "virtuals": []}}
    lock = altered("flake8", "python-venv", {"dependencies": [edge]}, tmp_path / "spack.lock")
    with pytest.raises(EnvironmentFileError, match="dependency perl has the hash of python@"):
        lock.concrete_roots()


def test_a_hash_that_is_none(tmp_path: Path) -> None:
    """It would become part of a path."""
    lock = recorded("flake8")
    old = {"annotations": {"original_specfile_version": 4, "compiler": "gcc@=12"}}
    node = {**lock.nodes[lock.roots[0].hash], **old, "dependencies": []}
    broken = lock.replace(nodes={"../x": node}, roots=(lock.roots[0]._replace(hash="../x"),))
    with pytest.raises(EnvironmentFileError, match=r"invalid hash '../x' of the stored node"):
        broken.concrete_roots()


def test_sorted_keys_and_targets_of_another_archspec(tmp_path: Path) -> None:
    path = tmp_path / "spack.lock"
    raw = json.loads((RECORDED / "mixed" / "spack.lock").read_text())
    path.write_text(json.dumps(raw, sort_keys=True))
    lock = read_lockfile(path)
    assert lock is not None and len(lock.specs) == 8

    spec = make_spec("p", target="skylake")
    data = Lockfile.from_solution([]).replace(nodes={spec.dag_hash(): _plain(spec)})
    assert list(data.specs) == [spec.dag_hash()]
    changed = {**_plain(spec), "version": "2"}
    with pytest.raises(EnvironmentFileError, match="the content of p@2/"):
        assert data.replace(nodes={spec.dag_hash(): changed}).specs
    target = {**changed["arch"]["target"], "features": ["mmx"]}
    changed["arch"] = {**changed["arch"], "target": target}
    assert data.replace(nodes={spec.dag_hash(): changed}).specs[spec.dag_hash()].target == "skylake"


def _plain(spec: Any) -> dict[str, Any]:
    from spack.spec import dump

    return dict(dump([spec])["nodes"][spec.dag_hash()])


#: A lock of version 5, whose nodes are of version 4: the compiler is an attribute.
VERSION_5 = {
    "_meta": {"file-type": "spack-lockfile", "lockfile-version": 5, "specfile-version": 4},
    "roots": [{"hash": "a" * 32, "spec": "zlib"}],
    "concrete_specs": {
        "a" * 32: {
            "name": "zlib",
            "version": "1.3",
            "arch": {"platform": "linux", "platform_os": "debian12", "target": "x86_64"},
            "compiler": {"name": "gcc", "version": "12.2.0"},
            "namespace": "builtin",
            "parameters": {"build_system": "makefile", "cflags": []},
            "package_hash": "b" * 52 + "====",
            "dependencies": [
                {
                    "name": "gmake",
                    "hash": "c" * 32,
                    "parameters": {"deptypes": ["build"], "virtuals": ["make"]},
                }
            ],
            "hash": "a" * 32,
        },
        "c" * 32: {
            "name": "gmake",
            "versions": ["=4.4"],
            "arch": {"platform": "linux", "platform_os": "debian12", "target": "x86_64"},
            "hash": "c" * 32,
        },
    },
    "include_concrete": {
        "/envs/tools": {"roots": [{"hash": "c" * 32, "spec": "gmake"}], "concrete_specs": {}}
    },
}


@pytest.mark.parametrize("version", [4, 5])
def test_older_locks_of_spack(tmp_path: Path, version: int) -> None:
    path = tmp_path / "spack.lock"
    data = json.loads(json.dumps(VERSION_5))
    data["_meta"] = {**data["_meta"], "lockfile-version": version}
    if version == 4:
        (edge,) = data["concrete_specs"]["a" * 32]["dependencies"]
        edge["type"] = edge.pop("parameters")["deptypes"]
    path.write_text(json.dumps(data))
    lock = read_lockfile(path)
    assert lock is not None
    root = lock.concrete_roots()[0]
    virtuals = ("make",) if version == 5 else ()
    assert root.edges == (Edge(lock.specs["c" * 32], {"build"}, virtuals),)
    assert root.dag_hash() == "a" * 32 and root.satisfies("zlib@1.3 build_system=makefile")
    assert [spec.short for spec in lock.concrete_roots()] == [
        "zlib@1.3/aaaaaaa",
        "gmake@4.4/ccccccc",
    ]

    lock.write(path)
    again = json.loads(path.read_text())
    node = again["concrete_specs"]["a" * 32]
    assert node["annotations"] == {
        "original_specfile_version": version - 1,
        "compiler": "gcc@=12.2.0",
    }
    assert node["dependencies"][0]["parameters"]["deptypes"] == ["build"]
    assert set(again["include_concrete"]["/envs/tools"]["concrete_specs"]) == {"c" * 32}
    lock = read_lockfile(path)
    assert lock is not None and lock.concrete_roots()[0].dag_hash() == "a" * 32


def test_spliced_nodes_keep_the_end_of_the_hash_they_were_built_with() -> None:
    lock = recorded("mixed")
    make = lock.concrete_roots()[1]
    built = lock.nodes[make.dag_hash()]
    spliced = {**built, "dependencies": built["dependencies"][:2]}
    spliced["build_spec"] = {"name": make.name, "hash": make.dag_hash()}
    spliced["annotations"] = spliced.pop("annotations")
    digest = node_hash(spliced)[:-7] + make.dag_hash()[-7:]
    nodes = {**lock.nodes, digest: {**spliced, "hash": digest}}
    both = lock.replace(nodes=nodes)
    assert both.specs[digest].is_spliced and not both.specs[make.dag_hash()].is_spliced
    assert len(both.specs) == 9
    with pytest.raises(RecipeError, match=f"cannot build {make.name}@4.4.1/.*: it is spliced"):
        refuse_spliced(both.specs[digest])
    refuse_spliced(make)
    # What it was built as is written with it, as Spack needs it to read the node.
    again = load(dump([both.specs[digest]]))
    assert again[digest].built_as == make and make.dag_hash() in again
    root, nodes = from_specfile(to_specfile(both.specs[digest]))
    assert root == digest and nodes[digest].built_as == make
    assert make.dag_hash() in stored_closure([digest], both.nodes)
    (alone,) = [x for x in load({"nodes": _without(both.nodes, make)}).values() if x.is_spliced]
    assert alone.built_as is None


def _without(nodes: Mapping[str, Any], node: ConcreteSpec) -> dict[str, Any]:
    return {key: row for key, row in nodes.items() if key != node.dag_hash()}
