from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyPdmBackend(PythonPackage):
    """The build backend used by PDM that supports latest packaging standards."""

    homepage = "https://github.com/pdm-project/pdm-backend"
    pypi = "pdm-backend/pdm_backend-2.5.0.tar.gz"

    license("MIT")

    version("2.5.0", sha256="7953b994563d3151755e3364b9d0cfe817ed0eaecdf27c8f777f412d26bcd98a")
    version("2.4.10", sha256="551b049379d4f270cba18f5bf73031cc229a4f883e085265465d326d4a636861")
    version("2.3.3", sha256="a8616f628ec84353d7a0ba86b228dcf01bab5debc9e4d1a29e5311a52425d594")
    version("2.2.1", sha256="5052b0dcff5452b79225acd133d3e67f20a43c79f55aa3595aa9159788bdf535")

    depends_on("python@3.9:", type=("build", "run"), when="@2.4.10:")
    depends_on("python@3.8:", type=("build", "run"), when="@=2.3.3")
    depends_on("python@3.7:", type=("build", "run"), when="@:2.2.1")
    depends_on("py-importlib-metadata@3.6:", type="run", when="^python@:3.9")
