"""Caches of layout version 2: read as those of version 3, never written, and migrated."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from kits.binaries import Machine, packed, unpacked
from kits.file_server import serve
from kits.specs import make_spec
from spack.actions.binary_installs import CachedInstalls, CachePolicy
from spack.actions.buildcache import push
from spack.actions.cache_migration import migrate
from spack.binary.binary_cache import BinaryCache
from spack.binary.cache_storage import CacheStorage, DirectoryStorage, HttpStorage
from spack.binary.earlier_layout import archive_path, spec_file_path
from spack.binary.published_keys import read_keys
from spack.binary.signatures import NoSignatures
from spack.binary.spack_index import encode_spack_index
from spack.errors import BinaryCacheError
from spack.fetch.network_settings import NetworkSettings
from spack.fetch.transport import Transport
from spack.spec import ConcreteSpec, to_specfile
from spack.spec.stored import load
from spack.store import Layout, Store
from spack.util.report import SilentReporter

COMPILER = {"name": "gcc", "version": "12.2.0"}


def of_version_4(spec: ConcreteSpec) -> ConcreteSpec:
    """Return a node as Spack 0.23 wrote it."""
    (row,) = to_specfile(spec)["spec"]["nodes"]
    node: dict[str, Any] = {**row, "compiler": COMPILER}
    node.pop("annotations")
    return load({"nodes": {node["hash"]: node}})[node["hash"]]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    machine = Machine(tmp_path / "store", of_version_4(make_spec("pack@1")))
    machine.install({"bin/tool": "a tool"})
    return machine


@pytest.fixture
def root(machine: Machine, tmp_path: Path) -> Path:
    """Return a cache as Spack 0.23 made it, unsigned."""
    root, spec = tmp_path / "cache", machine.spec
    blob = packed(machine, tmp_path / "archive")
    archive, described = root / archive_path(spec), root / spec_file_path(spec)
    archive.parent.mkdir(parents=True)
    shutil.move(tmp_path / "archive", archive)
    checksum = {"hash_algorithm": "sha256", "hash": blob.digest}
    data = {**to_specfile(spec), "buildcache_layout_version": 2, "binary_cache_checksum": checksum}
    described.write_text(json.dumps(data))
    _, content = encode_spack_index([spec])
    (root / "build_cache" / "index.json").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    (root / "build_cache" / "index.json.hash").write_text(digest)
    return root


def cache_in(storage: CacheStorage, tmp_path: Path) -> BinaryCache:
    return BinaryCache("site", storage, tmp_path / "local", NoSignatures())


def installed(cache: BinaryCache, spec: ConcreteSpec, tmp_path: Path) -> Path:
    installs = CachedInstalls([cache], CachePolicy(), SilentReporter())
    assert installs.available([spec], frozenset()) == {spec.dag_hash()}
    fetched = installs.fetch(spec, tmp_path / "fetched" / "x", lambda done: None)
    there = Machine(tmp_path / "there", spec)
    unpacked(there, fetched.path, fetched.blob)
    return there.prefix


def test_names_are_those_of_spack(machine: Machine) -> None:
    spec = machine.spec
    arch = f"{spec.platform}-{spec.os}-{spec.target}"
    name = f"{arch}-gcc-12.2.0-pack-1-{spec.dag_hash()}"
    assert spec_file_path(spec) == f"build_cache/{name}.spec.json"
    assert archive_path(spec) == f"build_cache/{arch}/gcc-12.2.0/pack-1/{name}.spack"
    plain = make_spec("pack@1")
    assert f"{arch}-none-none-pack-1-" in spec_file_path(plain)


def test_a_package_is_installed_from_a_directory_and_a_server(
    root: Path, machine: Machine, tmp_path: Path
) -> None:
    cache = cache_in(DirectoryStorage(root), tmp_path)
    assert (installed(cache, machine.spec, tmp_path) / "bin" / "tool").read_text() == "a tool"
    assert [package.spec.name for package in cache.packages()] == ["pack"]
    with serve(root) as server:
        transport = Transport(NetworkSettings(timeout=5, retries=1), pause=lambda seconds: None)
        remote = cache_in(HttpStorage(server.url, transport), tmp_path / "again")
        assert installed(remote, machine.spec, tmp_path / "again").is_dir()


def test_what_is_damaged(root: Path, machine: Machine, tmp_path: Path) -> None:
    spec = machine.spec
    described = root / spec_file_path(spec)
    text = described.read_text()
    for change, reason in (
        (text.replace('"sha256"', '"md5"'), "is not sha256"),
        (text[:-1], "cannot be read"),
    ):
        described.write_text(change)
        cache = cache_in(DirectoryStorage(root), tmp_path)
        with pytest.raises(BinaryCacheError, match=reason):
            cache.archive_of(spec, cache.find([spec])[spec.dag_hash()])
    described.write_bytes(b"\xff")
    with pytest.raises(BinaryCacheError, match="the spec file of pack"):
        cache_in(DirectoryStorage(root), tmp_path).find([spec])
    described.unlink()
    assert cache_in(DirectoryStorage(root), tmp_path).find([spec]) == {}


def test_an_index_that_is_being_written(root: Path, machine: Machine, tmp_path: Path) -> None:
    index = root / "build_cache" / "index.json"
    index.write_text(index.read_text() + " ")
    with pytest.raises(BinaryCacheError, match="does not have the digest of its manifest"):
        cache_in(DirectoryStorage(root), tmp_path).find([machine.spec])
    (root / "build_cache" / "index.json.hash").write_text("x")
    with pytest.raises(BinaryCacheError, match=r"index.json.hash is not a sha256"):
        cache_in(DirectoryStorage(root), tmp_path).find([machine.spec])


def test_it_is_not_pushed_to(root: Path, machine: Machine, tmp_path: Path) -> None:
    cache = cache_in(DirectoryStorage(root), tmp_path)
    store = Store(Layout(tmp_path / "tree"))
    with pytest.raises(BinaryCacheError, match="is of layout version 2, which is only read"):
        push([machine.spec], store, cache, SilentReporter())


def test_it_is_migrated(root: Path, machine: Machine, tmp_path: Path) -> None:
    storage = DirectoryStorage(root)

    def both() -> tuple[BinaryCache, BinaryCache]:
        return cache_in(storage, tmp_path / "source"), cache_in(storage, tmp_path / "target")

    archive = root / archive_path(machine.spec)
    content = archive.read_bytes()
    archive.write_bytes(b"other")
    failed = migrate(*both(), delete=True)
    assert (failed.written, len(failed.problems)) == (0, 1)
    assert "does not have the digest" in failed.problems[0].error.message
    assert archive.exists()
    archive.write_bytes(content)
    done = migrate(*both(), delete=True)
    assert (done.written, done.present, done.problems) == (1, 0, [])
    assert not list((root / "build_cache").rglob("*.spack"))
    cache = cache_in(storage, tmp_path / "new")
    assert installed(cache, machine.spec, tmp_path / "new").is_dir() and not cache.is_earlier
    with pytest.raises(BinaryCacheError, match="there is no cache of layout version 2"):
        migrate(*both(), delete=False)


def test_keys_are_offered(root: Path) -> None:
    storage = DirectoryStorage(root)
    assert read_keys(storage) == ([], {})
    folder = root / "build_cache" / "_pgp"
    folder.mkdir()
    fingerprint = "A" * 40
    (folder / "index.json").write_text(json.dumps({"keys": {fingerprint: {}}}))
    (folder / f"{fingerprint}.pub").write_bytes(b"a key")
    assert read_keys(storage) == ([], {fingerprint: b"a key"})
