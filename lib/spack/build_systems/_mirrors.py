"""Mixins for projects with many mirrors: a path on them gives the urls.

Each mixin is one row: the class attribute that holds the path, and the mirrors.
"""

from __future__ import annotations

from collections.abc import Sequence

from spack.api.package_base import PackageBase
from spack.package import join_url

__all__ = ["mirror_urls"]


def mirror_urls(pkg: PackageBase, attribute: str, mirrors: Sequence[str]) -> list[str]:
    """Return a URL for each of *mirrors*, with the path that *attribute* of *pkg* holds.

    :raises AttributeError: the recipe does not set *attribute*.
    """
    path = getattr(pkg, attribute)
    if path is None:
        raise AttributeError(f"{type(pkg).__name__} must define `{attribute}`")
    return [join_url(mirror, path, resolve_href=True) for mirror in mirrors]
