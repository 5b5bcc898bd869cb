from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class Meson(PythonPackage):
    """A high performance build system."""

    homepage = "https://mesonbuild.com"
    pypi = "meson/meson-1.12.1.tar.gz"

    license("Apache-2.0")

    version("1.12.1", sha256="ab0a6ca09f8ef70c564c8241fb5a23957886a0b53fb58412b5e07eaf07dba743")
    version("1.11.2", sha256="698feae069cef3ecd4d7aaf281d7df359bdfcf555a9a1564383d3b913fa8a736")
    version("1.10.2", sha256="7890287d911dd4ee1ebd0efb61ed0321bfcd87c725df923a837cf90c6508f96b")
    version("1.9.2", sha256="3499b59bb23982496e01e57b4103ac2f826f9c3a3f59e507a0a832487fe55e3d")
    version("1.5.2", sha256="f955e09ab0d71ef180ae85df65991d58ed8430323de7d77a37e11c9ea630910b")
    version("1.3.2", sha256="492eb450c8b073024276f916f5adbb3c4bb7e90e9e6ec124efda064f3d9b5baa")

    depends_on("python@3.10:", type=("build", "run"), when="@1.12.1:")
    depends_on("python@3.7:", type=("build", "run"), when="@:1.11.2")
    depends_on("py-setuptools@42:", type="build")
    depends_on("py-wheel", type="build", when="@:1.10.2")
    depends_on("ninja", type="run")

    def setup_dependent_package(self, module, dependent_spec):
        module.meson = Executable(self.prefix.bin.meson)
