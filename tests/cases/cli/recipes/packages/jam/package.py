from spack_repo.builtin.build_systems.generic import Package

from spack.package import *


class Jam(Package):
    """Needs an older fruit than anybody has."""

    has_code = False

    version("1.0")

    depends_on("fruit@:1.1", type="run")
    depends_on("heat", type="build")
