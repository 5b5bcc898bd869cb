from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyFindpython(PythonPackage):
    """A utility to find python versions on your system."""

    homepage = "https://github.com/frostming/findpython"
    pypi = "findpython/findpython-0.9.0.tar.gz"

    license("MIT")

    version("0.9.0", sha256="497c6b5eb13734be2542dfb6a93267946339601cbc2f1138c8cd4d40311fefe5")
    version("0.8.0", sha256="53b32264874dfa5990bd09d717819386d8db3149d89fe20f88fe1078de286bae")
    version("0.7.1", sha256="9f29e6a3dabdb75f2b39c949772c0ed26eab15308006669f3478cdab0d867c78")
    version("0.6.3", sha256="5863ea55556d8aadc693481a14ac4f3624952719efc1c5591abb0b4a9e965c94")

    depends_on("python@3.10:", type=("build", "run"), when="@0.9.0:")
    depends_on("python@3.9:", type=("build", "run"), when="@=0.8.0")
    depends_on("python@3.8:", type=("build", "run"), when="@:0.7.1")
    depends_on("py-pdm-backend", type="build")
    depends_on("py-packaging@20:", type="run")
    depends_on("py-platformdirs@4.3.6:", type="run", when="@0.7.1:")
