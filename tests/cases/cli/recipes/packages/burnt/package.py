from spack_repo.builtin.build_systems.generic import Package

from spack.package import *


class Burnt(Package):
    """Fails on purpose."""

    has_code = False

    version("1.0")

    depends_on("oven", type="build")

    def install(self, spec, prefix):
        mkdirp(prefix.share)
        sh = which("sh")
        sh("-c", "echo warming up; echo oven.c:3:1: error: too hot >&2; exit 3")
