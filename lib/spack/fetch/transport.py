"""Reading URLs: whole small documents, and downloads that resume, with retries.

What differs between schemes is opening one connection: a row of :data:`OPENERS`. Imported only
when something is to be fetched that is not in the cache.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Callable, NamedTuple, Optional, TypeVar
from urllib.parse import urlsplit

from spack.errors import FetchError
from spack.fetch.file_opener import FileOpener
from spack.fetch.http_opener import HttpOpener
from spack.fetch.index_names import without_secrets
from spack.fetch.network_settings import NetworkSettings
from spack.fetch.transport_error import Opened, Opener, TransportError

__all__ = ["NOT_MODIFIED", "OPENERS", "FetchedDocument", "Progress", "Transport"]

#: Called with the bytes so far and the total (None when unknown).
Progress = Callable[[int, Optional[int]], None]

Result = TypeVar("Result")

#: How URLs are opened, by scheme.
OPENERS: Mapping[str, Callable[[NetworkSettings], Opener]] = {
    "file": FileOpener,
    "http": HttpOpener,
    "https": HttpOpener,
}

CHUNK = 1 << 18
#: Seconds; the pause before attempt n is FIRST_PAUSE * 2**n, at most LONGEST_PAUSE.
FIRST_PAUSE = 0.25
LONGEST_PAUSE = 20.0
#: How often a server is tried again to which there is no way: a machine without network is not
#: to wait.
UNREACHABLE_RETRIES = 1
#: Largest document :meth:`Transport.get` reads: the index pages of the largest projects are
#: about 10 MB.
LARGEST_DOCUMENT = 200 << 20


#: The status of an answer without a body, and the headers of requests that it answers.
NOT_MODIFIED = 304
CONDITIONS = frozenset(("if-none-match", "if-modified-since"))


class FetchedDocument(NamedTuple):
    """An answer; ``url`` is the final one, header names are lower-case."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


class _Download(NamedTuple):
    url: str
    target: Path
    progress: Progress | None
    limit: int | None
    headers: Mapping[str, str]


