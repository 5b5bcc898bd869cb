"""Rust packages built with cargo."""

from __future__ import annotations

from spack.api.context import SpecView
from spack.package import (
    BuilderWithDefaults,
    PackageBase,
    Prefix,
    build_system,
    depends_on,
    execute_install_time_tests,
    install_tree,
    register_builder,
    run_after,
    when,
    working_dir,
)

__all__ = ["CargoBuilder", "CargoPackage"]


class CargoPackage(PackageBase):
    """A package with a ``Cargo.toml``."""

    build_system_class = "CargoPackage"
    default_buildsystem = "cargo"

    build_system("cargo")

    with when("build_system=cargo"):
        depends_on("rust", type="build")


@register_builder("cargo")
class CargoBuilder(BuilderWithDefaults):
    """``cargo install`` into the build directory, then a copy into the prefix."""

    phases = ("build", "install")

    package_methods = ("check", "installcheck")
    package_attributes = (
        "build_args",
        "check_args",
        "build_directory",
        "install_time_test_callbacks",
    )

    install_time_test_callbacks = ["check"]

    @property
    def build_directory(self) -> str:
        """Directory of ``Cargo.toml``."""
        source: str = self.pkg.stage.source_path
        return source

    @property
    def std_build_args(self) -> list[str]:
        """Arguments that every cargo build gets."""
        return ["-j", str(self.pkg.module.make_jobs)]

    @property
    def build_args(self) -> list[str]:
        """Arguments of the recipe."""
        return []

    @property
    def check_args(self) -> list[str]:
        """Arguments of ``cargo test``."""
        return []

    def build(self, pkg: CargoPackage, spec: SpecView, prefix: Prefix) -> None:
        """Build into ``out``."""
        with working_dir(self.build_directory):
            pkg.module.cargo(
                "install", "--root", "out", "--path", ".", *self.std_build_args, *self.build_args
            )

    def install(self, pkg: CargoPackage, spec: SpecView, prefix: Prefix) -> None:
        """Copy what has been built."""
        with working_dir(self.build_directory):
            install_tree("out", prefix)

    run_after("install")(execute_install_time_tests)

    def check(self) -> None:
        """Run ``cargo test``."""
        with working_dir(self.build_directory):
            self.pkg.module.cargo("test", *self.check_args)
