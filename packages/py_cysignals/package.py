from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyCysignals(PythonPackage):
    """Interrupt and signal handling for Cython."""

    homepage = "https://github.com/sagemath/cysignals"
    pypi = "cysignals/cysignals-1.13.1.tar.gz"

    license("LGPL-3.0-or-later")

    version("1.13.1", sha256="6444b86ddd1f31c7b15e4f0a3dafb973507759676a00f2cc599f0d75062d9eb0")
    version("1.12.6", sha256="3ef3a37bdb244821b85475a08e2762ca1019570b369e321504995fa9a54675ce")
    version("1.12.4", sha256="4aefa3b35eb036cb40b2b948df84725976b987895338204f64550e2d63891f5f")
    version("1.12.3", sha256="89f7626dbf29db5ab3d6eff15a89978f4eb5193c320e9099bcc157dacdefd1eb")

    depends_on("c", type="build")
    depends_on("cxx", type="build")
    depends_on("python@3.13:", type=("build", "link", "run"), when="@1.13.1:")
    depends_on("python@3.12:", type=("build", "link", "run"), when="@=1.12.6")
    depends_on("python@3.9:", type=("build", "link", "run"), when="@:1.12.4")
    depends_on("py-cython@3.1:", type="build", when="@1.12.6:")
    depends_on("py-cython@0.28:", type="build", when="@:1.12.4")
    depends_on("py-meson-python", type="build")
