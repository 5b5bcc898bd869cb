"""Packages on the mirrors of Sourceware."""

from __future__ import annotations

from spack.package import PackageBase

from ._mirrors import mirror_urls

__all__ = ["SourcewarePackage"]


class SourcewarePackage(PackageBase):
    """Mixin: ``sourceware_mirror_path`` gives the urls."""

    #: Path of an archive on the mirrors.
    sourceware_mirror_path: str | None = None

    #: Mirrors, in the order in which they are tried.
    base_mirrors = [
        "https://sourceware.org/pub/",
        "https://mirrors.kernel.org/sourceware/",
        "https://ftp.gwdg.de/pub/linux/sources.redhat.com/",
    ]

    @property
    def urls(self) -> list[str]:
        """A url on each mirror."""
        return mirror_urls(self, "sourceware_mirror_path", self.base_mirrors)
