"""A small web server on the loopback, and archives made on the spot."""

from __future__ import annotations

import base64
import hashlib
import io
import select
import shutil
import socket
import ssl
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Callable

import pytest


@dataclass
class Page:
    """What one path answers.

    :param fail: statuses of the first answers; then the body.
    :param to: where a redirect of status *redirect* leads.
    :param encoding: what the answer names as content-encoding.
    :param break_after: bytes after which the connection is cut, once for each number.
    """

    body: bytes = b""
    kind: str = "application/octet-stream"
    fail: list[int] = field(default_factory=list)
    break_after: list[int] = field(default_factory=list)
    login: tuple[str, str] | None = None
    to: str | None = None
    etag: str = '"one"'
    redirect: int = 302
    encoding: str = ""


class Server:
    """Pages by path; remembers the requests as (path, headers)."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.pages: dict[str, Page] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer.answer(self)

            def do_CONNECT(self) -> None:
                outer.relay(self)

            def log_message(self, *_: object) -> None:
                pass

        class Quiet(ThreadingHTTPServer):
            def handle_error(self, *_: object) -> None:
                """Return a client that went away is not a matter."""

        self._http = Quiet(("127.0.0.1", 0), Handler)
        if context is not None:
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,))
        self._thread.start()
        self.location = f"127.0.0.1:{self._http.server_port}"
        self.url = f"http{'s' if context else ''}://{self.location}"

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        headers = {name.lower(): value for name, value in handler.headers.items()}
        self.requests.append((handler.path, headers))
        page = self.pages.get(handler.path)
        if page is None:
            return self._status(handler, 404)
        if page.login is not None:
            token = base64.b64encode(":".join(page.login).encode()).decode()
            if headers.get("authorization") != "Basic " + token:
                return self._status(handler, 401)
        if page.to is not None:
            handler.send_response(page.redirect)
            handler.send_header("location", page.to)
            handler.send_header("content-length", "0")
            handler.end_headers()
            return None
        if page.fail:
            return self._status(handler, page.fail.pop(0))
        body, start = page.body, 0
        wanted = headers.get("range", "")
        if wanted and headers.get("if-range") == page.etag:
            start = int(wanted[len("bytes=") : -1])
        handler.send_response(206 if start else 200)
        handler.send_header("content-type", page.kind)
        handler.send_header("etag", page.etag)
        if page.encoding:
            handler.send_header("content-encoding", page.encoding)
        handler.send_header("content-length", str(len(body) - start))
        handler.end_headers()
        if page.break_after:
            handler.wfile.write(body[start : page.break_after.pop(0)])
            handler.wfile.flush()
            handler.close_connection = True
            handler.connection.shutdown(2)
            return None
        handler.wfile.write(body[start:])
        return None

    def relay(self, handler: BaseHTTPRequestHandler) -> None:
        """Join a client and the host that it names, as a proxy for https does."""
        headers = {name.lower(): value for name, value in handler.headers.items()}
        self.requests.append((f"CONNECT {handler.path}", headers))
        host, _, port = handler.path.rpartition(":")
        with socket.create_connection((host, int(port))) as other:
            handler.send_response(200)
            handler.end_headers()
            ways = {handler.connection: other, other: handler.connection}
            while True:
                for ready in select.select(list(ways), [], [])[0]:
                    data = ready.recv(65536)
                    if not data:
                        handler.close_connection = True
                        return
                    ways[ready].sendall(data)

    def _status(self, handler: BaseHTTPRequestHandler, status: int) -> None:
        handler.send_response(status)
        handler.send_header("content-length", "0")
        handler.end_headers()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    started = Server()
    yield started
    started.close()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a certificate of 127.0.0.1 that it has signed itself, with its key."""
    if shutil.which("openssl") is None:
        pytest.skip("the program openssl is missing; tests/run installs it")
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-days", "2"),
            *("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(path) + ".key", "-out", str(path)),
        ],
        check=True,
        capture_output=True,
    )
    path.write_text(path.read_text() + Path(str(path) + ".key").read_text())
    return path


@pytest.fixture
def tls_server(certificate: Path) -> Iterator[Server]:
    """Start the same server behind TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    started = Server(context)
    yield started
    started.close()


@pytest.fixture
def page() -> Callable[..., Page]:
    return Page


def _tarball(
    members: dict[str, bytes], compression: str = "gz", extra: tuple[tarfile.TarInfo, ...] = ()
) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode=f"w:{compression}") as tar:  # type: ignore[call-overload]  # any
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            info.mtime = 1_600_000_000
            info.mode = 0o4755 if name.endswith(".sh") else 0o600
            tar.addfile(info, io.BytesIO(content))
        for info in extra:
            tar.addfile(info)
    return data.getvalue()


@pytest.fixture
def tarball() -> Callable[..., bytes]:
    """Make a tar file in memory from names and contents, and further entries."""
    return _tarball


@pytest.fixture
def entry() -> Callable[..., tarfile.TarInfo]:
    """Make a tar entry of some type."""

    def make(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
        info = tarfile.TarInfo(name)
        info.type = kind
        info.linkname = target
        return info

    return make


@pytest.fixture
def sha256() -> Callable[[bytes], str]:
    return lambda data: hashlib.sha256(data).hexdigest()


@pytest.fixture
def put(tmp_path: Path) -> Callable[[str, bytes], Path]:
    """Write a file below the test's directory."""

    def write(name: str, content: bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    return write
