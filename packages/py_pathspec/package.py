from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyPathspec(PythonPackage):
    """Utility library for gitignore style pattern matching of file paths."""

    homepage = "https://github.com/cpburnz/python-pathspec"
    pypi = "pathspec/pathspec-1.1.1.tar.gz"

    license("MPL-2.0")

    version("1.1.1", sha256="17db5ecd524104a120e173814c90367a96a98d07c45b2e10c2f3919fff91bf5a")
    version("1.0.4", sha256="0210e2ae8a21a9137c0d470578cb0e595af87edaa6ebf12ff176f14a02e0e645")
    version("0.12.1", sha256="a482d51503a1ab33b1c67a6c3813a26953dbdc71c31dacaef9a838c4e29f5712")
    version("0.11.2", sha256="e0d8d0ac2f12da61956eb2306b69f9469b42f4deb0f3cb6ed47b9cce9996ced3")

    depends_on("python@3.9:", type=("build", "run"), when="@1.0.4:")
    depends_on("python@3.8:", type=("build", "run"), when="@=0.12.1")
    depends_on("python@3.7:", type=("build", "run"), when="@:0.11.2")
    depends_on("py-flit-core@3.2:4", type="build", when="@1.0.4:")
    depends_on("py-flit-core@3.2:3", type="build", when="@:0.12.1")
