"""A server with the few requests of S3 that caches need, in memory; it checks signatures."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Callable, Optional
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from spack.binary.s3_requests import S3Login, S3Target, signed_headers

__all__ = ["LOGIN", "ObjectStore", "serve_objects"]

#: Which login the server takes.
LOGIN = S3Login("key", "secret")

#: Keys on a page of a list: few, so that there are several pages.
_PAGE = 3

#: Answers a request instead of the server, or returns False.
_Trick = Callable[[BaseHTTPRequestHandler], bool]


@dataclass
class ObjectStore:
    """A running server.

    :ivar objects: contents by ``bucket/key``. :ivar requests: method and path, in order.
    :ivar trick: what is done first.
    """

    url: str = ""
    objects: dict[str, bytes] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    trick: Optional[_Trick] = None  # noqa: UP045 - evaluated by dataclasses on Python 3.9

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        parts = urlsplit(handler.path)
        name = unquote(parts.path).lstrip("/")
        self.requests.append(f"{handler.command} {name}")
        body = handler.rfile.read(int(handler.headers.get("content-length") or 0))
        if self.trick is not None and self.trick(handler):
            return
        if not _is_signed(handler, f"{self.url}{handler.path}", body):
            _send(handler, 403, b"<Error><Code>SignatureDoesNotMatch</Code></Error>")
        elif "list-type" in parse_qs(parts.query):
            _send(handler, 200, self._page(name, parse_qs(parts.query)))
        elif handler.command == "PUT":
            self.objects[name] = body
            _send(handler, 200)
        elif name not in self.objects:
            _send(handler, 404)
        elif handler.command == "DELETE":
            del self.objects[name]
            _send(handler, 204)
        else:
            begin = handler.headers.get("range", "").replace("bytes=", "").rstrip("-")
            data = self.objects[name][int(begin or 0) :]
            _send(handler, 206 if begin else 200, data, hashlib.md5(self.objects[name]).hexdigest())

    def _page(self, bucket: str, query: dict[str, list[str]]) -> bytes:
        start = f"{bucket.rstrip('/')}/"
        after = query.get("continuation-token", [""])[0]
        wanted = start + query["prefix"][0]
        keys = sorted(x[len(start) :] for x in self.objects if x.startswith(wanted))
        keys = [key for key in keys if key > after]
        rows = "".join(f"<Contents><Key>{escape(x)}</Key></Contents>" for x in keys[:_PAGE])
        if len(keys) > _PAGE:
            token = escape(keys[_PAGE - 1])
            rows += f"<NextContinuationToken>{token}</NextContinuationToken>"
        namespace = "http://s3.amazonaws.com/doc/2006-03-01/"
        return f'<ListBucketResult xmlns="{namespace}">{rows}</ListBucketResult>'.encode()


def _is_signed(handler: BaseHTTPRequestHandler, url: str, body: bytes) -> bool:
    digest = handler.headers.get("x-amz-content-sha256", "")
    stamp = handler.headers.get("x-amz-date", "19700101T000000Z")
    moment = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    target = S3Target("", "", "us-east-1")
    wanted = signed_headers(handler.command, url, digest, target, login=LOGIN, moment=moment)
    return (
        handler.headers.get("authorization") == wanted["authorization"]
        and digest == hashlib.sha256(body).hexdigest()
    )


def _send(handler: BaseHTTPRequestHandler, status: int, body: bytes = b"", etag: str = "") -> None:
    handler.send_response(status)
    if etag:
        handler.send_header("etag", f'"{etag}"')
    handler.send_header("content-length", str(len(body)))
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(body)


@contextmanager
def serve_objects() -> Iterator[ObjectStore]:
    """Serve an empty store on the loopback."""
    store = ObjectStore()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            store.answer(self)

        def do_HEAD(self) -> None:
            store.answer(self)

        def do_PUT(self) -> None:
            store.answer(self)

        def do_DELETE(self) -> None:
            store.answer(self)

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            pass

    http = Quiet(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    store.url = f"http://127.0.0.1:{http.server_port}"
    try:
        yield store
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
