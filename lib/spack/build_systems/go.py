"""Go packages."""

from __future__ import annotations

from spack.api.context import SpecView
from spack.package import (
    BuilderWithDefaults,
    EnvironmentModifications,
    PackageBase,
    Prefix,
    build_system,
    depends_on,
    execute_install_time_tests,
    install,
    mkdirp,
    register_builder,
    run_after,
    when,
    working_dir,
)

__all__ = ["GoBuilder", "GoPackage"]


class GoPackage(PackageBase):
    """A package with a ``go.mod``."""

    build_system_class = "GoPackage"
    default_buildsystem = "go"

    build_system("go")

    with when("build_system=go"):
        depends_on("go", type="build")


@register_builder("go")
class GoBuilder(BuilderWithDefaults):
    """``go build``, then a copy of the program into ``bin``."""

    phases = ("build", "install")

    package_methods = ("check", "installcheck")
    package_attributes = (
        "std_build_args",
        "build_args",
        "std_ldflags",
        "ldflags",
        "check_args",
        "build_directory",
        "install_time_test_callbacks",
    )

    install_time_test_callbacks = ["check"]

    @property
    def build_directory(self) -> str:
        """Directory of ``go.mod``."""
        source: str = self.pkg.stage.source_path
        return source

    @property
    def std_ldflags(self) -> list[str]:
        """Linker flags of every build: no symbol table, no debug information."""
        return ["-s", "-w"]

    @property
    def ldflags(self) -> list[str]:
        """Linker flags of the recipe."""
        return []

    @property
    def std_build_args(self) -> list[str]:
        """Arguments that every build gets."""
        flags = " ".join([*self.std_ldflags, *self.ldflags])
        jobs = str(self.pkg.module.make_jobs)
        return ["-p", jobs, "-modcacherw", "-trimpath", "-ldflags", flags, "-o", self.pkg.name]

    @property
    def build_args(self) -> list[str]:
        """Arguments of the recipe."""
        return []

    @property
    def check_args(self) -> list[str]:
        """Arguments of ``go test``."""
        return []

    def setup_build_environment(self, env: EnvironmentModifications) -> None:
        """Enable cgo where the package depends on a C compiler."""
        env.set("CGO_ENABLED", "1" if self.spec.satisfies("%c") else "0")

    def build(self, pkg: GoPackage, spec: SpecView, prefix: Prefix) -> None:
        """Build the program."""
        with working_dir(self.build_directory):
            pkg.module.go("build", *self.std_build_args, *self.build_args)

    def install(self, pkg: GoPackage, spec: SpecView, prefix: Prefix) -> None:
        """Copy the program."""
        with working_dir(self.build_directory):
            mkdirp(prefix.bin)
            install(pkg.name, prefix.bin)

    run_after("install")(execute_install_time_tests)

    def check(self) -> None:
        """Run ``go test``."""
        with working_dir(self.build_directory):
            self.pkg.module.go("test", *self.check_args)
