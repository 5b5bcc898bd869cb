"""The transport against a server on the loopback: retries, resume, logins, limits."""

from __future__ import annotations

import gzip
import io
import os
import socket
from pathlib import Path
from typing import Any, Callable

import pytest

from spack.errors import FetchError
from spack.fetch import transport
from spack.fetch.http_opener import _keeps_login
from spack.fetch.network_settings import NetworkSettings, network_settings, split_credentials
from spack.fetch.pipconfig import PipSettings
from spack.fetch.transport import Transport

BODY = os.urandom(300_000)


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Transport]:
    """Make the transport; its pauses are counted, not slept."""

    def build(pauses: list[float] | None = None, **settings: Any) -> Transport:
        settings.setdefault("retries", 3)
        settings.setdefault("timeout", 5.0)
        settings.setdefault("environ", {"HOME": str(tmp_path / "home")})
        kept = pauses if pauses is not None else []
        return Transport(NetworkSettings(**settings), pause=kept.append)

    return build


def test_get(make: Any, server: Any, page: Any) -> None:
    server.pages["/a"] = page(to="/b")
    server.pages["/b"] = page(b"text", "text/plain")
    assert make().get(server.url + "/a", "text/*") == (server.url + "/b", "text/plain", b"text")
    assert server.requests[0][1]["accept"] == "text/*"
    assert server.requests[0][1]["user-agent"] == "spack-venv"


def test_retries_with_growing_pauses(make: Any, server: Any, page: Any) -> None:
    server.pages["/a"] = page(b"x", fail=[503, 502, 429])
    pauses: list[float] = []
    assert make(pauses).get(server.url + "/a")[2] == b"x"
    assert pauses == [0.25, 0.5, 1.0]


def test_retries_end(make: Any, server: Any, page: Any) -> None:
    server.pages["/a"] = page(fail=[503] * 9)
    with pytest.raises(FetchError, match="the server answers 503") as caught:
        make().get(server.url + "/a")
    assert caught.value.facts["status"] == 503
    assert len(server.requests) == 4


def test_missing_is_final(make: Any, server: Any) -> None:
    with pytest.raises(FetchError, match="the server answers 404") as caught:
        make().get(server.url + "/none")
    assert caught.value.facts["status"] == 404
    assert len(server.requests) == 1


def test_download_resumes(make: Any, server: Any, page: Any, tmp_path: Path) -> None:
    server.pages["/f"] = page(BODY, break_after=[100_000, 150_000])
    seen: list[tuple[int, int | None]] = []
    target = tmp_path / "f"
    make().download(
        server.url + "/f", target, progress=lambda done, total: seen.append((done, total))
    )
    assert target.read_bytes() == BODY
    ranges = [headers.get("range") for _, headers in server.requests]
    assert ranges == [None, "bytes=100000-", "bytes=150000-"]
    assert seen[-1] == (len(BODY), len(BODY))


