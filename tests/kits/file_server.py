"""An HTTP server of a directory that can misbehave."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Callable, Optional
from urllib.parse import unquote

__all__ = ["FileServer", "serve"]

#: Answers a request instead of the server, or returns False.
Trick = Callable[[BaseHTTPRequestHandler], bool]


@dataclass
class FileServer:
    """A running server.

    :ivar requests: paths that were asked for, in order.
    :ivar trick: what is done first.
    """

    root: Path
    url: str = ""
    requests: list[str] = field(default_factory=list)
    trick: Optional[Trick] = None  # noqa: UP045 - evaluated by dataclasses on Python 3.9

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        path = unquote(handler.path).lstrip("/")
        self.requests.append(path)
        if self.trick is not None and self.trick(handler):
            return
        file = self.root / path
        if not file.is_file():
            handler.send_error(404)
            return
        data = file.read_bytes()
        begin = handler.headers.get("range", "").replace("bytes=", "").rstrip("-")
        handler.send_response(206 if begin else 200)
        handler.send_header("etag", f'"{hashlib.sha256(data).hexdigest()}"')
        handler.send_header("content-length", str(len(data) - int(begin or 0)))
        handler.end_headers()
        handler.wfile.write(data[int(begin or 0) :])

    def metadata(self) -> list[str]:
        """Return the requests that were not for archives of packages."""
        small = {x for x in self.requests if "/manifests/" in x or x.endswith("layout.json")}
        return [x for x in self.requests if x in small or self._is_part(x)]

    def _is_part(self, path: str) -> bool:
        return b'"packages"' in _unpacked(self.root / path)


def _unpacked(path: Path) -> bytes:
    import gzip

    try:
        return gzip.decompress(path.read_bytes())
    except OSError:
        return b""


@contextmanager
def serve(root: Path) -> Iterator[FileServer]:
    """Serve *root* on the loopback."""
    server = FileServer(root)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.answer(self)

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            pass

    http = Quiet(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{http.server_port}"
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
