"""Caches in buckets: signatures of requests, logins, and servers that misbehave."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from kits.object_store import LOGIN, ObjectStore, serve_objects
from spack.binary.cache_storage import MissingInCacheError
from spack.binary.s3_requests import EMPTY_DIGEST, S3Login, S3Target, find_login, signed_headers
from spack.binary.s3_storage import S3Storage
from spack.errors import BinaryCacheError
from spack.fetch.network_settings import NetworkSettings
from spack.fetch.transport import Transport

#: Of the examples in AWS's description of signatures.
EXAMPLE = S3Login("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
BUCKET = S3Target("https://examplebucket.s3.amazonaws.com", "", "us-east-1")


@pytest.fixture
def store() -> Iterator[ObjectStore]:
    with serve_objects() as server:
        yield server


def storage(store: ObjectStore, login: S3Login | None = LOGIN, prefix: str = "team") -> S3Storage:
    target = S3Target.of_url(f"s3://bucket/{prefix}", store.url, "us-east-1")
    transport = Transport(NetworkSettings(timeout=5, retries=2), pause=lambda seconds: None)
    return S3Storage(f"s3://bucket/{prefix}", target, transport, login)


@pytest.mark.parametrize(
    ("name", "query", "further", "signature"),
    [
        (
            "test.txt",
            {},
            {"range": "bytes=0-9"},
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        (
            "",
            {"max-keys": "2", "prefix": "J"},
            {},
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ],
)
def test_the_examples_of_the_description(
    name: str, query: dict[str, str], further: dict[str, str], signature: str
) -> None:
    moment = datetime(2013, 5, 24, tzinfo=timezone.utc)
    url = BUCKET.url(name, query)
    headers = signed_headers(
        "GET", url, EMPTY_DIGEST, BUCKET, login=EXAMPLE, moment=moment, further=further
    )
    assert headers["authorization"].endswith(f"Signature={signature}")


def test_documents_and_files(store: ObjectStore, tmp_path: Path) -> None:
    cache = storage(store)
    names = [f"v3/a+b/{number}.json" for number in range(7)]
    for name in names:
        cache.write(name, b"text")
    (tmp_path / "file").write_bytes(b"x" * 100_000)
    cache.write("blobs/x", tmp_path / "file")
    assert set(store.objects) == {f"bucket/team/{name}" for name in (*names, "blobs/x")}
    assert cache.read(names[0]) == b"text"
    assert list(cache.names("v3")) == names
    assert cache.exists("blobs/x") and not cache.exists("blobs/y")
    found = cache.obtain("blobs/x", tmp_path / "t" / "x", 100_000, lambda done: None)
    assert found.read_bytes() == b"x" * 100_000
    cache.remove("blobs/x")
    cache.remove("blobs/x")
    with pytest.raises(MissingInCacheError, match="the bucket s3://bucket/team has no blobs/x"):
        cache.read("blobs/x")
    with pytest.raises(MissingInCacheError):
        cache.obtain("blobs/x", tmp_path / "t" / "y", 10, lambda done: None)


def test_a_bucket_without_a_prefix(store: ObjectStore) -> None:
    cache = storage(store, prefix="")
    cache.write("v3/layout.json", b"{}")
    assert set(store.objects) == {"bucket/v3/layout.json"}
    assert list(cache.names("v3")) == ["v3/layout.json"]


@pytest.mark.parametrize("login", [None, LOGIN._replace(secret="wrong")])
def test_a_wrong_login(store: ObjectStore, login: S3Login | None) -> None:
    with pytest.raises(BinaryCacheError, match="cannot be read") as caught:
        storage(store, login).read("v3/layout.json")
    assert "AWS_ACCESS_KEY_ID" in (caught.value.hint or "")
    with pytest.raises(BinaryCacheError, match="cannot be written"):
        storage(store, login).write("x", b"")
    with pytest.raises(BinaryCacheError, match="cannot be listed"):
        list(storage(store, login).names("v3"))


def test_a_body_without_an_end_and_one_that_stops(store: ObjectStore, tmp_path: Path) -> None:
    cache = storage(store)
    cache.write("x", b"y" * 200_000)
    with pytest.raises(BinaryCacheError, match="longer than 1000 bytes"):
        cache.obtain("x", tmp_path / "x", 1000, lambda done: None)
    assert not (tmp_path / "x").exists()
    with pytest.raises(BinaryCacheError, match="longer than 10 bytes"):
        cache.read("x", 10)
    begun: list[str] = []

    def stop(handler: BaseHTTPRequestHandler) -> bool:
        if begun or handler.command != "GET":
            return False
        begun.append(handler.path)
        handler.send_response(200)
        handler.send_header("etag", '"1"')
        handler.send_header("content-length", "200000")
        handler.end_headers()
        handler.wfile.write(b"y" * 1000)
        handler.close_connection = True
        return True

    store.trick = stop
    assert cache.obtain("x", tmp_path / "x", 200_000, lambda done: None).stat().st_size == 200_000


def test_a_list_that_cannot_be_read_and_a_region(store: ObjectStore) -> None:
    def answer(status: int, body: bytes) -> None:
        def trick(handler: BaseHTTPRequestHandler) -> bool:
            handler.send_response(status)
            handler.send_header("content-length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body)
            return True

        store.trick = trick

    answer(200, b"<open>")
    with pytest.raises(BinaryCacheError, match="the list of s3://bucket/team is refused"):
        list(storage(store).names("v3"))
    answer(400, b"")
    with pytest.raises(BinaryCacheError) as caught:
        storage(store).read("x")
    assert "AWS_REGION" in (caught.value.hint or "")


def test_files_that_are_too_large(
    store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spack.binary.s3_storage._LARGEST_WRITE", 3)
    (tmp_path / "x").write_bytes(b"1234")
    with pytest.raises(BinaryCacheError, match="larger than 5 GiB"):
        storage(store).write("x", tmp_path / "x")


def test_logins_are_found_as_aws_tools_find_them(tmp_path: Path) -> None:
    assert find_login({}, tmp_path) == (None, "us-east-1")
    keys = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t"}
    assert find_login(keys, tmp_path) == (S3Login("k", "s", "t"), "us-east-1")
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "credentials").write_text(
        "[default]\naws_access_key_id = d\naws_secret_access_key = e\n"
        "[team]\naws_access_key_id = a\naws_secret_access_key = b\naws_session_token = c\n"
    )
    (tmp_path / ".aws" / "config").write_text("[profile team]\nregion = eu-north-1\n")
    assert find_login({}, tmp_path) == (S3Login("d", "e"), "us-east-1")
    team = (S3Login("a", "b", "c"), "eu-north-1")
    assert find_login(keys, tmp_path, "team") == team
    assert find_login({"AWS_PROFILE": "team"}, tmp_path) == team
    assert find_login({"AWS_REGION": "x"}, tmp_path, "team")[1] == "x"
    (tmp_path / ".aws" / "credentials").write_text("broken")
    assert find_login({}, tmp_path) == (None, "us-east-1")


def test_urls_of_buckets() -> None:
    target = S3Target.of_url("s3://bucket/a/b/", "", "eu-north-1")
    assert target.url("v3/x y") == "https://bucket.s3.eu-north-1.amazonaws.com/a/b/v3/x%20y"
    headers = signed_headers(
        "GET", target.url("x"), EMPTY_DIGEST, target, login=S3Login("k", "s", "token")
    )
    assert headers["x-amz-security-token"] == "token"
    assert "x-amz-security-token" in headers["authorization"]
