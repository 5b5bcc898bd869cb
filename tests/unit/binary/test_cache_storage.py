"""Caches on HTTP servers, which answer slowly, wrongly, in part or without an end."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from kits.binaries import Machine, packed, unpacked
from kits.file_server import FileServer, Trick, serve
from kits.specs import make_spec
from spack.binary import cache_paths
from spack.binary.binary_cache import BinaryCache
from spack.binary.cache_storage import DirectoryStorage, HttpStorage, MissingInCacheError
from spack.binary.catalogue import MOST_PARTS, CachedPackage
from spack.binary.pack_package import PackedPrefix
from spack.binary.package_description import PackageDescription
from spack.binary.signatures import NoSignatures
from spack.errors import BinaryCacheError
from spack.fetch.network_settings import NetworkSettings
from spack.fetch.transport import Transport


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    machine = Machine(tmp_path / "store", make_spec("pack@1"))
    machine.install({"bin/tool": os.urandom(300_000)})
    return machine


@pytest.fixture
def server(machine: Machine, tmp_path: Path) -> Iterator[FileServer]:
    """Serve a cache with one package and an index."""
    blob = packed(machine, tmp_path / "archive")
    described = PackageDescription({"": "/"}, "", {})
    cache = BinaryCache("x", DirectoryStorage(tmp_path / "cache"), tmp_path / "w", NoSignatures())
    row = PackedPrefix(blob.size, blob.digest, described)
    package = cache.store(machine.spec, row, tmp_path / "archive")
    cache.add_to_index([package])
    with serve(tmp_path / "cache") as server:
        yield server


def reader(server: FileServer, local: Path, retries: int = 2) -> BinaryCache:
    settings = NetworkSettings(timeout=5, retries=retries)
    storage = HttpStorage(server.url, Transport(settings, pause=lambda seconds: None))
    return BinaryCache("site", storage, local, NoSignatures())


def install(cache: BinaryCache, machine: Machine, tmp_path: Path) -> None:
    """Find, fetch and unpack the package."""
    text = cache.find([machine.spec])[machine.spec.dag_hash()]
    blob = cache.archive_of(machine.spec, text)
    path = cache.obtain(machine.spec, blob, tmp_path / "fetched" / "x", lambda done: None)
    unpacked(Machine(tmp_path / "there", machine.spec), path, blob)


def test_an_index_is_fetched_only_when_it_has_changed(
    server: FileServer, machine: Machine, tmp_path: Path
) -> None:
    install(reader(server, tmp_path / "l"), machine, tmp_path)
    assert len(server.metadata()) == 2 and len(server.requests) == 3
    for _ in range(2):
        server.requests.clear()
        assert reader(server, tmp_path / "l").find([machine.spec])
        assert server.requests == [cache_paths.INDEX]
    writer = BinaryCache("x", DirectoryStorage(server.root), tmp_path / "w", NoSignatures())
    for number in range(30):
        writer.add_to_index([CachedPackage(make_spec(f"p{number}"), "m")])
    server.requests.clear()
    fresh = reader(server, tmp_path / "fresh")
    assert len(fresh.find([make_spec(f"p{number}") for number in range(30)])) == 30
    assert len(server.requests) <= 1 + MOST_PARTS


def test_a_mirror_of_sources_is_not_asked_for_each_package(
    server: FileServer, machine: Machine, tmp_path: Path
) -> None:
    (server.root / cache_paths.INDEX).unlink()
    assert reader(server, tmp_path / "l").find([machine.spec])
    (server.root / cache_paths.LAYOUT).unlink()
    server.requests.clear()
    assert not reader(server, tmp_path / "l").find([machine.spec, make_spec("other")])
    earlier = "build_cache/index.json.hash"
    assert server.requests == [cache_paths.INDEX, earlier, cache_paths.LAYOUT]


def status(code: int, times: int) -> Trick:
    left = [times]

    def trick(handler: BaseHTTPRequestHandler) -> bool:
        if left[0] == 0:
            return False
        left[0] -= 1
        handler.send_error(code)
        return True

    return trick


def broken_off(handler: BaseHTTPRequestHandler) -> bool:
    """Answer an archive with its first half only, unless the rest is asked for."""
    if handler.headers.get("range") or "/manifests/" in handler.path:
        return False
    handler.send_response(200)
    handler.send_header("etag", '"x"')
    handler.send_header("content-length", "1000000")
    handler.end_headers()
    handler.wfile.write(b"x" * 1000)
    return True


def endless(part: str) -> Trick:
    def trick(handler: BaseHTTPRequestHandler) -> bool:
        if part not in handler.path:
            return False
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(b"{" * (1 << 20))

    return trick


@pytest.mark.parametrize(("code", "times"), [(429, 1), (503, 2)])
def test_a_server_that_is_busy(
    server: FileServer, machine: Machine, tmp_path: Path, code: int, times: int
) -> None:
    server.trick = status(code, times)
    install(reader(server, tmp_path / "l"), machine, tmp_path)


@pytest.mark.parametrize(
    ("trick", "reason"),
    [
        (status(401, 99), "the server answers 401"),
        (status(429, 99), "the server answers 429"),
        (endless("index.manifest"), "longer than 4194304 bytes"),
        (endless("/blobs/"), "longer than"),
        (broken_off, "broke off|does not have the digest|longer than"),
    ],
)
def test_servers_that_misbehave(
    server: FileServer, machine: Machine, tmp_path: Path, trick: Trick, reason: str
) -> None:
    server.trick = trick
    with pytest.raises(BinaryCacheError, match=reason) as caught:
        install(reader(server, tmp_path / "l"), machine, tmp_path)
    assert caught.value.hint
    fetched = tmp_path / "fetched"
    assert not fetched.exists() or os.listdir(fetched) == []


def test_an_archive_that_breaks_off_is_resumed(
    server: FileServer, machine: Machine, tmp_path: Path
) -> None:
    import hashlib

    def trick(handler: BaseHTTPRequestHandler) -> bool:
        data = (server.root / handler.path.lstrip("/")).read_bytes()
        if len(data) < 100_000 or handler.headers.get("range"):
            return False
        handler.send_response(200)
        handler.send_header("etag", f'"{hashlib.sha256(data).hexdigest()}"')
        handler.send_header("content-length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data[:50_000])
        return True

    server.trick = trick
    install(reader(server, tmp_path / "l"), machine, tmp_path)


def test_an_archive_that_is_missing(server: FileServer, machine: Machine, tmp_path: Path) -> None:
    cache = reader(server, tmp_path / "l")
    cache.find([machine.spec])
    server.trick = status(404, 1)
    with pytest.raises(BinaryCacheError, match="its archive is missing"):
        install(cache, machine, tmp_path)
    with pytest.raises(MissingInCacheError, match="has no x/y"):
        cache.storage.read("x/y")
    assert not cache.storage.exists("x/y") and cache.storage.exists(cache_paths.LAYOUT)
    acts: list[Callable[[], object]] = [
        lambda: cache.storage.write("x", b""),
        lambda: cache.storage.remove("x"),
        lambda: list(cache.storage.names("")),
    ]
    for act in acts:
        with pytest.raises(BinaryCacheError, match="it is an HTTP server"):
            act()


def test_a_file_is_moved_from_another_file_system(tmp_path: Path) -> None:
    shared = Path("/dev/shm")
    if not shared.is_dir() or shared.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system")
    source = shared / f"spack-test-{os.getpid()}"
    source.write_bytes(b"data")
    DirectoryStorage(tmp_path).write("a/b", source)
    assert (tmp_path / "a" / "b").read_bytes() == b"data"
    assert not source.exists() and os.listdir(tmp_path / "a") == ["b"]


def test_directories(tmp_path: Path) -> None:
    storage = DirectoryStorage.of_url(f"file://{tmp_path}/a%20b")
    assert storage.url == f"{tmp_path}/a b"
    storage.write("x/y", b"1")
    storage.write("x/a", b"2")
    assert list(storage.names("x")) == ["x/a", "x/y"]
    storage.remove("x/y")
    storage.remove("x/y")
    assert not storage.exists("x/y")
    os.mkfifo(tmp_path / "a b" / "pipe")
    with pytest.raises(BinaryCacheError, match="it is not a regular file"):
        storage.read("pipe")
    with pytest.raises(BinaryCacheError, match=r"x/a is refused: it is longer than 0 bytes"):
        storage.read("x/a", 0)
    acts: list[Callable[[], object]] = [
        lambda: storage.write("x/a/b", b""),
        lambda: storage.remove("x"),
    ]
    for act in acts:
        with pytest.raises(BinaryCacheError, match=r"x(/a/b)? cannot be (written|removed)"):
            act()
