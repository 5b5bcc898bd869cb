"""Caches in buckets of S3 and of what is compatible with it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from spack.binary.cache_manifest import refused
from spack.binary.cache_storage import LARGEST_MANIFEST, MissingInCacheError
from spack.binary.s3_requests import EMPTY_DIGEST, S3Login, S3Target, signed_headers
from spack.errors import BinaryCacheError, FetchError
from spack.util.hashing import hash_file

if TYPE_CHECKING:
    from spack.fetch.transport import Transport

__all__ = ["S3Storage"]

#: What one request may write.
_LARGEST_WRITE = 5 << 30


class S3Storage:
    """A cache below a prefix of a bucket; see :class:`~spack.binary.cache_storage.CacheStorage`.

    :param url: ``s3://BUCKET/PREFIX``, for messages. :param login: None is anonymous.
    :param transport: retries and resumes.
    """

    locks = False

    def __init__(
        self, url: str, target: S3Target, transport: Transport, login: S3Login | None
    ) -> None:
        self.url = url.rstrip("/")
        self._target = target
        self._transport = transport
        self._login = login

    def read(self, name: str, limit: int = LARGEST_MANIFEST) -> bytes:
        url = self._target.url(name)
        try:
            return self._transport.document(url, self._headers("GET", url), limit).body
        except FetchError as error:
            raise self._error(name, error, "read") from error

    def obtain(self, name: str, target: Path, size: int, progress: Callable[[int], None]) -> Path:
        target.parent.mkdir(parents=True, exist_ok=True)
        url = self._target.url(name)
        try:
            self._transport.download(
                url,
                target,
                progress=lambda done, total: progress(done),
                limit=size,
                headers=self._headers("GET", url),
            )
        except FetchError as error:
            raise self._error(name, error, "read") from error
        return target

    def exists(self, name: str) -> bool:
        try:
            self._send("HEAD", name)
        except MissingInCacheError:
            return False
        return True

    def write(self, name: str, content: bytes | Path) -> None:
        if isinstance(content, bytes):
            digest = hashlib.sha256(content).hexdigest()
        else:
            if content.stat().st_size > _LARGEST_WRITE:
                raise BinaryCacheError(
                    f"{name} cannot be written to {self.url}: it is larger than 5 GiB",
                    hint="push the package to a directory, a server or a registry",
                    ref="binary-s3",
                )
            digest = hash_file(content)
        self._send("PUT", name, content, digest)

    def names(self, below: str) -> Iterator[str]:
        start = f"{self._target.prefix}/" if self._target.prefix else ""
        query = {"list-type": "2", "prefix": f"{start}{below}/"}
        while True:
            url = self._target.url(query=query)
            try:
                body = self._transport.document(url, self._headers("GET", url)).body
            except FetchError as error:
                raise self._error(below, error, "listed") from error
            keys, following = self._listed(body)
            yield from (key[len(start) :] for key in keys if key.startswith(start))
            if not following:
                return
            query["continuation-token"] = following

    def remove(self, name: str) -> None:
        try:
            self._send("DELETE", name)
        except MissingInCacheError:
            pass

    def exclusive(self) -> AbstractContextManager[object]:
        return nullcontext()  # see BinaryCache.add_to_index

    def _listed(self, body: bytes) -> tuple[list[str], str]:
        """Return the keys of a page, in order, and what asks for the next one; ``""`` at the end.

        :raises BinaryCacheError: it is not such a page.
        """
        try:
            root = ElementTree.fromstring(body)
        except ElementTree.ParseError as error:
            raise refused(f"the list of {self.url}", f"it cannot be read: {error}") from error
        rows = {row.tag.rpartition("}")[2]: row.text or "" for row in root}
        keys = [
            part.text or ""
            for row in root
            for part in row
            if row.tag.endswith("Contents") and part.tag.endswith("Key")
        ]
        return sorted(keys), rows.get("NextContinuationToken", "")

    def _headers(self, method: str, url: str, digest: str = EMPTY_DIGEST) -> Mapping[str, str]:
        return signed_headers(method, url, digest, self._target, login=self._login)

    def _send(
        self, method: str, name: str, body: bytes | Path = b"", digest: str = EMPTY_DIGEST
    ) -> None:
        url = self._target.url(name)
        headers = {**self._headers(method, url, digest)}
        if method == "PUT":
            headers["content-type"] = "application/octet-stream"
        if not body:
            headers["content-length"] = "0"
        try:
            self._transport.send(method, url, headers, body)
        except FetchError as error:
            raise self._error(name, error, "written" if method != "HEAD" else "read") from error

    def _error(self, name: str, error: FetchError, verb: str) -> BinaryCacheError:
        status = error.facts.get("status")
        if status in (404, 410):
            return MissingInCacheError(f"the bucket {self.url} has no {name}", facts={"path": name})
        hint = "set endpoint_url of the mirror for a service other than AWS"
        if status in (301, 307, 400):
            hint = "name the region of the bucket: export AWS_REGION=…"
        elif status in (401, 403):
            hint = (
                "access_pair or profile of the mirror name a login, or AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY"
            )
        return BinaryCacheError(
            f"{self.url}/{name} cannot be {verb}: {error.message}",
            facts=error.facts,
            hint=hint,
            ref="binary-s3",
        )
