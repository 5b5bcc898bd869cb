"""What the versions of a package class say of URLs, looked up once for each class."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from spack.api.directives import VersionDeclaration
from spack.api.urls import replace_version, url_version
from spack.spec import Version

__all__ = ["DeclaredUrls"]


class DeclaredUrls:
    """Versions of a package class with their own URLs: a lookup does not search all versions."""

    def __init__(self, declared: Iterable[VersionDeclaration]) -> None:
        self._own: dict[str, str] = {}
        self._versions: list[str] = []
        for item in declared:
            url = item.options.get("url")
            if url:
                self._own.setdefault(item.version, str(url))
            self._versions.append(item.version)
        self._sorted: tuple[list[Version], list[str]] | None = None
        self._samples: dict[str, str | None] = {}

    def own(self, version: str) -> str | None:
        """Return the ``url=`` of a version, or None."""
        return self._own.get(version)

    def nearest(self, version: Version) -> str | None:
        """Return the ``url=`` of the nearest earlier version with one, else of the next later."""
        if self._sorted is None:
            pairs = [(Version(text), url) for text, url in self._own.items()]
            pairs.sort(key=lambda pair: pair[0])
            self._sorted = [known for known, _ in pairs], [url for _, url in pairs]
        versions, urls = self._sorted
        return urls[max(0, bisect_right(versions, version) - 1)] if urls else None

    def substituted(self, sample: str, version: object) -> str:
        """Return the URL *sample* with *version* in place of the declared version that it has."""
        if sample not in self._samples:
            self._samples[sample] = url_version(sample, self._versions)
        return replace_version(sample, self._samples[sample], version)
