"""Where the sources of all recipes are, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from spack.recipe.records import Recipe, VersionRecord

__all__ = ["UrlStatistics", "insecure_addresses", "url_statistics"]

#: Checksums that recipes may give, in the order in which they count.
_CHECKSUMS = ("sha256", "sha512", "sha384", "sha224", "sha1", "md5")

_GIT = ("commit", "branch", "tag")


class UrlStatistics(NamedTuple):
    """Counts of versions by what their sources are, and what is wrong with some.

    :ivar issues: kind -> package -> URLs.
    """

    packages: int
    versions: int
    kinds: Mapping[str, int]
    schemes: Mapping[str, int]
    checksums: Mapping[str, int]
    references: Mapping[str, int]
    issues: Mapping[str, Mapping[str, list[str]]]


def url_statistics(recipes: Iterable[Recipe]) -> UrlStatistics:
    """Count the versions of *recipes*."""
    packages = versions = 0
    kinds: Counter[str] = Counter()
    schemes: Counter[str] = Counter()
    checksums: Counter[str] = Counter()
    references: Counter[str] = Counter()
    issues: dict[str, dict[str, list[str]]] = {}
    for recipe in recipes:
        packages += 1
        for record in recipe.versions:
            versions += 1
            kind = _kind(recipe, record)
            kinds[kind] += 1
            if kind == "git":
                references[next((x for x in _GIT if record.options.get(x)), "no ref")] += 1
            elif kind == "url" and record.url:
                scheme = urlsplit(record.url).scheme
                schemes[scheme] += 1
                checksum = _checksum(record)
                checksums[checksum] += 1
                for issue, applies in (("http urls", scheme == "http"), ("md5", checksum == "md5")):
                    if applies:
                        rows = issues.setdefault(issue, {}).setdefault(recipe.name, [])
                        rows.append(record.url)
    return UrlStatistics(
        packages,
        versions,
        kinds=kinds,
        schemes=schemes,
        checksums=checksums,
        references=references,
        issues=issues,
    )


def _kind(recipe: Recipe, record: VersionRecord) -> str:
    if not recipe.attributes.get("has_code", True):
        return "no code"
    if any(record.options.get(name) for name in _GIT) or record.options.get("git"):
        return "git"
    return "url" if record.url else "other"


def _checksum(record: VersionRecord) -> str:
    if record.sha256:
        return "sha256"
    return next((name for name in _CHECKSUMS if record.options.get(name)), "no checksum")


def insecure_addresses(recipe: Recipe) -> list[str]:
    """Return the addresses of a recipe's page, and of its sources, that are not encrypted."""
    named = [recipe.attributes.get(name) for name in ("homepage", "url", "list_url", "git")]
    every = [*(str(text) for text in named if text), *(x.url for x in recipe.versions if x.url)]
    return [url for url in dict.fromkeys(every) if url.startswith(("http://", "ftp://", "git://"))]
