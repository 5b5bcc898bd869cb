from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyExceptiongroup(PythonPackage):
    """Backport of PEP 654 (exception groups)."""

    homepage = "https://github.com/agronholm/exceptiongroup"
    pypi = "exceptiongroup/exceptiongroup-1.3.1.tar.gz"

    license("MIT AND PSF-2.0")

    version("1.3.1", sha256="8b412432c6055b0b7d14c310000ae93352ed6754f70fa8f7c34141f91c4e3219")
    version("1.2.2", sha256="47c2edf7c6738fafb49fd34290706d1a1a2f4d1c6df275526b62cbb4aa5393cc")
    version("1.1.3", sha256="097acd85d473d75af5bb98e41b61ff7fe35efe6675e4f9370ec6ec5126d160e9")

    depends_on("python@3.7:", type=("build", "run"))
    depends_on("py-flit-scm", type="build")
    depends_on("py-typing-extensions@4.6.0:", type="run", when="@1.3.1: ^python@:3.12")
