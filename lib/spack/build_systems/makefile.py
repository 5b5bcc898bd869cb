"""Packages with a Makefile and no configuration step."""

from __future__ import annotations

from spack.api.context import SpecView
from spack.package import (
    BuilderWithDefaults,
    PackageBase,
    Prefix,
    apply_macos_rpath_fixups,
    build_system,
    conflicts,
    depends_on,
    execute_install_time_tests,
    register_builder,
    run_after,
    when,
    working_dir,
)

from ._checks import execute_build_time_tests

__all__ = ["MakefileBuilder", "MakefilePackage"]


class MakefilePackage(PackageBase):
    """A package that ``make`` builds and installs, after an ``edit`` of its Makefile."""

    build_system_class = "MakefilePackage"
    default_buildsystem = "makefile"

    build_system("makefile")

    with when("build_system=makefile"):
        conflicts("platform=windows")
        depends_on("gmake", type="build")


@register_builder("makefile")
class MakefileBuilder(BuilderWithDefaults):
    """``make <build_targets>``, then ``make <install_targets>``."""

    phases = ("edit", "build", "install")

    package_methods = ("check", "installcheck")
    package_attributes = (
        "build_targets",
        "install_targets",
        "build_time_test_callbacks",
        "install_time_test_callbacks",
        "build_directory",
    )

    #: Targets of the phase ``build``; none is make's default target.
    build_targets: list[str] = []
    #: Targets of the phase ``install``.
    install_targets = ["install"]

    build_time_test_callbacks = ["check"]
    install_time_test_callbacks = ["installcheck"]

    @property
    def build_directory(self) -> str:
        """Directory of the Makefile."""
        source: str = self.pkg.stage.source_path
        return source

    def edit(self, pkg: MakefilePackage, spec: SpecView, prefix: Prefix) -> None:
        """Nothing; recipes that must change the Makefile do it here."""

    def build(self, pkg: MakefilePackage, spec: SpecView, prefix: Prefix) -> None:
        """Make the build targets."""
        with working_dir(self.build_directory):
            pkg.module.make(*self.build_targets)

    def install(self, pkg: MakefilePackage, spec: SpecView, prefix: Prefix) -> None:
        """Make the install targets."""
        with working_dir(self.build_directory):
            pkg.module.make(*self.install_targets)

    run_after("build")(execute_build_time_tests)

    def check(self) -> None:
        """Make the targets ``test`` and ``check`` where the Makefile has them."""
        with working_dir(self.build_directory):
            self.pkg._if_make_target_execute("test")
            self.pkg._if_make_target_execute("check")

    run_after("install")(execute_install_time_tests)

    def installcheck(self) -> None:
        """Make the target ``installcheck`` where the Makefile has it."""
        with working_dir(self.build_directory):
            self.pkg._if_make_target_execute("installcheck")

    run_after("install", when="platform=darwin")(apply_macos_rpath_fixups)
