from spack_repo.builtin.build_systems.autotools import AutotoolsPackage

from spack.package import *


class Libyaml(AutotoolsPackage):
    """A C library for parsing and emitting YAML."""

    homepage = "https://pyyaml.org/wiki/LibYAML"
    url = "https://github.com/yaml/libyaml/releases/download/0.2.5/yaml-0.2.5.tar.gz"

    license("MIT")

    version("0.2.5", sha256="c642ae9b75fee120b2d96c712538bd2cf283228d2337df2cf2988e3c02678ef4")
    version("0.2.4", sha256="d80aeda8747b7c26fbbfd87ab687786e58394a8435ae3970e79cb97882e30557")

    depends_on("c", type="build")
