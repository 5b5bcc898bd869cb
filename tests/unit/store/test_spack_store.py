"""Install trees that Spack writes: their database, and the manifests of their prefixes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from kits.spack_files import as_spack, write_spack_index, write_spack_prefix
from kits.specs import MakeSpec
from spack.errors import StoreError
from spack.spec import ConcreteSpec, Spec, from_specfile
from spack.spec.stored import verify as check_nodes
from spack.store import Layout, Manifest, Metadata, Store, Upstreams, verify
from spack.store.spack_database import SpackDatabase

RUN = ("build", "link", "run")


@pytest.fixture
def top(spec: MakeSpec) -> ConcreteSpec:
    python = spec("python@3.11.2", external="/usr")
    gone = spec("gone@1")
    (top,) = as_spack(
        [spec("top@2", (spec("low@1.5", (gone, ("build",)), shared=True), RUN), python)]
    )
    return top


@pytest.fixture
def root(tmp_path: Path, top: ConcreteSpec) -> Path:
    write_spack_index(tmp_path / "site", [top], missing=["gone"])
    return tmp_path / "site"


@pytest.mark.parametrize("cached", [True, False])
def test_what_a_tree_of_spack_has(
    root: Path, top: ConcreteSpec, tmp_path: Path, cached: bool
) -> None:
    database = SpackDatabase(root, tmp_path / "cache" if cached else None)
    assert [(r.name, r.explicit, r.external) for r in database.records()] == [
        ("low", False, False),
        ("python", False, True),
        ("top", True, False),
    ]
    assert [r.name for r in database.records(installed=False)] == ["gone"]
    record = database.record(top.dag_hash())
    assert record is not None and record.short == top.short
    assert record.prefix == str(root / "linux-x86_64" / f"top-2-{top.dag_hash()}")
    assert record.installed_at == 1700000000.25
    assert database.record(top["python"].dag_hash()).prefix == "/usr"
    assert [r.name for r in database.query(Spec("low+shared"))] == ["low"]
    assert database.query(Spec("low~shared")) == []
    assert database.specs([top.dag_hash()]) == {top.dag_hash(): top}
    assert database.installed_hashes() == {r.hash for r in database.records()}
    assert {link.child for link in database.links() if link.parent == top.dag_hash()} == {
        top["low"].dag_hash(),
        top["python"].dag_hash(),
    }
    database.check()
    database.close()
    assert not list(root.rglob("*.sqlite"))


def test_tables_are_made_again_when_the_database_has_changed(
    root: Path, top: ConcreteSpec, spec: MakeSpec, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    assert len(SpackDatabase(root, cache).records()) == 3
    (first,) = cache.iterdir()
    assert len(SpackDatabase(root, cache).records()) == 3
    assert list(cache.iterdir()) == [first]
    write_spack_index(root, [top, *as_spack([spec("more")])], missing=["gone"])
    assert len(SpackDatabase(root, cache).records()) == 4
    (second,) = cache.iterdir()
    assert second != first
    second.write_bytes(b"no tables")
    assert len(SpackDatabase(root, cache).records()) == 4
    (tmp_path / "file").touch()
    assert len(SpackDatabase(root, tmp_path / "file" / "cache").records()) == 4


@pytest.mark.parametrize("version", ["6", "7"])
def test_earlier_versions_are_read(tmp_path: Path, top: ConcreteSpec, version: str) -> None:
    path = write_spack_index(tmp_path, [top], version=version)
    if version == "6":
        data = json.loads(path.read_text())
        for row in data["database"]["installs"].values():
            row["spec"].pop("annotations")
            for edge in row["spec"].get("dependencies", ()):
                edge["type"] = edge.pop("parameters")["deptypes"]
        path.write_text(json.dumps(data))
    (node,) = SpackDatabase(tmp_path, None).specs([top.dag_hash()]).values()
    assert node.dag_hash() == top.dag_hash()
    assert node["low"].satisfies("low@1.5+shared")


@pytest.mark.parametrize(
    ("change", "message", "hint"),
    [
        (lambda text: text[:-40], "is damaged: .*JSONDecodeError", "spack reindex"),
        (lambda text: "[]", "is damaged: .*TypeError", "spack reindex"),
        (lambda text: text.replace('"8"', '"9"'), "is of version 9", "a newer Spack wrote it"),
        (lambda text: text.replace('"8"', '"5"'), "is of version 5", "spack reindex"),
        (lambda text: text.replace('"platform_os"', '"x"'), "the record .*KeyError", "reindex"),
    ],
)
def test_a_database_that_cannot_be_read(
    root: Path, change: Callable[[str], str], message: str, hint: str
) -> None:
    path = root / ".spack-db" / "index.json"
    path.write_text(change(path.read_text()))
    with pytest.raises(StoreError, match=message) as caught:
        SpackDatabase(root, None).records()
    assert str(path) in caught.value.message
    assert hint in str(caught.value.hint)


def test_a_tree_that_is_gone(root: Path, tmp_path: Path) -> None:
    database = SpackDatabase(root, tmp_path / "cache")
    (root / ".spack-db" / "index.json").unlink()
    with pytest.raises(StoreError, match=r"cannot read the database of Spack: .*: No such file"):
        database.records()
    store = Store(Layout(tmp_path / "own"), upstreams=Upstreams((root,)))
    with pytest.raises(StoreError, match="is not an install tree: it has no database"):
        store.database.records()


def test_a_tree_behind_the_own_one(root: Path, top: ConcreteSpec, tmp_path: Path) -> None:
    store = Store(Layout(tmp_path / "own"), upstreams=Upstreams((root,), tmp_path / "cache"))
    assert {record.upstream for record in store.database.records()} == {str(root)}
    assert store.database.record(top.dag_hash()).upstream == str(root)
    assert store.prefix(top) == root / "linux-x86_64" / f"top-2-{top.dag_hash()}"
    assert store.upstreams == (root,)
    store.close()


def test_manifests_of_spack(tmp_path: Path, top: ConcreteSpec) -> None:
    files = {"bin/top": "#!/bin/sh\n", "lib/top.txt": "text\n"}
    prefix = write_spack_prefix(tmp_path, top, files)
    manifest = Manifest.load(Metadata(prefix).manifest)
    assert list(manifest.files) == ["bin", "bin/top", "lib", "lib/top.txt"]
    assert manifest.files["bin/top"].kind == "file" and manifest.files["bin/top"].mode == 0o755
    assert manifest.files["lib/top.txt"].content.startswith("sha1:")
    assert verify(prefix, manifest) == ()
    (prefix / "lib" / "top.txt").write_text("TEXT\n")
    assert [(d.path, d.what) for d in verify(prefix, manifest)] == [("lib/top.txt", "content")]


def test_manifests_of_spack_with_links_and_of_another_place(
    tmp_path: Path, top: ConcreteSpec
) -> None:
    (tmp_path / "x").mkdir()
    prefix = write_spack_prefix(tmp_path, top, {"lib/a": ""})
    text = Metadata(prefix).manifest.read_text().replace(str(tmp_path), "/former")
    data = json.loads(text)
    base = min(data, key=len)
    data[f"{base}/lib/b"] = {"mode": 0o120777, "owner": 0, "group": 0, "dest": "a"}
    files = Manifest.from_json(json.dumps(data)).files
    assert files["lib/b"] == ("link", 0o777, "a", 1)
    forms: list[dict[str, object]] = [
        {},
        {**data, "/elsewhere/with/a/longer/path" * 5: {}},
        {base: {}, "x": {}},
    ]
    for broken in forms:
        with pytest.raises(StoreError, match="not a manifest that can be read"):
            Manifest.from_json(json.dumps(broken))
    del data[f"{base}/lib/a"]["mode"]
    with pytest.raises(StoreError, match="not a manifest that can be read: 'mode'"):
        Manifest.from_json(json.dumps(data))


def test_a_tree_of_spack_that_was_moved(root: Path, top: ConcreteSpec, tmp_path: Path) -> None:
    write_spack_prefix(root, top, {"bin/top": "#!/bin/sh\n"})
    root.rename(tmp_path / "elsewhere")
    record = SpackDatabase(tmp_path / "elsewhere", None).record(top.dag_hash())
    assert record is not None
    assert record.prefix == str(tmp_path / "elsewhere" / "linux-x86_64" / f"top-2-{top.dag_hash()}")


def test_recorded_files_of_spack(tmp_path: Path) -> None:
    """What Spack 1.2 wrote when it installed py-flake8 into /site."""
    recorded = Path(__file__).parents[2] / "cases" / "spack" / "store"
    (tmp_path / ".spack-db").mkdir()
    (tmp_path / ".spack-db" / "index.json").write_bytes((recorded / "index.json").read_bytes())
    database = SpackDatabase(tmp_path, None)
    assert [r.name for r in database.records(explicit=True)] == ["py-flake8"]
    assert [r.name for r in database.records(external=True)] == ["python"]
    nodes = database.specs()
    check_nodes(nodes)
    (flake8,) = (node for node in nodes.values() if node.name == "py-flake8")
    assert flake8.satisfies("py-flake8@7.3.0 build_system=python_pip ^python@3.11.2+ssl")
    mccabe = flake8["py-mccabe"]
    root, below = from_specfile(json.loads((recorded / "spec.json").read_text()))
    check_nodes(below)
    assert below[root] == mccabe
    manifest = Manifest.load(recorded / "install_manifest.json")
    name = "lib/python3.11/site-packages/mccabe.py"
    assert manifest.files[name].kind == "file" and manifest.files[name].size > 10000
    assert not [path for path in manifest.files if path.startswith((".spack", "/"))]
