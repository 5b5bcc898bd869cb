import re

from spack_repo.builtin.build_systems.generic import Package

from spack.package import *


class Rust(Package):
    """The Rust compiler with cargo; that of the machine is used."""

    homepage = "https://www.rust-lang.org"

    tags = ["build-tools"]

    license("Apache-2.0 OR MIT")

    executables = [r"^rustc$"]

    @classmethod
    def determine_version(cls, exe):
        output = Executable(exe)("--version", output=str, error=str, fail_on_error=False)
        match = re.search(r"rustc (\d+[\d.]*)", output)
        return match.group(1) if match else None

    @property
    def command(self):
        return which("rustc", path=[self.prefix.bin], required=True)

    def setup_dependent_package(self, module, dependent_spec):
        module.cargo = which("cargo", path=[self.prefix.bin], required=True)

    def install(self, spec, prefix):
        raise InstallError(
            "rust is used as the machine has it",
            "install it with the distribution's tools, then: spack external find rust",
        )
