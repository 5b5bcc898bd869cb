from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyColoredlogs(PythonPackage):
    """Colored terminal output for Python's logging module."""

    homepage = "https://coloredlogs.readthedocs.io"
    pypi = "coloredlogs/coloredlogs-15.0.1.tar.gz"

    license("MIT")

    version("15.0.1", sha256="7c991aa71a4577af2f82600d8f8f3a89f936baeaf9b50a9c197da014e5bf16b0")
    version("14.3", sha256="7ef1a7219870c7f02c218a2f2877ce68f2f8e087bb3a55bd6fbaa2a4362b4d52")

    depends_on("python@2.7:2,3.5:", type=("build", "run"))
    depends_on("py-setuptools", type="build")
    depends_on("py-humanfriendly@9.1:", type="run", when="@15.0.1:")
    depends_on("py-humanfriendly@7.1:", type="run", when="@:14.3")
