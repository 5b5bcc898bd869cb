from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyClick(PythonPackage):
    """Composable command line interface toolkit."""

    homepage = "https://github.com/pallets/click/"
    pypi = "click/click-8.5.1.tar.gz"

    license("BSD-3-Clause")

    version("8.5.1", sha256="9bbfada76703fd1d784b83eea012e3e8c6a001a876543ef104fa56aaaeb072b4")
    version("8.4.2", sha256="9a6cea6e60b17ebe0a44c5cc636d94f09bd66142c1cd7d8b4cd731c4917a15f6")
    version("8.3.3", sha256="398329ad4837b2ff7cbe1dd166a4c0f8900c3ca3a218de04466f38f6497f18a2")
    version("8.2.1", sha256="27c491cc05d968d271d5a1db13e3b5a184636d9d930f148c50b038f0d0646202")
    version("8.1.8", sha256="ed53c9d8990d83c2a27deae68e4ee337473f6330c040a31d4225c9574d16096a")

    depends_on("python@3.10:", type=("build", "run"), when="@8.2.1:")
    depends_on("python@3.7:", type=("build", "run"), when="@:8.1.8")
    depends_on("py-flit-core@3.11:3", type="build", when="@8.3.3:")
    depends_on("py-flit-core@:3", type="build", when="@:8.2.1")
    depends_on("py-colorama", type="run", when="@:8.4.2 platform=windows")
    depends_on("py-importlib-metadata", type="run", when="@:8.1.8 ^python@:3.7")
