"""Packages on the mirrors of X.Org."""

from __future__ import annotations

from spack.package import PackageBase

from ._mirrors import mirror_urls

__all__ = ["XorgPackage"]


class XorgPackage(PackageBase):
    """Mixin: ``xorg_mirror_path`` gives the urls."""

    #: Path of an archive on the mirrors.
    xorg_mirror_path: str | None = None

    #: Mirrors, in the order in which they are tried.
    base_mirrors = [
        "https://www.x.org/archive/individual/",
        "https://mirrors.ircam.fr/pub/x.org/individual/",
        "http://xorg.mirrors.pair.com/individual/",
    ]

    @property
    def urls(self) -> list[str]:
        """A url on each mirror."""
        return mirror_urls(self, "xorg_mirror_path", self.base_mirrors)
