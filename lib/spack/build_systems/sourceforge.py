"""Packages on the mirrors of SourceForge."""

from __future__ import annotations

from spack.package import PackageBase

from ._mirrors import mirror_urls

__all__ = ["SourceforgePackage"]


class SourceforgePackage(PackageBase):
    """Mixin: ``sourceforge_mirror_path`` gives the urls."""

    #: Path of an archive on the mirrors.
    sourceforge_mirror_path: str | None = None

    #: Mirrors, in the order in which they are tried.
    base_mirrors = [
        "https://prdownloads.sourceforge.net/",
        "https://downloads.sourceforge.net/",
        "https://freefr.dl.sourceforge.net/",
        "https://netcologne.dl.sourceforge.net/",
    ]

    @property
    def urls(self) -> list[str]:
        """A url on each mirror."""
        return mirror_urls(self, "sourceforge_mirror_path", self.base_mirrors)
