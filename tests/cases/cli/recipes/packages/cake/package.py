from spack_repo.builtin.build_systems.generic import Package

from spack.package import *


class Cake(Package):
    """Needs fruit, and an oven while it is made."""

    has_code = False

    version("1.0")

    variant("cream", default=False, description="On top")

    depends_on("fruit@1.2:", type=("build", "run"))
    depends_on("fruit@2:", when="+cream", type=("build", "run"))
    depends_on("oven", type="build")

    def install(self, spec, prefix):
        mkdirp(prefix.share)
        touch(prefix.share.cake)
