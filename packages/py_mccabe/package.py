from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyMccabe(PythonPackage):
    """McCabe checker, plugin for flake8."""

    homepage = "https://github.com/pycqa/mccabe"
    pypi = "mccabe/mccabe-0.7.0.tar.gz"

    license("MIT")

    version("0.7.0", sha256="348e0240c33b60bbdf4e523192ef919f28cb2c3d7d5c7794f74009290f236325")
    version("0.6.1", sha256="dd8d182285a0fe56bace7f45b5e7d1a6ebcbf524e8f3bd87eb0f125271b8831f")

    depends_on("python@3.6:", type=("build", "run"), when="@0.7.0:")
    depends_on("py-setuptools", type="build")
