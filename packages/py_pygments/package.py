from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyPygments(PythonPackage):
    """Pygments is a syntax highlighting package written in Python."""

    homepage = "https://pygments.org"
    pypi = "pygments/pygments-2.21.0.tar.gz"

    license("BSD-2-Clause")

    version("2.21.0", sha256="610ca751c9bc2492b38eb9a38a7fbc93edbbb2d7182edaf34e66ae493dee5c8c")
    version("2.20.0", sha256="6757cd03768053ff99f3039c1a36d6c0aa0b263438fcab17520b30a303a82b5f")
    version("2.19.2", sha256="636cb2477cec7f8952536970bc533bc43743542f70392ae026374600add5b887")
    version("2.18.0", sha256="786ff802f32e91311bff3889f6e9a86e81505fe99f2735bb6d60ae0c5004f199")
    version("2.17.2", sha256="da46cec9fd2de5be3a8a784f434e4c4ab670b4ff54d605c4c2717e9d49c4c367")

    depends_on("python@3.9:", type=("build", "run"), when="@2.20.0:")
    depends_on("python@3.8:", type=("build", "run"), when="@2.18.0:2.19.2")
    depends_on("python@3.7:", type=("build", "run"), when="@:2.17.2")
    depends_on("py-hatchling@1.27:", type="build", when="@2.20.0:")
    depends_on("py-hatchling", type="build", when="@:2.19.2")
