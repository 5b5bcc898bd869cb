from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyPoetryCore(PythonPackage):
    """Poetry PEP 517 Build Backend."""

    homepage = "https://github.com/python-poetry/poetry-core"
    pypi = "poetry-core/poetry_core-2.5.0.tar.gz"

    license("MIT")

    version("2.5.0", sha256="81d04c9253b19d0604718268d781867c8f7b2128e5b25bbf1e84141eec6b89c4")
    version("2.4.1", sha256="89dceb6c10e9c6d8650a16183400e3c9ff9ddee13b0a81023b5575334a2b3744")
    version("2.3.2", sha256="20cb71be27b774628da9f384effd9183dfceb53bcef84063248a8672aa47031f")
    version("2.2.1", sha256="97e50d8593c8729d3f49364b428583e044087ee3def1e010c6496db76bd65ac5")
    version("1.9.1", sha256="7a2d49214bf58b4f17f99d6891d947a9836c9899a67a5069f52d7b67217f61b8")
    version("1.8.1", sha256="67a76c671da2a70e55047cddda83566035b701f7e463b32a2abfeac6e2a16376")

    depends_on("python@3.10:3", type=("build", "run"), when="@2.3.2:")
    depends_on("python@3.9:3", type=("build", "run"), when="@=2.2.1")
    depends_on("python@3.8:3", type=("build", "run"), when="@:1.9.1")
