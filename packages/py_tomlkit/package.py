from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyTomlkit(PythonPackage):
    """Style preserving TOML library."""

    homepage = "https://github.com/python-poetry/tomlkit"
    pypi = "tomlkit/tomlkit-0.15.2.tar.gz"

    license("MIT")

    version("0.15.2", sha256="83e32755ba1d20d9340bd069ee97e9f6232ba2346b63ffcba425de01f7e327a6")
    version("0.14.0", sha256="cf00efca415dbd57575befb1f6634c4f42d2d87dbba376128adb42c121b87064")
    version("0.13.3", sha256="430cf247ee57df2b94ee3fbe588e71d362a941ebb545dec29b53961d61add2a1")
    version("0.12.5", sha256="eef34fba39834d4d6b73c9ba7f3e4d1c417a4e56f89a7e96e090dd0d24b8fb3c")

    depends_on("python@3.9:", type=("build", "run"), when="@0.14.0:")
    depends_on("python@3.8:", type=("build", "run"), when="@=0.13.3")
    depends_on("python@3.7:", type=("build", "run"), when="@:0.12.5")
    depends_on("py-poetry-core@2.2.0:", type="build", when="@0.15.2:")
    depends_on("py-poetry-core@1.0.0:", type="build", when="@:0.14.0")
