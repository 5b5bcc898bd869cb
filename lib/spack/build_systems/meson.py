"""Packages built with Meson and ninja."""

from __future__ import annotations

import os
from collections.abc import Mapping

from spack.api.context import SpecView
from spack.package import (
    BuilderWithDefaults,
    PackageBase,
    Prefix,
    build_system,
    conflicts,
    depends_on,
    register_builder,
    run_after,
    variant,
    when,
    working_dir,
)

from ._checks import execute_build_time_tests

__all__ = ["MesonBuilder", "MesonPackage"]


class MesonPackage(PackageBase):
    """A package with a ``meson.build``."""

    build_system_class = "MesonPackage"
    default_buildsystem = "meson"

    build_system("meson")

    with when("build_system=meson"):
        variant(
            "buildtype",
            default="release",
            description="Meson build type",
            values=("plain", "debug", "debugoptimized", "release", "minsize"),
        )
        variant(
            "default_library",
            default="shared",
            values=("shared", "static"),
            multi=True,
            description="Build shared libs, static libs or both",
        )
        variant("strip", default=False, description="Strip targets on install")
        depends_on("meson", type="build")
        depends_on("ninja", type="build")
        for _platform in ("linux", "freebsd", "darwin"):
            with when(f"platform={_platform}"):
                depends_on("pkgconfig", type="build")
        # Older releases of Meson need distutils, which Python 3.12 no longer has.
        conflicts("^python@3.12:", when="%meson@:1.0")

    def flags_to_build_system_args(self, flags: Mapping[str, list[str]]) -> None:
        """Do nothing: Meson takes compiler flags from the environment, not as arguments."""
        self.meson_flag_args: list[str] = []


@register_builder("meson")
class MesonBuilder(BuilderWithDefaults):
    """Set up, build, install; recipes mostly override :meth:`meson_args`."""

    phases = ("meson", "build", "install")

    package_methods = ("meson_args", "check")
    package_attributes = (
        "build_targets",
        "install_targets",
        "build_time_test_callbacks",
        "root_mesonlists_dir",
        "std_meson_args",
        "build_directory",
    )

    build_targets: list[str] = []
    install_targets = ["install"]
    build_time_test_callbacks = ["check"]

    @property
    def archive_files(self) -> list[str]:
        """Files of the build that are kept with its log."""
        return [os.path.join(self.build_directory, "meson-logs", "meson-log.txt")]

    @property
    def root_mesonlists_dir(self) -> str:
        """Directory of the topmost ``meson.build``."""
        source: str = self.pkg.stage.source_path
        return source

    @property
    def std_meson_args(self) -> list[str]:
        """Arguments that every Meson build gets."""
        return MesonBuilder.std_args(self.pkg) + list(getattr(self.pkg, "meson_flag_args", []))

    @staticmethod
    def std_args(pkg: PackageBase) -> list[str]:
        """Return arguments for any package that calls Meson.

        ``libdir`` is given: Meson's own choice is a directory for each architecture on Debian.
        So are the directories of Python modules: Meson knows Debian's layout, which is not used
        here.
        """
        spec = pkg.spec
        buildtype = spec.variants["buildtype"].value if "buildtype" in spec.variants else "release"
        args = [
            f"-Dprefix={pkg.prefix}",
            f"-Dlibdir={pkg.prefix.lib}",
            f"-Dbuildtype={buildtype}",
            f"-Dstrip={'true' if spec.satisfies('+strip') else 'false'}",
            f"-Ddefault_library={_library_kind(spec)}",
            "-Dwrap_mode=nodownload",
        ]
        if spec.satisfies("%meson@0.60:") and spec.dependencies("python-venv"):
            python = spec["python"].package
            args.append(f"-Dpython.purelibdir={os.path.join(pkg.prefix, python.purelib)}")
            args.append(f"-Dpython.platlibdir={os.path.join(pkg.prefix, python.platlib)}")
        return args

    @property
    def build_dirname(self) -> str:
        """Name of the build directory."""
        return f"spack-build-{self.spec.dag_hash(7)}"

    @property
    def build_directory(self) -> str:
        """Path of the build directory, beside the source tree."""
        return os.path.join(self.pkg.stage.path, self.build_dirname)

    def meson_args(self) -> list[str]:
        """Return arguments of the recipe, after :attr:`std_meson_args`."""
        return []

    def meson(self, pkg: MesonPackage, spec: SpecView, prefix: Prefix) -> None:
        """Set up the build directory."""
        command = ["setup"] if self.spec["meson"].satisfies("@0.64:") else []
        source = os.path.abspath(self.root_mesonlists_dir)
        with working_dir(self.build_directory, create=True):
            pkg.module.meson(*command, source, *self.std_meson_args, *self.meson_args())

    def build(self, pkg: MesonPackage, spec: SpecView, prefix: Prefix) -> None:
        """Build :attr:`build_targets`."""
        with working_dir(self.build_directory):
            pkg.module.ninja("-v", *self.build_targets)

    def install(self, pkg: MesonPackage, spec: SpecView, prefix: Prefix) -> None:
        """Build :attr:`install_targets`."""
        with working_dir(self.build_directory):
            pkg.module.ninja(*self.install_targets)

    run_after("build")(execute_build_time_tests)

    def check(self) -> None:
        """Run the targets ``test`` and ``check`` where they exist."""
        with working_dir(self.build_directory):
            self.pkg._if_ninja_target_execute("test")
            self.pkg._if_ninja_target_execute("check")


def _library_kind(spec: SpecView) -> str:
    if spec.satisfies("default_library=static,shared"):
        return "both"
    return "static" if spec.satisfies("default_library=static") else "shared"
