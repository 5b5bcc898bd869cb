import re

from spack_repo.builtin.build_systems.generic import Package

from spack.package import *


class Ninja(Package):
    """A small build system with a focus on speed; that of the machine is used."""

    homepage = "https://ninja-build.org/"

    tags = ["build-tools"]

    license("Apache-2.0")

    executables = [r"^ninja(-build)?$"]

    @classmethod
    def determine_version(cls, exe):
        output = Executable(exe)("--version", output=str, error=str, fail_on_error=False)
        match = re.search(r"^(\d+[\d.]*)", output)
        return match.group(1) if match else None

    @property
    def command(self):
        return which("ninja", "ninja-build", path=[self.prefix.bin], required=True)

    def setup_dependent_package(self, module, dependent_spec):
        module.ninja = MakeExecutable(
            self.command.path,
            jobs=determine_number_of_jobs(parallel=dependent_spec.package.parallel),
            supports_jobserver=self.spec.satisfies("@1.13:"),
        )

    def install(self, spec, prefix):
        raise InstallError(
            "ninja is used as the machine has it",
            "install it with the distribution's tools, then: spack external find ninja",
        )
