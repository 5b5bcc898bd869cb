from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyColorama(PythonPackage):
    """Cross-platform colored terminal text."""

    homepage = "https://github.com/tartley/colorama"
    pypi = "colorama/colorama-0.4.6.tar.gz"

    license("BSD-3-Clause")

    version("0.4.6", sha256="08695f5cb7ed6e0531a20572697297273c47b8cae5a63ffc6d6ed5c201be6e44")

    depends_on("python@2.7:2,3.7:", type=("build", "run"))
    depends_on("py-hatchling@0.25.1:", type="build")
