"""Packages on the mirrors of GNU."""

from __future__ import annotations

from spack.package import PackageBase

from ._mirrors import mirror_urls

__all__ = ["GNUMirrorPackage"]


class GNUMirrorPackage(PackageBase):
    """Mixin: ``gnu_mirror_path`` gives the urls."""

    #: Path of an archive on the mirrors.
    gnu_mirror_path: str | None = None

    #: Mirrors, in the order in which they are tried.
    base_mirrors = [
        "https://ftpmirror.gnu.org/",
        "https://ftp.gnu.org/gnu/",
        "http://ftpmirror.gnu.org/",
    ]

    @property
    def urls(self) -> list[str]:
        """A url on each mirror."""
        return mirror_urls(self, "gnu_mirror_path", self.base_mirrors)
