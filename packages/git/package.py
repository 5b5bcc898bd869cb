import re

from spack_repo.builtin.build_systems.generic import Package

from spack.package import *


class Git(Package):
    """The version control system; that of the machine is used."""

    homepage = "https://git-scm.com"

    tags = ["build-tools"]

    license("GPL-2.0-only")

    executables = [r"^git$"]

    @classmethod
    def determine_version(cls, exe):
        output = Executable(exe)("--version", output=str, error=str, fail_on_error=False)
        match = re.search(r"git version (\d+[\d.]*)", output)
        return match.group(1) if match else None

    def install(self, spec, prefix):
        raise InstallError(
            "git is used as the machine has it",
            "install it with the distribution's tools, then: spack external find git",
        )