def test_download_starts_again_when_the_file_changed(
    make: Any, server: Any, page: Any, tmp_path: Path
) -> None:
    changing = page(BODY, break_after=[100_000])
    server.pages["/f"] = changing
    transport = make()
    opened = transport.open

    def change_then_open(url: str, headers: Any) -> Any:
        if "range" in headers:
            changing.body, changing.etag = BODY[::-1], '"two"'
        return opened(url, headers)

    transport.open = change_then_open
    transport.download(server.url + "/f", tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == BODY[::-1]


def test_download_that_keeps_breaking(make: Any, server: Any, page: Any, tmp_path: Path) -> None:
    server.pages["/f"] = page(BODY, break_after=[10, 0, 0, 0, 0])
    with pytest.raises(FetchError, match="cannot be read"):
        make().download(server.url + "/f", tmp_path / "f")
    assert not (tmp_path / "f").exists()


def test_download_limit(make: Any, server: Any, page: Any, tmp_path: Path) -> None:
    server.pages["/f"] = page(BODY)
    with pytest.raises(FetchError, match="longer than 1000 bytes"):
        make().download(server.url + "/f", tmp_path / "f", limit=1000)
    assert not (tmp_path / "f").exists()
    assert len(server.requests) == 1


def test_login_of_the_url(make: Any, server: Any, page: Any) -> None:
    server.pages["/a"] = page(b"x", login=("me", "p@ss"))
    with pytest.raises(FetchError, match="401") as caught:
        make().get(server.url + "/a")
    assert caught.value.hint and "netrc" in caught.value.hint
    url = server.url.replace("//", "//me:p%40ss@")
    assert make().get(url + "/a")[2] == b"x"
    with pytest.raises(FetchError) as caught:
        make().get(url + "/none")
    assert "p%40ss" not in caught.value.message and "****@" in caught.value.message


def test_login_of_the_index_holds_for_its_files(make: Any, server: Any, page: Any) -> None:
    server.pages["/a"] = page(b"x", login=("me", "pass"))
    index = server.url.replace("//", "//me:pass@") + "/simple"
    credentials = network_settings(PipSettings(), (index,), {}).credentials
    assert credentials == {server.location: ("me", "pass")}
    assert make(credentials=credentials).get(server.url + "/a")[2] == b"x"


def test_netrc(make: Any, server: Any, page: Any, put: Any) -> None:
    server.pages["/a"] = page(b"x", login=("me", "secret"))
    put("home/.netrc", b"machine 127.0.0.1 login me password secret\n").chmod(0o600)
    assert make().get(server.url + "/a")[2] == b"x"
    named = put("named", b"machine 127.0.0.1 login me password wrong\n")
    with pytest.raises(FetchError, match="401"):
        make(environ={"NETRC": str(named)}).get(server.url + "/a")


def test_logins_stay_with_their_host(make: Any, server: Any, page: Any) -> None:
    try:
        socket.gethostbyname("localhost")
    except OSError:
        pytest.skip("this machine does not know localhost: /etc/hosts lacks it")
    server.pages["/b"] = page(b"x")
    server.pages["/a"] = page(to=server.url.replace("127.0.0.1", "localhost") + "/b")
    make().get(server.url.replace("//", "//me:pass@") + "/a")
    assert "authorization" in server.requests[0][1]
    assert "authorization" not in server.requests[1][1]


def test_logins_are_sent_again_on_their_host(make: Any, server: Any, page: Any) -> None:
    server.pages["/b"] = page(b"x", login=("me", "pass"))
    server.pages["/a"] = page(to="/b", login=("me", "pass"))
    assert make().get(server.url.replace("//", "//me:pass@") + "/a")[2] == b"x"


@pytest.mark.parametrize(
    ("old", "new", "kept"),
    [
        ("http://a/x", "http://a/y", True),
        ("http://a/x", "http://a:80/y", True),
        ("http://a/x", "https://a/y", True),
        ("https://a/x", "http://a/y", False),
        ("https://a/x", "https://a:444/y", False),
        ("https://a/x", "https://b/y", False),
    ],
)
def test_which_redirects_keep_a_login(old: str, new: str, kept: bool) -> None:
    assert _keeps_login(old, new) is kept


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects(make: Any, server: Any, page: Any, status: int) -> None:
    server.pages["/b"] = page(b"x")
    server.pages["/a"] = page(to="/b", redirect=status)
    assert make().get(server.url + "/a")[2] == b"x"


def test_redirects_end(make: Any, server: Any, page: Any) -> None:
    server.pages["/a"] = page(to="/a")
    with pytest.raises(FetchError, match="redirect"):
        make().get(server.url + "/a")
    assert len(server.requests) < 20


def test_redirects_lead_to_no_other_scheme(make: Any, server: Any, page: Any) -> None:
    for target in ("file:///etc/passwd", "ftp://127.0.0.1/x"):
        server.pages["/a"] = page(to=target)
        with pytest.raises(FetchError):
            make().get(server.url + "/a")


def test_documents_may_be_compressed(make: Any, server: Any, page: Any) -> None:
    server.pages["/a"] = page(gzip.compress(BODY), "text/html", encoding="gzip")
    assert make().get(server.url + "/a")[2] == BODY
    assert server.requests[0][1]["accept-encoding"] == "gzip"
    for body in (b"no gzip", gzip.compress(BODY)[:-9]):
        server.pages["/a"] = page(body, encoding="gzip")
        with pytest.raises(FetchError, match=r"damaged|broke off"):
            make(retries=0).get(server.url + "/a")


def test_documents_have_a_limit(make: Any, server: Any, page: Any) -> None:
    server.pages["/a"] = page(b"x" * 1001)
    server.pages["/b"] = page(gzip.compress(b"x" * 1001), encoding="gzip")
    for path in ("/a", "/b"):
        with pytest.raises(FetchError, match="longer than 1000 bytes"):
            make().get(server.url + path, limit=1000)


def test_downloads_stay_as_they_are_packed(
    make: Any, server: Any, page: Any, tmp_path: Path
) -> None:
    """A server that takes the name for an encoding does not change what the checksum is of."""
    packed = gzip.compress(BODY)
    server.pages["/a.gz"] = page(packed, encoding="gzip")
    make().download(server.url + "/a.gz", tmp_path / "a.gz")
    assert (tmp_path / "a.gz").read_bytes() == packed


def test_urls_are_quoted(make: Any, server: Any, page: Any) -> None:
    server.pages["/a%20b/%C3%A9%2Fx"] = page(b"x")
    assert make().get(server.url + "/a b/\u00e9%2Fx")[2] == b"x"


def test_other_schemes_are_named(make: Any) -> None:
    for url in ("gopher://host/x", "s3://bucket/x"):
        with pytest.raises(FetchError, match="its scheme is none of file, http, https"):
            make().get(url)


def test_a_new_scheme_is_one_row(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Memory:
        def __init__(self, settings: NetworkSettings) -> None:
            self.url = ""
            self.status = 200
            self.headers = {"content-type": "text/plain"}
            self.rest = io.BytesIO(b"words")

        def open(self, url: str, headers: Any) -> Any:
            self.url = url
            return self

        def read(self, size: int) -> bytes:
            return self.rest.read(size)

        def close(self) -> None:
            pass

    monkeypatch.setattr(transport, "OPENERS", {**transport.OPENERS, "memory": Memory})
    assert make().get("memory://x") == ("memory://x", "text/plain", b"words")


def test_certificates(make: Any, tls_server: Any, page: Any, certificate: Path) -> None:
    tls_server.pages["/a"] = page(b"x")
    pauses: list[float] = []
    with pytest.raises(FetchError, match=r"(?i)certificate"):
        make(pauses).get(tls_server.url + "/a")
    assert pauses == [], "another attempt would end likewise"
    environ = {"REQUESTS_CA_BUNDLE": str(certificate)}
    trusting: list[dict[str, Any]] = [
        {"cert": str(certificate)},
        {"environ": environ},
        {"trusted_hosts": ("127.0.0.1",)},
        {"trusted_hosts": (tls_server.location,)},
        {"verify": False},
    ]
    for settings in trusting:
        assert make(**settings).get(tls_server.url + "/a")[2] == b"x", settings


def test_a_proxy_for_https(
    make: Any, server: Any, tls_server: Any, page: Any, certificate: Path
) -> None:
    tls_server.pages["/a"] = page(b"x")
    login = server.url.replace("//", "//me:pass@")
    for settings in (
        {"proxy": login},
        {"environ": {"https_proxy": login}},
        {"environ": {"ALL_PROXY": login}},
    ):
        server.requests.clear()
        assert make(cert=str(certificate), **settings).get(tls_server.url + "/a")[2] == b"x"
        ((path, headers),) = server.requests
        assert path == f"CONNECT {tls_server.location}"
        assert headers["proxy-authorization"].startswith("Basic ")


def test_proxy(make: Any, server: Any, page: Any) -> None:
    server.pages["http://elsewhere.invalid/a"] = page(b"through")
    for settings in (
        {"proxy": server.url},
        {"environ": {"http_proxy": server.url, "no_proxy": "other.invalid"}},
    ):
        assert make(**settings).get("http://elsewhere.invalid/a")[2] == b"through"
    server.pages["/a"] = page(b"direct")
    environ = {"HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1"}
    assert make(environ=environ).get(server.url + "/a")[2] == b"direct"


def test_no_network(make: Any) -> None:
    """A machine without network does not wait for each of many attempts."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    pauses: list[float] = []
    with pytest.raises(FetchError) as caught:
        make(pauses).get(f"http://127.0.0.1:{port}/simple/")
    assert caught.value.facts["status"] is None
    assert caught.value.hint and "PIP_INDEX_URL" in caught.value.hint
    assert pauses == [0.25]


def test_untrusted_certificate(make: Any, put: Any, server: Any) -> None:
    with pytest.raises(FetchError, match="cannot be read") as caught:
        make(cert=str(put("c.pem", b"nonsense"))).get("https://127.0.0.1:1/")
    assert "c.pem" in caught.value.message


def test_local_files(make: Any, tmp_path: Path, put: Any) -> None:
    path = put("d/x.bin", BODY)
    transport = make()
    assert transport.get(path.as_uri())[2] == BODY
    transport.download(path.as_uri(), tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == BODY
    for missing in (tmp_path / "none", path / "below"):
        with pytest.raises(FetchError) as caught:
            transport.download(missing.as_uri(), tmp_path / "copy2")
        assert caught.value.facts["status"] == 404


def test_unwritable_target(make: Any, server: Any, page: Any, tmp_path: Path) -> None:
    server.pages["/f"] = page(b"x")
    with pytest.raises(FetchError, match="cannot be written"):
        make().download(server.url + "/f", tmp_path / "none" / "f")


def test_credentials_are_split() -> None:
    assert split_credentials("https://h/p") == ("https://h/p", None)
    assert split_credentials("https://a%40b:c@h:1/p?q") == ("https://h:1/p?q", ("a@b", "c"))
    assert split_credentials("https://token@h/") == ("https://h/", ("token", ""))
