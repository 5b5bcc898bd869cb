from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyPlatformdirs(PythonPackage):
    """A small Python package for determining appropriate platform-specific dirs, e.g. a `user data
    dir`."""

    homepage = "https://github.com/tox-dev/platformdirs"
    pypi = "platformdirs/platformdirs-4.14.5.tar.gz"

    license("MIT")

    version("4.14.5", sha256="32e9921db7385aa8169bee4fe9501923e5715ba9fb7ea3b9c69b0d8e0639f7a1")
    version("4.13.7", sha256="f7f351c027d6632c30471124e1fdb6ac0fef9ccc5cbac1b34cb333431b1fc3e1")
    version("4.12.4", sha256="63743c02414e755de4e31b8f68125c1407495b86c5a006e203c01ff8b9924250")
    version("4.11.15", sha256="d7419e973b2b740d428200130f80c0e79304d1c71081001db911e15b26a3a6d4")
    version("4.7.1", sha256="6f4ff8472e482af4b7e67a183fbe63da846a9b34f57d5019c4d112a181003d82")
    version("4.5.1", sha256="61d5cdcc6065745cdd94f0f878977f8de9437be93de97c1c12f853c9c0cdcbda")
    version("4.3.8", sha256="3d512d96e16bcb959a814c9f348431070822a6496326a4be0911c40b5a74c2bc")
    version("4.0.0", sha256="cb633b2bcf10c51af60beb0ab06d2f1d69064b43abf4c185ca6b28865f3f9731")

    depends_on("python@3.11:", type=("build", "run"), when="@4.13.7:")
    depends_on("python@3.10:", type=("build", "run"), when="@4.5.1:4.12.4")
    depends_on("python@3.9:", type=("build", "run"), when="@=4.3.8")
    depends_on("python@3.7:", type=("build", "run"), when="@:4.0.0")
    depends_on("py-hatch-fancy-pypi-readme@25.1:", type="build", when="@4.13.7:")
    depends_on("py-hatch-vcs@0.5:", type="build", when="@4.5.1:")
    depends_on("py-hatch-vcs@0.4:", type="build", when="@=4.3.8")
    depends_on("py-hatch-vcs@0.3:", type="build", when="@:4.0.0")
    depends_on("py-hatchling@1.29:", type="build", when="@4.11.15:")
    depends_on("py-hatchling@1.27:", type="build", when="@4.3.8:4.7.1")
    depends_on("py-hatchling@1.17.1:", type="build", when="@:4.0.0")
    depends_on("py-typing-extensions@4.7.1:", type="run", when="@:4.0.0 ^python@:3.7")
