import re

from spack_repo.builtin.build_systems.generic import Package

from spack.package import *


class Pkgconf(Package):
    """Names the directories of libraries for compilers; the machine's own is used."""

    homepage = "http://pkgconf.org/"

    tags = ["build-tools"]

    license("ISC")

    provides("pkgconfig")

    executables = [r"^pkgconf$|^pkg-config$"]

    @classmethod
    def determine_version(cls, exe):
        output = Executable(exe)("--version", output=str, error=str, fail_on_error=False)
        match = re.search(r"^(\d+[\d.]*)", output)
        return match.group(1) if match else None

    @property
    def command(self):
        return which("pkg-config", "pkgconf", path=[self.prefix.bin], required=True)

    def install(self, spec, prefix):
        raise InstallError(
            "pkgconf is used as the machine has it",
            "install it with the distribution's tools, then: spack external find pkgconf",
        )
