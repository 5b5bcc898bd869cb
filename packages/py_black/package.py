from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyBlack(PythonPackage):
    """The uncompromising code formatter."""

    homepage = "https://github.com/psf/black"
    pypi = "black/black-26.10.1.tar.gz"

    license("MIT")

    version("26.10.1", sha256="5f9f83beae62437e060dafd53d7f1fc327e3d3494f74d72ee5c2b73eb90fc4e7")
    version("26.5.1", sha256="dd321f668053961824bcc1be1cc1df748b2d7e4fa28086b08331e577b0100a73")
    version("26.3.1", sha256="2c50f5063a9641c7eed7795014ba37b0f5fa227f3d408b968936e24bc0566b07")
    version("26.1.0", sha256="d294ac3340eef9c9eb5d29288e96dc719ff269a88e27b396340459dd85da4c58")
    version("25.12.0", sha256="8d3dd9cea14bff7ddc0eb243c811cdb1a011ebb4800a5f0335a01a68654796a7")
    version("25.1.0", sha256="33496d5cd1222ad73391352b4ae8da15253c5de89b93a80b3e2c8d9a19ec2666")
    version("24.10.0", sha256="846ea64c97afe3bc677b761787993be4991810ecc7a4a937816dd6bddedc4875")
    version("24.1.0", sha256="30fbf768cd4f4576598b1db0202413fafea9a227ef808d1a12230c643cefe9fc")

    depends_on("python@3.10:", type=("build", "run"), when="@25.12.0:")
    depends_on("python@3.9:", type=("build", "run"), when="@24.10.0:25.1.0")
    depends_on("python@3.8:", type=("build", "run"), when="@:24.1.0")
    depends_on("py-hatch-fancy-pypi-readme", type="build")
    depends_on("py-hatch-vcs@0.3.0:", type="build", when="@26.3.1:")
    depends_on("py-hatch-vcs", type="build", when="@:26.1.0")
    depends_on("py-hatchling@1.27.0:", type="build", when="@25.12.0:")
    depends_on("py-hatchling@1.20.0:", type="build", when="@:25.1.0")
    depends_on("py-click@8.0.0:", type="run")
    depends_on("py-mypy-extensions@0.4.3:", type="run")
    depends_on("py-packaging@22.0:", type="run")
    depends_on("py-pathspec@1.0.0:", type="run", when="@26.1.0:")
    depends_on("py-pathspec@0.9.0:", type="run", when="@:25.12.0")
    depends_on("py-platformdirs@2:", type="run")
    depends_on("py-pytokens@0.4.0:0.4", type="run", when="@26.3.1:")
    depends_on("py-pytokens@0.3.0:", type="run", when="@25.12.0:26.1.0")
    depends_on("py-tomli@1.1.0:", type="run", when="^python@:3.10")
    depends_on("py-typing-extensions@4.0.1:", type="run", when="^python@:3.10")
