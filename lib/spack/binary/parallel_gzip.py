"""Compression with gzip in several threads, the same bytes every time.

Chunks of a fixed size become members of their own, which every gzip reader takes as one stream
(RFC 1952, 2.2).
"""

from __future__ import annotations

import hashlib
import zlib
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import IO, Protocol

__all__ = ["Digest", "GzipWriter"]

#: Bytes of a member. Smaller ones compress worse, larger ones keep more memory.
CHUNK = 1 << 20

#: Fast: packages are packed once a build, and most of their time goes into this.
LEVEL = 3

_WBITS = zlib.MAX_WBITS | 16


class Digest(Protocol):
    """A digest of :mod:`hashlib`."""

    def update(self, data: bytes, /) -> object: ...


class GzipWriter:
    """A file to write to; :meth:`close` gives size and digest of what came out.

    :param pool: its threads compress. :param ahead: chunks that may wait for them.
    :param plain: is given what is not compressed yet, for a digest of it.
    """

    def __init__(
        self,
        target: IO[bytes],
        pool: ThreadPoolExecutor,
        ahead: int = 8,
        plain: Digest | None = None,
    ) -> None:
        self._plain = plain
        self._target = target
        self._pool = pool
        self._ahead = ahead
        self._buffer = bytearray()
        self._waiting: deque[Future[bytes]] = deque()
        self._digest = hashlib.sha256()
        self._size = 0
        self._empty = True

    def write(self, data: bytes) -> int:
        """Take the next bytes."""
        if self._plain is not None:
            self._plain.update(data)
        self._buffer += data
        while len(self._buffer) >= CHUNK:
            self._submit(bytes(self._buffer[:CHUNK]))
            del self._buffer[:CHUNK]
        return len(data)

    def close(self) -> tuple[int, str]:
        """Write what is left; return the size and the hex sha256 of the compressed file."""
        if self._buffer or self._empty:
            self._submit(bytes(self._buffer))
        while self._waiting:
            self._finish()
        return self._size, self._digest.hexdigest()

    def _submit(self, chunk: bytes) -> None:
        self._empty = False
        self._waiting.append(self._pool.submit(_member, chunk))
        if len(self._waiting) > self._ahead:
            self._finish()

    def _finish(self) -> None:
        data = self._waiting.popleft().result()
        self._digest.update(data)
        self._size += len(data)
        self._target.write(data)


def _member(chunk: bytes) -> bytes:
    compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, _WBITS)
    return compressor.compress(chunk) + compressor.flush()
