from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyHatchFancyPypiReadme(PythonPackage):
    """Fancy PyPI READMEs with Hatch."""

    homepage = "https://github.com/hynek/hatch-fancy-pypi-readme"
    pypi = "hatch-fancy-pypi-readme/hatch_fancy_pypi_readme-25.1.0.tar.gz"

    license("MIT")

    version("25.1.0", sha256="9c58ed3dff90d51f43414ce37009ad1d5b0f08ffc9fc216998a06380f01c0045")
    version("24.1.0", sha256="44dd239f1a779b9dcf8ebc9401a611fd7f7e3e14578dcf22c265dfaf7c1514b8")
    version("23.2.0", sha256="2762b31de2c78572f87d82986910ff46b89834d3743fa5fcdefc1d215ab21b24")
    version("23.1.0", sha256="b1df44063094af1e8248ceacd47a92c9cf313d6b9823bf66af8a927c3960287d")

    depends_on("python@3.8:", type=("build", "run"), when="@25.1.0:")
    depends_on("python@3.7:", type=("build", "run"), when="@:24.1.0")
    depends_on("py-hatchling", type=("build", "run"))
    depends_on("py-tomli", type="run", when="^python@:3.10")
    depends_on("py-typing-extensions", type="run", when="@:24.1.0 ^python@:3.7")
