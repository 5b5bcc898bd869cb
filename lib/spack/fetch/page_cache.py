"""Pages of a package index on disk, kept as the index says (RFC 9111, a private cache).

A page is used without a question while it is fresh (``Cache-Control: max-age``), else the index is
asked whether it has changed (``ETag``, ``Last-Modified``). One that is not fresh is used where the
index cannot be reached: what is taken from it has a digest.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Callable, NamedTuple
from urllib.parse import urlsplit

from spack.errors import FetchError
from spack.fetch.transport import NOT_MODIFIED, FetchedDocument
from spack.util.filesystem import atomic_write
from spack.util.hashing import sha256_hex
from spack.util.json_input import parse_json

__all__ = ["PageCache"]


class _Kept(NamedTuple):
    """A page; ``until`` is when it is no longer fresh, as ``time.time`` counts."""

    url: str
    kind: str
    body: bytes
    until: float
    etag: str
    modified: str

    @property
    def conditions(self) -> Mapping[str, str]:
        rows = {"if-none-match": self.etag, "if-modified-since": self.modified}
        return {name: text for name, text in rows.items() if text}


#: What is in the first line of a file, before the body.
_HEADER = ("url", "kind", "until", "etag", "modified")


class PageCache:
    """See :class:`spack.fetch.package_index.Get`; may be used by several threads.

    :param document: reads a URL with headers; see :class:`spack.fetch.transport.Transport`.
    :param now: the time, as ``time.time``.
    """

    def __init__(
        self,
        root: Path,
        document: Callable[[str, Mapping[str, str]], FetchedDocument],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._root = root
        self._document = document
        self._now = now
        #: Hosts that gave no answer: they are not asked again for what is kept.
        self._silent: set[str] = set()

    def __call__(self, url: str, accept: str) -> tuple[str, str, bytes]:
        """Return a page: the final URL, the content type, the body.

        :raises FetchError: it is not kept, and cannot be read.
        """
        path = self._path(url, accept)
        kept = _read(path)
        host = urlsplit(url).netloc
        if kept is not None and (kept.until > self._now() or host in self._silent):
            return kept[:3]
        conditions = kept.conditions if kept is not None else {}
        try:
            answer = self._document(url, {"accept": accept, **conditions})
        except FetchError as error:
            if error.facts.get("status") is not None:
                raise
            self._silent.add(host)
            if kept is None:
                raise
            return kept[:3]
        if answer.status == NOT_MODIFIED and kept is not None:
            self._write(path, kept._replace(until=self._now() + _freshness(answer.headers)))
            return kept[:3]
        page = _Kept(
            url=answer.url,
            kind=answer.headers.get("content-type", ""),
            body=answer.body,
            until=self._now() + _freshness(answer.headers),
            etag=answer.headers.get("etag", ""),
            modified=answer.headers.get("last-modified", ""),
        )
        if _may_be_kept(answer.headers) and (page.conditions or page.until > self._now()):
            self._write(path, page)
        return page[:3]

    def _path(self, url: str, accept: str) -> Path:
        name = sha256_hex(f"{url}\n{accept}")
        return self._root / name[:2] / name

    def _write(self, path: Path, page: _Kept) -> None:
        """Keep a page; a cache that cannot be written is none."""
        header = json.dumps([getattr(page, name) for name in _HEADER])
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # a URL may have a login in it
            atomic_write(path, header.encode() + b"\n" + page.body, mode=0o600)
        except OSError:
            pass


def _read(path: Path) -> _Kept | None:
    try:
        header, _, body = path.read_bytes().partition(b"\n")
        row = dict(zip(_HEADER, parse_json(header)))
        return _Kept(body=body, **row)
    except (OSError, ValueError, TypeError):
        return None


def _directives(headers: Mapping[str, str]) -> Mapping[str, str]:
    rows = re.findall(r"([\w-]+)(?:=\"?([^\",\s]*))?", headers.get("cache-control", "").lower())
    return dict(rows)


def _may_be_kept(headers: Mapping[str, str]) -> bool:
    return "no-store" not in _directives(headers) and headers.get("vary", "").strip() != "*"


def _freshness(headers: Mapping[str, str]) -> float:
    """Return for how many seconds an answer is fresh."""
    directives = _directives(headers)
    age, longest = headers.get("age", ""), directives.get("max-age", "")
    if "no-cache" in directives or not longest.isdigit():
        return 0.0
    return max(0.0, float(longest) - (float(age) if age.isdigit() else 0.0))
