import re

from spack_repo.builtin.build_systems.generic import Package

from spack.package import *


class Gmake(Package):
    """GNU make; that of the machine is used."""

    homepage = "https://www.gnu.org/software/make/"

    tags = ["build-tools"]

    license("GPL-3.0-or-later")

    executables = [r"^g?make$"]

    @classmethod
    def determine_version(cls, exe):
        output = Executable(exe)("--version", output=str, error=str, fail_on_error=False)
        match = re.search(r"GNU Make (\S+)", output)
        return match.group(1) if match else None

    @property
    def command(self):
        return which("gmake", "make", path=[self.prefix.bin], required=True)

    def setup_dependent_package(self, module, dependent_spec):
        module.make = MakeExecutable(
            self.command.path,
            jobs=determine_number_of_jobs(parallel=dependent_spec.package.parallel),
        )
        module.gmake = module.make

    def install(self, spec, prefix):
        raise InstallError(
            "gmake is used as the machine has it",
            "install it with the distribution's tools, then: spack external find gmake",
        )
