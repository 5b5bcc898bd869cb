"""Package indexes: both forms of the Simple API, directories, and which file is meant."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from spack.errors import FetchError
from spack.fetch.index_names import project_of, without_secrets
from spack.fetch.package_index import (
    PackageIndex,
    known_endpoint,
    locations,
    parse_html,
    parse_json,
    read_default_index_wheel,
)
from spack.fetch.pipconfig import PipSettings
from spack.util.project_names import normalized

A, B = "a" * 64, "b" * 64


class Web:
    """Documents by url; remembers what was asked."""

    def __init__(self, **pages: Any) -> None:
        self.pages: dict[str, tuple[str, bytes]] = pages
        self.asked: list[str] = []

    def __call__(self, url: str, accept: str) -> tuple[str, str, bytes]:
        self.asked.append(url)
        if url.startswith("https://dead"):
            raise FetchError(f"{url} cannot be read", facts={"status": None})
        if url not in self.pages:
            raise FetchError(f"{url} cannot be read", facts={"status": 404})
        kind, body = self.pages[url]
        return url, kind, body


def html(*links: str) -> tuple[str, bytes]:
    return "text/html; charset=utf-8", "".join(f"<a href='{link}'>x</a>" for link in links).encode()


@pytest.mark.parametrize(
    ("filename", "project"),
    [
        ("Foo.Bar-1.0.tar.gz", "foo-bar"),
        ("foo_bar-1.0-py3-none-any.whl", "foo-bar"),
        ("python-dateutil-2.8.2.tar.gz", "python-dateutil"),
        ("py2app-0.28.zip", "py2app"),
        ("foo-2-1.0.tar.bz2", "foo-2"),
        ("no-version.tar.gz", None),
        ("page.html", None),
    ],
)
def test_project_of_a_file(filename: str, project: str | None) -> None:
    assert project_of(filename) == project


def test_names() -> None:
    assert normalized("Foo__Bar.-baz") == "foo-bar-baz"
    assert without_secrets("https://me:word@host/p") == "https://****@host/p"


def test_html() -> None:
    body = b"""<!DOCTYPE html><html><head><base href="https://files/b/"></head><body>
    <a href="foo-1.0.tar.gz#sha256=AAAA" data-requires-python="&gt;=3.8">foo</a>
    <a href="/c/foo%2B-2.0.whl#md5=ffff&x=y" data-yanked="broken">x</a>
    <a href="../other/">up</a> <a name="anchor">y</a> <a href="..%2F..%2Fetc%2Ffoo-1.tar.gz">z</a>
    """
    links = parse_html(body, "https://index/simple/foo/", "https://index/simple/")
    assert [(link.filename, link.url) for link in links] == [
        ("foo-1.0.tar.gz", "https://files/b/foo-1.0.tar.gz"),
        ("foo+-2.0.whl", "https://files/c/foo%2B-2.0.whl"),
    ]
    assert links[0].sha256 == "aaaa"
    assert links[0].requires_python == ">=3.8"
    assert not links[0].yanked and links[1].yanked
    assert links[1].sha256 is None and links[1].hashes == {"md5": "ffff"}


def test_json() -> None:
    row = {"filename": "foo-1.0.tar.gz", "url": "../../f/foo-1.0.tar.gz", "hashes": {"sha256": A}}
    bad = {**row, "filename": "../foo-1.0.tar.gz"}
    page = {"meta": {"api-version": "1.3"}, "files": [{**row, "size": 7, "yanked": "why"}, bad]}
    (link,) = parse_json(json.dumps(page).encode(), "https://i/simple/foo/")
    assert link.url == "https://i/f/foo-1.0.tar.gz"
    assert (link.sha256, link.size, link.yanked) == (A, 7, True)


@pytest.mark.parametrize("body", [b"{", b"[]", b"{}", b'{"files": [{}]}', b'{"files": 3}'])
def test_json_that_is_no_index(body: bytes) -> None:
    with pytest.raises(FetchError, match="is not a page of a package index"):
        parse_json(body, "https://me:pw@i/simple/foo/")


def test_newer_api() -> None:
    with pytest.raises(FetchError, match=r"index API 2\.0 is not understood"):
        parse_json(b'{"meta": {"api-version": "2.0"}, "files": []}', "https://i/")


def test_best_link_first() -> None:
    web = Web()
    web.pages["https://one/simple/foo-bar/"] = html(
        f"foo_bar-1.0.tar.gz#sha256={B}", "foo_bar-1.1.tar.gz"
    )
    web.pages["https://two/simple/foo-bar/"] = html(
        "foo_bar-1.0.tar.gz", f"Foo.Bar-1.0.tar.gz#sha256={A}"
    )
    index = PackageIndex(("https://one/simple", "https://two/simple/"), get=web)
    found = index.find("Foo_Bar", "foo_bar-1.0.tar.gz", A)
    assert [(link.filename, link.sha256) for link in found] == [
        ("Foo.Bar-1.0.tar.gz", A),
        ("foo_bar-1.0.tar.gz", None),
        ("foo_bar-1.0.tar.gz", B),
    ]
    assert index.find("foo-bar", "foo_bar-3.0.tar.gz", A) == ()
    assert len(web.asked) == 2


def test_another_ending_with_the_right_checksum() -> None:
    web = Web()
    web.pages["https://one/foo/"] = html(
        f"foo-1.0.tar.gz#sha256={A}", f"foo-1.1.tar.gz#sha256={B}", "foo-1.2.tar.gz"
    )
    index = PackageIndex(("https://one",), get=web)
    assert [link.filename for link in index.find("foo", "foo-1.0.zip", A)] == ["foo-1.0.tar.gz"]
    for filename, sha256 in (("foo-1.0.zip", B), ("foo-1.1.zip", A), ("foo-1.2.zip", A)):
        assert index.find("foo", filename, sha256) == ()


def test_a_wheel_is_not_taken_for_another() -> None:
    web = Web()
    web.pages["https://one/foo/"] = html("foo-1.0-py3-none-any.whl", "foo-1.0.tar.gz")
    index = PackageIndex(("https://one",), get=web)
    assert [link.filename for link in index.find("foo", "foo-1.0.zip")] == []
    assert len(index.find("foo", "foo-1.0-py3-none-any.whl")) == 1


def test_locations_without_the_project_or_without_answer() -> None:
    web = Web()
    web.pages["https://two/foo/"] = html("foo-1.0.tar.gz")
    index = PackageIndex(("https://dead:pw@x/simple", "https://one", "https://two"), get=web)
    assert len(index.find("foo", "foo-1.0.tar.gz")) == 1
    assert list(index.failures) == ["https://****@x/simple/"]
    index.find("bar", "bar-1.0.tar.gz")
    assert sum(url.startswith("https://dead") for url in web.asked) == 1


def test_local_locations(tmp_path: Path) -> None:
    wheels, simple = tmp_path / "w h", tmp_path / "simple" / "foo"
    wheels.mkdir()
    simple.mkdir(parents=True)
    (wheels / "foo-1.0.tar.gz").write_bytes(b"")
    (wheels / "bar-1.0.tar.gz").write_bytes(b"")
    (wheels / "notes.txt").write_bytes(b"")
    (simple / "index.html").write_bytes(html("../../w%20h/foo-1.0.tar.gz#sha256=" + A)[1])
    index = PackageIndex(
        [(tmp_path / "simple").as_uri()], [str(wheels), str(tmp_path / "none")], get=Web()
    )
    found = index.find("foo", "foo-1.0.tar.gz", A)
    uri = (wheels / "foo-1.0.tar.gz").as_uri()
    assert [(link.url, link.sha256) for link in found] == [(uri, A), (uri, None)]
    assert index.links("missing") == ()
    assert index.failures == {}


def test_usual_index_comes_from_the_library(root: Path) -> None:
    def default_index_wheel() -> tuple[Path, str]:
        return read_default_index_wheel(root / "share" / "bootstrap" / "requirements.lock")

    assert known_endpoint(*default_index_wheel()).startswith("https://")
    assert locations(PipSettings(), default_index_wheel).urls == (
        known_endpoint(*default_index_wheel()),
    )
    settings = PipSettings(index_url="https://mine/simple", extra_index_urls=("https://more",))
    assert locations(settings, default_index_wheel).urls == ("https://mine/simple", "https://more")
    assert locations(PipSettings(no_index=True, find_links=("/w",)), default_index_wheel).urls == ()


def test_changed_library_is_not_believed(tmp_path: Path) -> None:
    wheel = tmp_path / "k.whl"
    with pytest.raises(FetchError, match="names no package index"):
        known_endpoint(wheel, A)
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        file.writestr("pypi_simple/__init__.py", "OTHER = 1\n")
    wheel.write_bytes(data.getvalue())
    with pytest.raises(FetchError, match="was changed") as caught:
        known_endpoint(wheel, A)
    assert caught.value.hint and "PIP_INDEX_URL" in caught.value.hint
    with pytest.raises(FetchError, match="names no package index"):
        known_endpoint(wheel, str(caught.value.facts["found"]))
    lock = tmp_path / "requirements.lock"
    lock.write_text("{}")
    with pytest.raises(FetchError, match="cannot be read"):
        read_default_index_wheel(lock)