class Transport:
    """Reads documents and downloads files.

    :param pause: waits the given seconds.
    """

    def __init__(
        self, settings: NetworkSettings, *, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self.settings = settings
        self._pause = pause
        self._openers: dict[Callable[[NetworkSettings], Opener], Opener] = {}

    def open(self, url: str, headers: Mapping[str, str]) -> Opened:
        """Return the answer of one attempt at *url*.

        :raises TransportError: no answer, or an unsuccessful one.
        """
        kind = OPENERS.get(urlsplit(url).scheme)
        if kind is None:
            schemes = ", ".join(sorted(OPENERS))
            raise TransportError(f"its scheme is none of {schemes}", transient=False)
        if kind not in self._openers:
            self._openers[kind] = kind(self.settings)
        return self._openers[kind].open(url, headers)

    def get(
        self, url: str, accept: str = "*/*", limit: int = LARGEST_DOCUMENT
    ) -> tuple[str, str, bytes]:
        """Return a small document: final URL, content type, body.

        :param limit: bytes; a longer body is refused.
        :raises FetchError: ``facts["status"]`` has the answer's status, None without answer.
        """
        answer = self.document(url, {"accept": accept}, limit)
        return answer.url, answer.headers.get("content-type", ""), answer.body

    def document(
        self, url: str, headers: Mapping[str, str], limit: int = LARGEST_DOCUMENT
    ) -> FetchedDocument:
        """Return a small document; one without a body, of status 304, where *headers* ask so.

        :raises FetchError: as :meth:`get`.
        """

        def attempt() -> FetchedDocument:
            try:
                answer = self.open(url, {**headers, "accept-encoding": "gzip"})
            except TransportError as failure:
                if failure.status == NOT_MODIFIED and not CONDITIONS.isdisjoint(headers):
                    return FetchedDocument(url, NOT_MODIFIED, {}, b"")
                raise
            try:
                body = b"".join(_chunks(answer, limit))
            finally:
                answer.close()
            if answer.headers.get("content-encoding", "").lower() == "gzip":
                body = _unpacked(body, limit)
            return FetchedDocument(answer.url, answer.status, answer.headers, body)

        return self._with_retries(url, attempt)

    def download(
        self,
        url: str,
        target: Path,
        *,
        progress: Progress | None = None,
        limit: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Mapping[str, str]:
        """Write the body of *url* to *target* and return the headers of the last answer.

        What an earlier, broken attempt of this call left in *target* is continued where the
        server agrees that the file is still the same (``If-Range``); else it starts again.

        :param limit: bytes; a longer body is refused. :param headers: further ones.
        :raises FetchError: as :meth:`get`; *target* is removed.
        """
        target.unlink(missing_ok=True)
        state: dict[str, str] = {}
        request = _Download(url, target, progress, limit, dict(headers or {}))

        def attempt() -> Mapping[str, str]:
            return self._attempt_download(request, state)

        try:
            return self._with_retries(url, attempt)
        except BaseException:
            target.unlink(missing_ok=True)
            raise

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | Path = b""
    ) -> FetchedDocument:
        """Send a request with a body over HTTP; return the answer, which is a small document.

        :raises FetchError: as :meth:`get`.
        """

        def attempt() -> FetchedDocument:
            answer = self._send(method, url, headers, body)
            try:
                text = b"".join(_chunks(answer, LARGEST_DOCUMENT))
                return FetchedDocument(answer.url, answer.status, answer.headers, text)
            finally:
                answer.close()

        return self._with_retries(url, attempt)

    def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | Path
    ) -> Opened:
        opener = self._openers.setdefault(HttpOpener, HttpOpener(self.settings))
        assert isinstance(opener, HttpOpener)
        if isinstance(body, bytes):
            return opener.send(method, url, headers, body)
        size = {"content-length": str(body.stat().st_size)}
        with open(body, "rb") as stream:
            return opener.send(method, url, {**headers, **size}, stream)

    def _attempt_download(self, request: _Download, state: dict[str, str]) -> Mapping[str, str]:
        url, target, progress, limit, _ = request
        have = target.stat().st_size if target.exists() and "validator" in state else 0
        headers = {"accept": "*/*", "accept-encoding": "identity", **request.headers}
        if have:
            headers.update({"range": f"bytes={have}-", "if-range": state["validator"]})
        answer = self.open(url, headers)
        try:
            if answer.status != 206:
                have = 0
            validator = answer.headers.get("etag", answer.headers.get("last-modified", ""))
            if validator and not validator.startswith("W/"):
                state["validator"] = validator
            length = answer.headers.get("content-length", "")
            total = have + int(length) if length.isdigit() else None
            with open(target, "ab" if have else "wb") as out:
                for chunk in _chunks(answer, None):
                    out.write(chunk)
                    have += len(chunk)
                    if limit is not None and have > limit:
                        raise TransportError(f"it is longer than {limit} bytes", transient=False)
                    if progress:
                        progress(have, total)
            if total is not None and have < total:
                raise TransportError(f"it broke off after {have} of {total} bytes", transient=True)
            return answer.headers
        except OSError as error:
            raise TransportError(f"{target} cannot be written: {error}", transient=False) from error
        finally:
            answer.close()

    def _with_retries(self, url: str, attempt: Callable[[], Result]) -> Result:
        left = self.settings.retries
        pause = FIRST_PAUSE
        while True:
            try:
                return attempt()
            except TransportError as failure:
                if failure.unreachable:
                    left = min(left, UNREACHABLE_RETRIES)
                if not failure.transient or left <= 0:
                    raise self._error(url, failure) from failure
                left -= 1
                self._pause(min(max(pause, failure.pause or 0.0), LONGEST_PAUSE))
                pause *= 2

    def _error(self, url: str, failure: TransportError) -> FetchError:
        hint = None
        if failure.status in (401, 403):
            hint = "the server wants a login: put it into ~/.netrc or into the index's url"
        elif failure.status is None and failure.transient:
            hint = (
                "is there a network? PIP_INDEX_URL or pip.conf name another index, "
                "https_proxy a proxy, PIP_CERT the certificates to trust"
            )
        return FetchError(
            f"{without_secrets(url)} cannot be read: {failure.reason}",
            facts={
                "url": without_secrets(url),
                "status": failure.status,
                "challenge": failure.challenge,
            },
            hint=hint,
        )


def _chunks(answer: Opened, limit: int | None) -> Iterator[bytes]:
    have = 0
    while True:
        chunk = answer.read(CHUNK)
        if not chunk:
            return
        have += len(chunk)
        if limit is not None and have > limit:
            raise TransportError(f"it is longer than {limit} bytes", transient=False)
        yield chunk


def _unpacked(body: bytes, limit: int) -> bytes:
    """Return a document that the server has compressed with gzip.

    :raises TransportError: it is longer than documents may be, or damaged.
    """
    reader = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        text = reader.decompress(body, limit)
    except zlib.error as error:
        raise TransportError(f"it is damaged: {error}", transient=True) from error
    if reader.unconsumed_tail:
        raise TransportError(f"it is longer than {limit} bytes", transient=False)
    if not reader.eof:
        raise TransportError("it broke off", transient=True)
    return text
