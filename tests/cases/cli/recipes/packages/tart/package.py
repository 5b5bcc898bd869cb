from spack_repo.builtin.build_systems.generic import Package

from spack.package import *


class Tart(Package):
    """Has a file that fruit has too, with tests that can be run later."""

    has_code = False
    tags = ["sweet", "baked"]

    maintainers("gardener", "Baker")

    version("1.0")

    depends_on("heat", type="build")

    def install(self, spec, prefix):
        mkdirp(prefix.bin)
        with open(prefix.bin.fruit, "w") as stream:
            stream.write("#!/bin/sh\necho tart\n")
        set_executable(prefix.bin.fruit)

    def test_taste(self):
        """it tastes like a tart"""
        fruit = which(self.prefix.bin.fruit)
        assert "tart" in fruit(output=str)
