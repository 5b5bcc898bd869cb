from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyCoherentLicensed(PythonPackage):
    """License management tooling for Coherent System and skeleton projects."""

    homepage = "https://github.com/coherent-oss/coherent.licensed"
    pypi = "coherent-licensed/coherent_licensed-0.5.2.tar.gz"

    license("MIT")

    version("0.5.2", sha256="d8071403ce742d3ac3592ddc4fb7057a46caffb415b928b4d52802e5f208416d")
    version("0.4.1", sha256="8ce06acba9cc78726ab9a46977212b10c982a306083e688d19717383144c04b7")
    version("0.3.0", sha256="c9003113f5c96b4e9094bbc13099f4c95a44edd16b389f89640bfebd6d0b4710")

    depends_on("python@3.9:", type=("build", "run"))
    depends_on("py-flit-core@3.11:3", type="build")
