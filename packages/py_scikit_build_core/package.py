from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyScikitBuildCore(PythonPackage):
    """Build backend for CMake based projects."""

    homepage = "https://github.com/scikit-build/scikit-build-core"
    pypi = "scikit-build-core/scikit_build_core-1.1.2.tar.gz"

    license("Apache-2.0")

    version("1.1.2", sha256="7893709119c5ab1be75cd10442383132c9433b9f104dacef5185949efbea7974")
    version("1.0.3", sha256="a4d7a05978ee37975c37743510c8991e2debce7ef83afb0a07c0c576fd4f16e8")
    version("0.12.2", sha256="562e0bbc9de1a354c87825ccf732080268d6582a0200f648e8c4a2dcb1e3736d")
    version("0.11.6", sha256="5982ccd839735be99cfd3b92a8847c6c196692f476c215da84b79d2ad12f9f1b")
    version("0.7.1", sha256="565f33e15f5aa4514248c508ce3ce40fb6f406f8c3983e891561757b1c9f78ab")

    depends_on("python@3.9:", type=("build", "run"), when="@1.1.2:")
    depends_on("python@3.8:", type=("build", "run"), when="@0.11.6:1.0.3")
    depends_on("python@3.7:", type=("build", "run"), when="@:0.7.1")
    depends_on("py-hatch-vcs@0.4:", type="build", when="@0.12.2:")
    depends_on("py-hatch-vcs", type="build", when="@:0.11.6")
    depends_on("py-hatchling@1.24:", type="build", when="@0.12.2:")
    depends_on("py-hatchling", type="build", when="@:0.11.6")
    depends_on("py-exceptiongroup@1.0:", type="run", when="@0.11.6: ^python@:3.10")
    depends_on("py-exceptiongroup", type="run", when="@:0.7.1 ^python@:3.10")
    depends_on("py-importlib-metadata", type="run", when="@:0.7.1 ^python@:3.7")
    depends_on("py-importlib-resources@1.3:", type="run", when="@:1.0.3 ^python@:3.8")
    depends_on("py-packaging@23.2:", type="run", when="@0.11.6:")
    depends_on("py-packaging@20.9:", type="run", when="@:0.7.1")
    depends_on("py-pathspec@0.12.0:", type="run", when="@0.12.2:")
    depends_on("py-pathspec@0.10.1:", type="run", when="@=0.11.6")
    depends_on("py-tomli@1.2.2:", type="run", when="@0.11.6: ^python@:3.10")
    depends_on("py-tomli@1.1:", type="run", when="@:0.7.1 ^python@:3.10")
    depends_on("py-typing-extensions@4:", type="run", when="@0.12.2: ^python@:3.10")
    depends_on("py-typing-extensions@3.10.0:", type="run", when="@=0.11.6 ^python@:3.8")
    depends_on("py-typing-extensions@3.10.0:", type="run", when="@:0.7.1 ^python@:3.7")
    depends_on("cmake@3.15:", type="run")
    depends_on("ninja@1.5:", type="run")
