"""Pages of an index on disk: when they are used, asked about, and thrown away."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from spack.errors import FetchError
from spack.fetch.page_cache import PageCache
from spack.fetch.transport import FetchedDocument

URL = "https://index.invalid/simple/black/"


class Server:
    """Answers with what it is told; it counts the requests with their conditions."""

    def __init__(self, headers: Mapping[str, str], body: bytes = b"page") -> None:
        self.headers, self.body = headers, body
        self.time = 1000.0
        self.asked: list[Mapping[str, str]] = []
        self.error: FetchError | None = None

    def __call__(self, url: str, headers: Mapping[str, str]) -> FetchedDocument:
        self.asked.append(headers)
        if self.error is not None:
            raise self.error
        etag = self.headers.get("etag")
        if etag and headers.get("if-none-match") == etag:
            return FetchedDocument(url, 304, {}, b"")
        return FetchedDocument(url, 200, {"content-type": "text/html", **self.headers}, self.body)

    def cache(self, root: Path) -> PageCache:
        return PageCache(root, self, lambda: self.time)


def test_a_fresh_page_is_not_asked_for(tmp_path: Path) -> None:
    server = Server({"cache-control": "public, max-age=600"})
    for _ in range(2):
        assert server.cache(tmp_path)(URL, "text/html") == (URL, "text/html", b"page")
    assert len(server.asked) == 1
    server.time += 601
    server.cache(tmp_path)(URL, "text/html")
    server.cache(tmp_path)(URL, "application/json")
    assert len(server.asked) == 3


def test_the_age_of_an_answer_counts(tmp_path: Path) -> None:
    server = Server({"cache-control": "max-age=600", "age": "590"})
    server.cache(tmp_path)(URL, "text/html")
    server.time += 11
    server.cache(tmp_path)(URL, "text/html")
    assert len(server.asked) == 2


def test_a_page_that_is_not_fresh_is_asked_about(tmp_path: Path) -> None:
    server = Server({"etag": '"1"', "last-modified": "yesterday"})
    for _ in range(2):
        assert server.cache(tmp_path)(URL, "text/html")[2] == b"page"
    assert server.asked[1] == {
        "accept": "text/html",
        "if-none-match": '"1"',
        "if-modified-since": "yesterday",
    }
    server.headers, server.body = {"etag": '"2"'}, b"new"
    assert server.cache(tmp_path)(URL, "text/html")[2] == b"new"


@pytest.mark.parametrize(
    "headers",
    [{}, {"cache-control": "no-store", "etag": "1"}, {"vary": "*", "etag": "1"}],
)
def test_what_may_not_be_kept(headers: Mapping[str, str], tmp_path: Path) -> None:
    server = Server(headers)
    server.cache(tmp_path)(URL, "text/html")
    assert not list(tmp_path.iterdir())


def test_without_the_index(tmp_path: Path) -> None:
    server = Server({"etag": '"1"'})
    server.cache(tmp_path)(URL, "text/html")
    server.error = FetchError("no network", facts={"status": None})
    cache = server.cache(tmp_path)
    for _ in range(2):
        assert cache(URL, "text/html")[2] == b"page"
    assert len(server.asked) == 2
    with pytest.raises(FetchError, match="no network"):
        cache(URL + "other/", "text/html")
    server.error = FetchError("gone", facts={"status": 404})
    with pytest.raises(FetchError, match="gone"):
        server.cache(tmp_path)(URL, "text/html")


def test_damaged_and_unwritable(tmp_path: Path) -> None:
    server = Server({"etag": '"1"'})
    server.cache(tmp_path)(URL, "text/html")
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert path.stat().st_mode & 0o777 == 0o600
            path.write_bytes(b"nonsense")
    assert server.cache(tmp_path)(URL, "text/html")[2] == b"page"
    (tmp_path / "file").write_text("")
    assert server.cache(tmp_path / "file")(URL, "text/html")[2] == b"page"
