"""A repository of a registry of container images (OCI Distribution Specification 1.1): requests.

Blobs are named by their digests, manifests by tags or digests.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, TypeVar
from urllib.parse import quote, urlencode, urljoin, urlsplit

from spack.binary.cache_storage import LARGEST_MANIFEST, MissingInCacheError
from spack.binary.oci_login import RegistryLogin
from spack.errors import BinaryCacheError, FetchError

if TYPE_CHECKING:
    from spack.fetch.transport import Transport

__all__ = ["MANIFEST_TYPE", "OciClient"]

_T = TypeVar("_T")

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
#: Media types of manifests that are read.
_ACCEPTED = (
    f"{MANIFEST_TYPE}, application/vnd.docker.distribution.manifest.v2+json, "
    "application/vnd.oci.image.index.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json"
)


class OciClient:
    """Requests to one repository; may be used from several threads.

    :param url: ``oci://HOST[:PORT]/NAME``, or ``oci+http://``, which is not encrypted; a tag of it
        is left out.
    :param transport: retries and resumes. :param login: user and password, or None.
    """

    def __init__(self, url: str, transport: Transport, login: tuple[str, str] | None) -> None:
        self.url = url.rstrip("/")
        parts = urlsplit(self.url)
        scheme = "http" if parts.scheme == "oci+http" else "https"
        name = parts.path.strip("/").rpartition(":")
        self._name = name[0] if name[1] else name[2]
        self._base = f"{scheme}://{parts.netloc}/v2/{self._name}"
        self._transport = transport
        self._login = RegistryLogin(transport, self._name, login)

    def blob(self, digest: str, limit: int) -> bytes:
        """Return a blob of at most *limit* bytes.

        :raises MissingInCacheError: there is none. :raises BinaryCacheError: it cannot be read.
        """
        return self._get(f"the blob {digest}", self._blob_url(digest), "*/*", limit)

    def download(
        self, digest: str, target: Path, size: int, progress: Callable[[int], None]
    ) -> None:
        """Write a blob of at most *size* bytes to *target*; raises as :meth:`blob`."""
        target.parent.mkdir(parents=True, exist_ok=True)

        def download(headers: Mapping[str, str]) -> None:
            self._transport.download(
                self._blob_url(digest),
                target,
                progress=lambda done, total: progress(done),
                limit=size,
                headers=headers,
            )

        self._authorized(f"the blob {digest}", download)

    def has_blob(self, digest: str) -> bool:
        return self._has(self._blob_url(digest))

    def has_manifest(self, reference: str) -> bool:
        return self._has(self.manifest_url(reference))

    def manifest(self, reference: str, name: str) -> bytes:
        """Return the manifest of a tag or a digest; raises as :meth:`blob`.

        :param name: for messages.
        """
        return self._get(name, self.manifest_url(reference), _ACCEPTED, LARGEST_MANIFEST)

    def tags(self) -> list[str]:
        """Return all tags.

        :raises ValueError: the answer is something else; so are AttributeError and TypeError.
        """
        found: list[str] = []
        url = f"{self._base}/tags/list?n=1000"
        while url:
            answer = self._send("tags", "GET", url, {"accept": "application/json"})
            found += map(str, json.loads(answer.body).get("tags") or [])
            further = re.match(r"<([^>]+)>; *rel=\"?next", answer.headers.get("link", ""))
            url = urljoin(url, further.group(1)) if further else ""
        return sorted(found)

    def upload(self, digest: str, content: bytes | Path) -> bool:
        """Write a blob; return False if it was there."""
        if self.has_blob(digest):
            return False
        begun = self._send(digest, "POST", f"{self._base}/blobs/uploads/", {"content-length": "0"})
        location = urljoin(self._base, begun.headers.get("location", ""))
        separator = "&" if urlsplit(location).query else "?"
        url = f"{location}{separator}{urlencode({'digest': f'sha256:{digest}'})}"
        self._send(digest, "PUT", url, {"content-type": "application/octet-stream"}, content)
        return True

    def put_manifest(self, reference: str, body: bytes) -> None:
        """Write a manifest as a tag."""
        url = self.manifest_url(reference)
        self._send(reference, "PUT", url, {"content-type": MANIFEST_TYPE}, body)

    def remove_manifest(self, tag: str) -> None:
        """Remove a tag, if it is there."""
        try:
            answer = self._send(tag, "HEAD", self.manifest_url(tag), {"accept": _ACCEPTED})
            digest = answer.headers.get("docker-content-digest", "")
            self._send(tag, "DELETE", self.manifest_url(digest or tag), {})
        except MissingInCacheError:
            pass

    # -- requests ----------------------------------------------------------------------------

    def _blob_url(self, digest: str) -> str:
        return f"{self._base}/blobs/sha256:{digest}"

    def manifest_url(self, tag: str) -> str:
        """Return the URL of a manifest, by tag or digest."""
        return f"{self._base}/manifests/{quote(tag, safe=':')}"

    def _has(self, url: str) -> bool:
        try:
            self._send("it", "HEAD", url, {"accept": _ACCEPTED})
        except MissingInCacheError:
            return False
        return True

    def _get(self, name: str, url: str, accept: str, limit: int) -> bytes:
        def get(headers: Mapping[str, str]) -> bytes:
            return self._transport.document(url, {"accept": accept, **headers}, limit).body

        return self._authorized(name, get)

    def _send(
        self,
        name: str,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | Path = b"",
    ) -> Any:
        writes = method not in ("GET", "HEAD")
        return self._authorized(
            name,
            lambda login: self._transport.send(method, url, {**headers, **login}, body),
            writes=writes,
        )

    def _authorized(
        self, name: str, action: Callable[[Mapping[str, str]], _T], *, writes: bool = False
    ) -> _T:
        """Do *action* with the headers of a login, which is asked for when the registry wants one.

        :raises MissingInCacheError: there is no such tag or blob.
        :raises BinaryCacheError: the registry refuses it, or does not answer.
        """
        try:
            try:
                return action(self._login.headers(writes=writes))
            except FetchError as error:
                if error.facts.get("status") != 401:
                    raise
                challenge = str(error.facts.get("challenge", ""))
                return action(self._login.answer(challenge, writes=writes))
        except FetchError as error:
            if error.facts.get("status") == 404:
                raise MissingInCacheError(
                    f"the registry {self.url} has no {name}",
                    facts={"path": name},
                    hint="look at the name and its tag, or push it again",
                ) from error
            raise BinaryCacheError(
                f"the registry {self.url} cannot be used: {error.message}",
                facts=error.facts,
                hint="access_pair of the mirror names a login; `oci+http://` is for registries "
                "without encryption",
                ref="binary-registry",
            ) from error
