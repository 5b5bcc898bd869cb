from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyIniconfig(PythonPackage):
    """brain-dead simple config-ini parsing."""

    homepage = "https://github.com/pytest-dev/iniconfig"
    pypi = "iniconfig/iniconfig-2.3.1.tar.gz"

    license("MIT")

    version("2.3.1", sha256="67f4b9c50da0dedf52af349e7749a80a9057a5031199791b906c3bb3ae878960")
    version("2.2.0", sha256="1807d2bc2eb4231a5e40e2ecee093fc25fc0eb0e2840f01ea50a1d15380adbff")
    version("2.1.0", sha256="3abbd2e30b36733fee78f9c7f7308f2d0050e88f0087fd25c2645f63c773e1c7")
    version("2.0.0", sha256="2d91e135bf72d31a410b17c16da610a82cb55f6b0477d1a902134b24a455b8b3")

    depends_on("python@3.10:", type=("build", "run"), when="@2.2.0:")
    depends_on("python@3.8:", type=("build", "run"), when="@=2.1.0")
    depends_on("python@3.7:", type=("build", "run"), when="@:2.0.0")
    depends_on("py-hatch-vcs", type="build", when="@:2.1.0")
    depends_on("py-hatchling@1.26:", type="build", when="@=2.1.0")
    depends_on("py-hatchling", type="build", when="@:2.0.0")
    depends_on("py-setuptools@77:", type="build", when="@2.2.0:")
    depends_on("py-setuptools-scm@8:", type="build", when="@2.2.0:")
