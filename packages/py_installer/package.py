from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyInstaller(PythonPackage):
    """A library for installing Python wheels."""

    homepage = "https://github.com/pypa/installer"
    pypi = "installer/installer-1.1.0.tar.gz"

    license("MIT")

    version("1.1.0", sha256="5adc0c01ce62d809989e246987cd68944fe5df8af562d0358f65b2ab15cb5de7")
    version("1.0.1", sha256="052c7fc3721d54c696e2dea019be67539d7b144e924f559f54beb3121831c364")
    version("0.7.0", sha256="a26d3e3116289bb08216e0d0f7d925fcef0b0194eedfa0c944bcaaa106c4b631")
    version("0.6.0", sha256="f3bd36cd261b440a88a1190b1becca0578fee90b4b62decc796932fdd5ae8839")

    depends_on("python@3.10:", type=("build", "run"), when="@1.0.1:")
    depends_on("python@3.7:", type=("build", "run"), when="@:0.7.0")
    depends_on("py-flit-core@3.11:4", type="build", when="@1.1.0:")
    depends_on("py-flit-core@3.11:3", type="build", when="@=1.0.1")
    depends_on("py-flit-core@3.2.0:3", type="build", when="@:0.7.0")
