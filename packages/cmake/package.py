import re

from spack_repo.builtin.build_systems.generic import Package

from spack.package import *


class Cmake(Package):
    """A cross-platform build system; that of the machine is used."""

    homepage = "https://www.cmake.org"

    tags = ["build-tools"]

    license("BSD-3-Clause")

    executables = [r"^cmake3?$"]

    @classmethod
    def determine_version(cls, exe):
        output = Executable(exe)("--version", output=str, error=str, fail_on_error=False)
        match = re.search(r"cmake\S* version (\S+)", output)
        return match.group(1) if match else None

    @property
    def command(self):
        return which("cmake", "cmake3", path=[self.prefix.bin], required=True)

    def setup_dependent_package(self, module, dependent_spec):
        module.cmake = self.command
        ctest = which_string("ctest", "ctest3", path=[self.prefix.bin])
        if ctest is not None:
            module.ctest = MakeExecutable(
                ctest,
                jobs=determine_number_of_jobs(parallel=dependent_spec.package.parallel),
                supports_jobserver=False,
            )

    def install(self, spec, prefix):
        raise InstallError(
            "cmake is used as the machine has it",
            "install it with the distribution's tools, then: spack external find cmake",
        )
