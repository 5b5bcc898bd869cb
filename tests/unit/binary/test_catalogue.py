"""The index of a cache: parts that are merged, fetched once, and never older than before."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest

from kits.binaries import Machine, packed
from kits.specs import make_spec
from spack.binary import cache_paths
from spack.binary.binary_cache import BinaryCache
from spack.binary.cache_manifest import CATALOGUE, Blob, CacheManifest
from spack.binary.cache_storage import LARGEST_MANIFEST, DirectoryStorage
from spack.binary.catalogue import (
    MOST_PARTS,
    CachedPackage,
    IndexManifest,
    decode_part,
    encode_part,
    parts_to_merge,
)
from spack.binary.signatures import NoSignatures
from spack.errors import BinaryCacheError
from spack.spec import ConcreteSpec


class CountingStorage(DirectoryStorage):
    """A directory that remembers what was read."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.read_names: list[str] = []

    def read(self, name: str, limit: int = LARGEST_MANIFEST) -> bytes:
        self.read_names.append(name)
        return super().read(name, limit)


class SharedStorage(DirectoryStorage):
    """A directory as a bucket is: without locks; *interfere* is run around writing an index."""

    locks = False

    def __init__(self, root: Path, interfere: Callable[[str], None]) -> None:
        super().__init__(root)
        self._interfere = interfere

    def exclusive(self) -> AbstractContextManager[object]:
        return nullcontext()

    def write(self, name: str, content: bytes | Path) -> None:
        super().write(name, content)
        self._interfere("after" if name == cache_paths.INDEX else "before")


@pytest.fixture
def storage(tmp_path: Path) -> CountingStorage:
    return CountingStorage(tmp_path / "cache")


@pytest.fixture
def cache(storage: CountingStorage, tmp_path: Path) -> BinaryCache:
    return reader(storage, tmp_path / "local")


def reader(storage: CountingStorage, local: Path) -> BinaryCache:
    return BinaryCache("site", storage, local, NoSignatures())


def specs(count: int) -> Iterator[ConcreteSpec]:
    for number in range(count):
        yield make_spec(f"p{number}", make_spec("shared"))


def packages(count: int) -> list[CachedPackage]:
    return [CachedPackage(spec, f"manifest of {spec.name}") for spec in specs(count)]


@pytest.mark.parametrize("when", ["before", "after"])
def test_two_pushes_to_a_storage_without_locks(tmp_path: Path, when: str) -> None:
    """Another push reads the index before this one writes it, and writes before or after."""
    first, second, third = packages(3)
    root = tmp_path / "cache"
    other = reader(CountingStorage(root), tmp_path / "other")
    other.add_to_index([first])
    earlier = (root / cache_paths.INDEX).read_bytes()
    left = [when]

    def interfere(moment: str) -> None:
        if left and moment == left[0]:
            left.clear()
            (root / cache_paths.INDEX).write_bytes(earlier)
            other.add_to_index([third])

    cache = BinaryCache("site", SharedStorage(root, interfere), tmp_path / "local", NoSignatures())
    cache.add_to_index([second])
    found = reader(CountingStorage(root), tmp_path / "new").find(specs(3))
    assert len(found) == 3 and not left


def test_an_index_that_never_rests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spack.binary.binary_cache._ATTEMPTS", 2)
    root = tmp_path / "cache"
    other = reader(CountingStorage(root), tmp_path / "other")

    def interfere(moment: str) -> None:
        other.add_to_index(packages(1))

    cache = BinaryCache("site", SharedStorage(root, interfere), tmp_path / "local", NoSignatures())
    with pytest.raises(BinaryCacheError, match="is changed by other pushes all the time"):
        cache.add_to_index(packages(2)[1:])


def test_parts_are_few_and_each_is_fetched_once(
    cache: BinaryCache, storage: CountingStorage, tmp_path: Path
) -> None:
    local = tmp_path / "other"
    every = packages(40)
    for package in every:
        cache.add_to_index([package])
        index = IndexManifest.from_json(storage.read(cache_paths.INDEX), "index")
        assert len(index.parts) <= MOST_PARTS
        other = reader(storage, local)
        found = other.find([package.spec])
        assert found == {package.spec.dag_hash(): package.manifest}
    storage.read_names.clear()
    fresh = reader(storage, tmp_path / "fresh")
    assert len(fresh.find([x.spec for x in every])) == 40
    assert len(storage.read_names) <= 1 + MOST_PARTS
    storage.read_names.clear()
    assert len(reader(storage, tmp_path / "fresh").find([x.spec for x in every])) == 40
    assert storage.read_names == [cache_paths.INDEX]
    assert not cache.find([make_spec("unknown")])


def test_a_part_is_merged_with_what_is_not_much_larger() -> None:
    def parts(*sizes: int) -> list[Blob]:
        return [Blob(size, CATALOGUE, "gzip", "0" * 64) for size in sizes]

    assert parts_to_merge([], 5) == 0
    assert parts_to_merge(parts(100), 5) == 0
    assert parts_to_merge(parts(100, 8), 5) == 1
    assert parts_to_merge(parts(100, 20, 8), 5) == 2
    assert parts_to_merge(parts(100, 99), 50) == 2
    assert parts_to_merge(parts(1000, 300, 100, 30), 5) == 1


