from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyHumanfriendly(PythonPackage):
    """Human friendly output for text interfaces using Python."""

    homepage = "https://humanfriendly.readthedocs.io"
    pypi = "humanfriendly/humanfriendly-10.0.tar.gz"

    license("MIT")

    version("10.0", sha256="6b0b831ce8f15f7300721aa49829fc4e83921a9a301cc7f606be6686a2288ddc")
    version("9.2", sha256="f7dba53ac7935fd0b4a2fc9a29e316ddd9ea135fb3052d3d0279d10c18ff9c48")
    version("9.1", sha256="066562956639ab21ff2676d1fda0b5987e985c534fc76700a19bd54bcb81121d")

    depends_on("python@2.7:2,3.5:", type=("build", "run"))
    depends_on("py-setuptools", type="build")
