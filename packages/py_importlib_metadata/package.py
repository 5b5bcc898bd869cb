from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyImportlibMetadata(PythonPackage):
    """Read metadata from Python packages."""

    homepage = "https://github.com/python/importlib_metadata"
    pypi = "importlib-metadata/importlib_metadata-10.1.0.tar.gz"

    license("Apache-2.0")

    version("10.1.0", sha256="82b04047fa09792c1a8cfeddfe08bec79e4b13c29c8469b0d3949860f61017e8")
    version("10.0.0", sha256="91f91d04082e49e99df91762a6571ad65a56dabf876b860e668ffa107eaf1a98")
    version("9.1.0", sha256="9607fb24f95d4e0b1c17d57ec4604357d76d3f0d154f19fd4861f2e31c8e4065")
    version("8.7.1", sha256="49fef1ae6440c182052f407c8d34a68f72efc36db9ca90dc0113398f2fdde8bb")
    version("7.2.1", sha256="509ecb2ab77071db5137c655e24ceb3eee66e7bbc6574165d0d114d9fc4bbe68")

    depends_on("python@3.11:", type=("build", "run"), when="@9.1.0:")
    depends_on("python@3.9:", type=("build", "run"), when="@=8.7.1")
    depends_on("python@3.8:", type=("build", "run"), when="@:7.2.1")
    depends_on("py-coherent-licensed", type="build", when="@8.7.1:")
    depends_on("py-setuptools@77:", type="build", when="@8.7.1:")
    depends_on("py-setuptools@61.2:", type="build", when="@:7.2.1")
    depends_on("py-setuptools-scm@3.4.1:", type="build")
    depends_on("py-typing-extensions@3.6.4:", type="run", when="@:7.2.1 ^python@:3.7")
    depends_on("py-zipp@3.20:", type="run", when="@8.7.1:")
    depends_on("py-zipp@0.5:", type="run", when="@:7.2.1")
