from spack_repo.builtin.build_systems.generic import Package

from spack.package import *


class Oven(Package):
    """A place to bake."""

    has_code = False

    version("3")

    provides("heat")

    def install(self, spec, prefix):
        mkdirp(prefix.bin)
        touch(prefix.bin.oven)
