from spack_repo.builtin.build_systems.generic import Package

from spack.package import *


class Fruit(Package):
    """Something sweet. Other packages of these cases need it."""

    homepage = "https://fruit.example"
    has_code = False

    license("MIT")
    maintainers("gardener")

    version("2.1")
    version("2.0", deprecated=True)
    version("1.4", preferred=True)
    version("1.2")

    variant("ripe", default=True, description="Wait for the sun")
    variant(
        "colour",
        default="red",
        values=("red", "green", conditional("blue", when="@2:")),
        description="What it looks like",
    )

    conflicts("~ripe", when="colour=red", msg="red ones are ripe")

    def install(self, spec, prefix):
        mkdirp(prefix.bin)
        with open(prefix.bin.fruit, "w") as stream:
            stream.write(f"#!/bin/sh\necho fruit {spec.version}\n")
        set_executable(prefix.bin.fruit)
