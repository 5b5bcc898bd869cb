from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyVcsVersioning(PythonPackage):
    """the blessed package to manage your versions by vcs metadata."""

    homepage = "https://github.com/pypa/setuptools-scm"
    pypi = "vcs-versioning/vcs_versioning-2.6.0.tar.gz"

    license("MIT")

    version("2.6.0", sha256="22e9159288e2d8bca2fa6f6c31c34c9c66aec157f60e9e526f5d160d2516d60f")
    version("2.5.0", sha256="956a796e31f80fe714d219d6d1df15a6bf247d10f6d851bf4b98279d0a42da55")
    version("2.4.1", sha256="d4575de3115ec9434393c87c80ffb0eb98a16056bfe2b11ce0f3a97aff67fe0a")
    version("2.3.4", sha256="f3443da15a34a32755b04324e33c6166add300c7661f45902225190c9337f711")
    version("1.1.1", sha256="fabd75a3cab7dd8ac02fe24a3a9ba936bf258667b5a62ed468c9a1da0f5775bc")

    depends_on("python@3.8:", type=("build", "run"), when="@2.3.4:")
    depends_on("python@3.10:", type=("build", "run"), when="@:1.1.1")
    depends_on("py-setuptools@45:", type="build", when="@2.3.4:")
    depends_on("py-setuptools@77.0.3:", type="build", when="@:1.1.1")
    depends_on("py-packaging@26.2:", type=("build", "run"), when="@2.3.4:")
    depends_on("py-packaging@20:", type=("build", "run"), when="@:1.1.1")
    depends_on("py-typing-extensions@4.1:", type=("build", "run"), when="@2.3.4: ^python@:3.10")
    depends_on("py-typing-extensions", type=("build", "run"), when="@:1.1.1 ^python@:3.10")
    depends_on("py-tomli@1:", type="run", when="^python@:3.10")