def test_an_index_that_became_older(
    cache: BinaryCache, storage: CountingStorage, tmp_path: Path
) -> None:
    one, two = packages(2)
    cache.add_to_index([one])
    old = storage.read(cache_paths.INDEX)
    cache.add_to_index([two])
    cache.find([two.spec])
    storage.write(cache_paths.INDEX, old)
    with pytest.raises(BinaryCacheError, match="older than the one that was seen") as caught:
        reader(storage, tmp_path / "local").find([one.spec])
    assert "spack clean -m" in str(caught.value.hint)


def test_an_index_that_was_replaced_as_a_whole(
    cache: BinaryCache, storage: CountingStorage, tmp_path: Path
) -> None:
    one, two = packages(2)
    cache.add_to_index([one])
    cache.find([one.spec])
    storage.remove(cache_paths.INDEX)
    cache.add_to_index([two])
    again = reader(storage, tmp_path / "local")
    assert list(again.find([one.spec, two.spec])) == [two.spec.dag_hash()]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"{", "cannot be read"),
        (b"\xff", "cannot be read"),
        (b"[]", "cannot be read"),
        (b'{"version": 4, "data": []}', "layout version 4"),
        (b'{"version": 3, "data": [{"mediaType": "x"}]}', "cannot be read"),
        (b'{"version": 3, "serial": "x", "data": []}', "not the manifest of an index"),
    ],
)
def test_a_damaged_index(
    cache: BinaryCache, storage: CountingStorage, text: bytes, reason: str
) -> None:
    storage.write(cache_paths.INDEX, text)
    with pytest.raises(BinaryCacheError, match=reason):
        cache.find([make_spec("p")])


def test_a_damaged_part(cache: BinaryCache, storage: CountingStorage) -> None:
    (package,) = packages(1)
    cache.add_to_index([package])
    index = IndexManifest.from_json(storage.read(cache_paths.INDEX), "index")
    (part,) = index.parts
    content = storage.read(part.path)
    storage.write(part.path, content[:-3] + b"abc")
    with pytest.raises(BinaryCacheError, match="does not have the digest"):
        cache.find([package.spec])
    data = json.loads(gzip.decompress(content))
    for change, reason in (
        ({"format": 2}, "has the format 2, not 1"),
        ({"packages": {"x": "y"}}, "cannot be read"),
        ({"specs": {}}, "cannot be read"),
    ):
        other = gzip.compress(json.dumps({**data, **change}).encode())
        with pytest.raises(BinaryCacheError, match=reason):
            decode_part(other, blob(other), "index")
    with pytest.raises(BinaryCacheError, match="cannot be read"):
        decode_part(content[:50], blob(content[:50]), "index")


def blob(content: bytes) -> Blob:
    import hashlib

    return Blob(len(content), CATALOGUE, "gzip", hashlib.sha256(content).hexdigest())


def test_nodes_whose_hash_is_not_that_of_their_content() -> None:
    (package,) = packages(1)
    data = json.loads(gzip.decompress(encode_part([package])[1]))
    text = json.dumps(data).replace('"x86_64"', '"x86_64_v3"')
    content = gzip.compress(text.encode())
    with pytest.raises(BinaryCacheError, match="not what its hash says"):
        decode_part(content, blob(content), "index")


def test_a_cache_without_an_index_is_asked_for_each_package(
    cache: BinaryCache, storage: CountingStorage, tmp_path: Path
) -> None:
    machine = Machine(tmp_path / "store", make_spec("pack@git.a/x=1.0"))
    machine.install({"bin/tool": "x"})
    made = packed(machine, tmp_path / "archive")
    from spack.binary.pack_package import PackedPrefix
    from spack.binary.package_description import PackageDescription

    described = PackageDescription({"": "/"}, "", {})
    cache.store(machine.spec, PackedPrefix(made.size, made.digest, described), tmp_path / "archive")
    path = cache_paths.spec_manifest_path(machine.spec)
    assert "/" not in path[len("v3/manifests/spec/pack/") :]
    assert cache_paths.hash_of(path) == machine.spec.dag_hash()
    found = cache.find([machine.spec, make_spec("other")])
    assert cache.archive_of(machine.spec, found[machine.spec.dag_hash()]) == made
    assert not (tmp_path / "cache" / cache_paths.INDEX).exists()


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"checksumAlgorithm": "md5"}, "is not sha256"),
        ({"checksum": "../../../../etc/passwd"}, "is not sha256"),
        ({"compression": "xz"}, "compression 'xz' is not known"),
        ({"contentLength": -1}, "-1 is not a size"),
        ({"contentLength": True}, "True is not a size"),
        ({"mediaType": "other"}, "names 0 blobs"),
    ],
)
def test_manifests_of_packages(cache: BinaryCache, row: dict[str, object], reason: str) -> None:
    from spack.binary.cache_manifest import ARCHIVE

    good = Blob(1, ARCHIVE, "gzip", "0" * 64)
    data = json.loads(CacheManifest((good,)).to_json())
    data["data"][0].update(row)
    with pytest.raises(BinaryCacheError, match=reason):
        cache.archive_of(make_spec("p"), json.dumps(data))
