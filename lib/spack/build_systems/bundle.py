"""Packages without code, which group their dependencies."""

from __future__ import annotations

from spack.api.context import SpecView
from spack.package import Builder, PackageBase, Prefix, build_system, register_builder

__all__ = ["BundleBuilder", "BundlePackage"]


class BundlePackage(PackageBase):
    """A name for a set of packages."""

    build_system_class = "BundlePackage"
    default_buildsystem = "bundle"

    has_code = False

    build_system("bundle")


@register_builder("bundle")
class BundleBuilder(Builder):
    """Installs nothing."""

    phases = ("install",)

    def install(self, pkg: BundlePackage, spec: SpecView, prefix: Prefix) -> None:
        """Run the only phase."""
