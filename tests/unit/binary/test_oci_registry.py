"""Caches in registries: what is written is read, by Spack's tags, with and without a login."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from kits.binaries import Machine, packed, unpacked
from kits.file_server import FileServer, serve
from kits.registry import REGISTRY, run_registry
from kits.specs import make_spec
from spack.binary import cache_paths
from spack.binary.binary_cache import BinaryCache
from spack.binary.cache_manifest import Blob
from spack.binary.cache_storage import MissingInCacheError
from spack.binary.oci_registry import OciRegistry, tag_of
from spack.binary.pack_package import PackedPrefix
from spack.binary.package_description import PackageDescription
from spack.binary.published_keys import publish_ssh_key, read_keys
from spack.binary.signatures import NoSignatures
from spack.binary.signing_keys import PublicKey
from spack.errors import BinaryCacheError
from spack.fetch.network_settings import NetworkSettings
from spack.fetch.transport import Transport

needs_registry = pytest.mark.skipif(REGISTRY is None, reason="docker-registry is not installed")
TRANSPORT = Transport(NetworkSettings(timeout=5, retries=0), pause=lambda seconds: None)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with run_registry(tmp_path_factory.mktemp("registry") / "r") as host:
        yield host


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    machine = Machine(tmp_path / "store", make_spec("pack@git.main=1.0"))
    machine.install({"bin/tool": "x" * 1000})
    return machine


def registry(host: str, name: str = "team/cache") -> OciRegistry:
    return OciRegistry(f"oci+http://{host}/{name}", TRANSPORT, None)


def cache(storage: OciRegistry, local: Path) -> BinaryCache:
    return BinaryCache("site", storage, local, NoSignatures())


def push(machine: Machine, storage: OciRegistry, tmp_path: Path) -> Blob:
    blob = packed(machine, tmp_path / "archive")
    row = PackedPrefix(blob.size, blob.digest, PackageDescription({"": "/"}, "", {}))
    writer = cache(storage, tmp_path / "w")
    writer.add_to_index([writer.store(machine.spec, row, tmp_path / "archive")])
    return blob


def manifest(storage: OciRegistry, tag: str) -> Any:
    return storage._manifest("x", tag)


@needs_registry
def test_a_package_is_pushed_and_installed(host: str, machine: Machine, tmp_path: Path) -> None:
    storage = registry(host)
    blob = push(machine, storage, tmp_path)
    reader = cache(registry(host), tmp_path / "l")
    text = reader.find([machine.spec])[machine.spec.dag_hash()]
    assert reader.archive_of(machine.spec, text) == blob
    path = reader.obtain(machine.spec, blob, tmp_path / "f" / "x", lambda done: None)
    unpacked(Machine(tmp_path / "there", machine.spec), path, blob)

    name = cache_paths.spec_manifest_path(machine.spec)
    assert tag_of(name) == f"pack-git.main_1.0-{machine.spec.dag_hash()}.spack"
    assert storage.read(name).decode() == text
    (listed,) = storage.names(cache_paths.SPECS)
    assert cache_paths.hash_of(listed) == machine.spec.dag_hash()
    assert storage.read(listed).decode() == text
    assert list(storage.names("blobs")) == []

    # As Spack reads it: the configuration is a spec file, the last layer the archive.
    found = manifest(storage, tag_of(name))
    assert found["layers"][-1]["digest"] == f"sha256:{blob.digest}"
    config = json.loads(storage.read(f"blobs/sha256/aa/{found['config']['digest'][7:]}"))
    assert config["spec"]["nodes"][0]["hash"] == machine.spec.dag_hash()
    assert config["buildcache_layout_version"] == 3 and config["architecture"] == "amd64"

    storage.remove(name)
    storage.remove(name)
    assert not storage.exists(name)


@needs_registry
def test_what_spack_has_pushed_has_no_document(host: str, machine: Machine, tmp_path: Path) -> None:
    storage = registry(host, "team/spack")
    blob = push(machine, storage, tmp_path)
    writer = cache(storage, tmp_path / "w")
    assert writer.write_spack_index() == 1
    name = cache_paths.spec_manifest_path(machine.spec)
    found = manifest(storage, tag_of(name))
    del found["annotations"]
    url = storage.client.manifest_url(tag_of(name))
    kind = {"content-type": found["mediaType"]}
    TRANSPORT.send("PUT", url, kind, json.dumps(found).encode())
    index = storage.client.manifest_url("index.spack-venv")
    digest = TRANSPORT.send("HEAD", index, {"accept": found["mediaType"]}).headers
    TRANSPORT.send("DELETE", storage.client.manifest_url(digest["docker-content-digest"]), {})
    reader = cache(registry(host, "team/spack"), tmp_path / "l")
    text = reader.find([machine.spec])[machine.spec.dag_hash()]
    assert reader.archive_of(machine.spec, text) == blob


@needs_registry
def test_keys_and_other_documents(host: str) -> None:
    storage = registry(host, "team/keys")
    assert read_keys(storage) == ([], {})
    key = PublicKey.parse("ssh-ed25519 " + "A" * 68 + " me", "x")
    publish_ssh_key(storage, key)
    assert read_keys(storage)[0] == [key]
    with pytest.raises(MissingInCacheError, match="has no x/y"):
        storage.read("x/y")
    with pytest.raises(MissingInCacheError):
        storage.read(f"blobs/sha256/aa/{'a' * 64}")


@needs_registry
def test_a_blob_that_is_not_what_its_digest_says(host: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"other")
    digest = hashlib.sha256(b"data").hexdigest()
    with pytest.raises(BinaryCacheError, match="the server answers 400"):
        registry(host).write(f"blobs/sha256/{digest[:2]}/{digest}", tmp_path / "x")


# -- without a registry ------------------------------------------------------------------------


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FileServer]:
    with serve(tmp_path) as server:
        yield server


def answer(handler: BaseHTTPRequestHandler, data: object, code: int = 200, **headers: str) -> bool:
    body = json.dumps(data).encode()
    handler.send_response(code)
    handler.send_header("content-length", str(len(body)))
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)
    return True


def with_tokens(server: FileServer, login: str) -> Callable[[BaseHTTPRequestHandler], bool]:
    """Answer as a registry whose tokens come from another server."""

    def trick(handler: BaseHTTPRequestHandler) -> bool:
        sent = handler.headers.get("authorization", "")
        if handler.path.startswith("/token"):
            assert "scope=repository%3Ateam%2Fcache%3Apull" in handler.path
            if sent != login:
                return answer(handler, {}, 401)
            return answer(handler, {"token": "T"})
        if sent != "Bearer T":
            challenge = f'Bearer realm="{server.url}/token",service="s"'
            return answer(handler, {}, 401, www_authenticate=challenge)
        return answer(handler, {"annotations": {"org.spack-venv.document": "text"}})

    return trick


def test_a_token_is_asked_for_once(server: FileServer) -> None:
    basic = "Basic " + base64.b64encode(b"me:secret").decode()
    server.trick = with_tokens(server, basic)
    url = server.url.replace("http://", "oci+http://") + "/team/cache"
    storage = OciRegistry(url, TRANSPORT, ("me", "secret"))
    assert storage.read("x") == b"text"
    assert storage.read("y") == b"text"
    assert len(server.requests) == 4  # refused, token, and two answers
    wrong = OciRegistry(url, TRANSPORT, ("me", "other"))
    with pytest.raises(BinaryCacheError, match="the server answers 401") as caught:
        wrong.read("x")
    assert "access_pair" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("challenge", "reason"),
    [("Basic realm=x", "wants a login, and none"), ("", "wants a login"), ("Odd", "wants a login")],
)
def test_logins_that_are_not_configured(server: FileServer, challenge: str, reason: str) -> None:
    server.trick = lambda handler: answer(handler, {}, 401, www_authenticate=challenge)
    storage = OciRegistry(server.url.replace("http", "oci+http") + "/x", TRANSPORT, None)
    with pytest.raises(BinaryCacheError, match=reason):
        storage.read("x")


def test_a_basic_login(server: FileServer) -> None:
    def trick(handler: BaseHTTPRequestHandler) -> bool:
        if not handler.headers.get("authorization", "").startswith("Basic "):
            return answer(handler, {}, 401, www_authenticate="Basic realm=x")
        return answer(handler, {"annotations": {"org.spack-venv.document": "text"}})

    server.trick = trick
    storage = OciRegistry(server.url.replace("http", "oci+http") + "/x", TRANSPORT, ("a", "b"))
    assert storage.read("x") == b"text"


@pytest.mark.parametrize(
    "data",
    [
        [],
        {"layers": []},
        {"layers": [{"digest": "md5:1", "size": 1}]},
        {"layers": [{"digest": f"sha256:{'g' * 64}", "size": 1}]},
        {"annotations": []},
    ],
)
def test_manifests_that_cannot_be_read(server: FileServer, data: object) -> None:
    server.trick = lambda handler: answer(handler, data)
    storage = OciRegistry(server.url.replace("http", "oci+http") + "/x", TRANSPORT, None)
    with pytest.raises(BinaryCacheError, match="it cannot be read"):
        storage.read(cache_paths.spec_manifest_path(make_spec("p")))


@pytest.mark.parametrize("data", [[], {"tags": 7}])
def test_lists_of_tags_that_cannot_be_read(server: FileServer, data: object) -> None:
    server.trick = lambda handler: answer(handler, data)
    storage = OciRegistry(server.url.replace("http", "oci+http") + "/x", TRANSPORT, None)
    with pytest.raises(BinaryCacheError, match="the list of tags"):
        list(storage.names(cache_paths.SPECS))


def test_tags_have_a_limit() -> None:
    name = f"{cache_paths.SPECS}/p/" + "p" * 150 + "-1-" + "a" * 32 + ".spec.manifest.json"
    assert len(tag_of(name)) == 128 and tag_of(name).endswith("a" * 32 + ".spack")
