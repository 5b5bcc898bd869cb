from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyZipp(PythonPackage):
    """Backport of pathlib-compatible object wrapper for zip files."""

    homepage = "https://github.com/jaraco/zipp"
    pypi = "zipp/zipp-4.1.2.tar.gz"

    license("MIT")

    version("4.1.2", sha256="cf474b90b07ea932637e17c6b9479de2b2882900b0d311bdaf4f5c000a15a97f")
    version("3.23.1", sha256="32120e378d32cd9714ad503c1d024619063ec28aad2248dc6672ad13edfa5110")
    version("3.23.0", sha256="a07157588a12518c9d4034df3fbbee09c814741a33ff63c05fa29d26a2404166")
    version("3.22.0", sha256="dd2f28c3ce4bc67507bfd3781d21b7bb2be31103b51a4553ad7d90b84e57ace5")
    version("3.21.0", sha256="2c9958f6430a2040341a52eb608ed6dd93ef4392e02ffe219417c1b28b5dd1f4")
    version("3.20.2", sha256="bc9eb26f4506fda01b81bcde0ca78103b6e62f991b381fec825435c836edbc29")
    version("3.17.0", sha256="84e64a1c28cf7e91ed2078bb8cc8c259cb19b76942096c8d7b84947690cabaf0")

    depends_on("python@3.10:", type=("build", "run"), when="@4.1.2:")
    depends_on("python@3.9:", type=("build", "run"), when="@3.21.0:3.23.1")
    depends_on("python@3.8:", type=("build", "run"), when="@:3.20.2")
    depends_on("py-coherent-licensed", type="build", when="@3.22.0:")
    depends_on("py-setuptools@77:", type="build", when="@3.22.0:")
    depends_on("py-setuptools@61.2:", type="build", when="@3.20.2:3.21.0")
    depends_on("py-setuptools@56:", type="build", when="@:3.17.0")
    depends_on("py-setuptools-scm@3.4.1:", type="build")
