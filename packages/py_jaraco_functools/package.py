from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyJaracoFunctools(PythonPackage):
    """Functools like those found in stdlib."""

    homepage = "https://github.com/jaraco/jaraco.functools"
    pypi = "jaraco-functools/jaraco_functools-4.6.0.tar.gz"

    license("MIT")

    version("4.6.0", sha256="880c577ec9720b3a052d5bc611fb9f2269b3d87902ef42440df443b88e443280")
    version("4.5.0", sha256="3bb5665ea4a020cf78a7040e89154c77edadb3ca74f366479669c5999aa70b03")
    version("4.4.0", sha256="da21933b0417b89515562656547a77b4931f98176eb173644c0d35032a33d6bb")
    version("4.3.0", sha256="cfd13ad0dd2c47a3600b439ef72d8615d482cedcff1632930d6f28924d92f294")
    version("4.0.2", sha256="3460c74cd0d32bf82b9576bbb3527c4364d5b27a21f5158a62aed6c4b42e23f5")

    depends_on("python@3.10:", type=("build", "run"), when="@4.5.0:")
    depends_on("python@3.9:", type=("build", "run"), when="@4.3.0:4.4.0")
    depends_on("python@3.8:", type=("build", "run"), when="@:4.0.2")
    depends_on("py-coherent-licensed", type="build", when="@4.3.0:")
    depends_on("py-setuptools@77:", type="build", when="@4.3.0:")
    depends_on("py-setuptools@61.2:", type="build", when="@:4.0.2")
    depends_on("py-setuptools-scm@3.4.1:", type="build")
    depends_on("py-more-itertools", type="run")
