from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyMypyExtensions(PythonPackage):
    """Type system extensions for programs checked with the mypy type checker."""

    homepage = "https://github.com/python/mypy_extensions"
    pypi = "mypy-extensions/mypy_extensions-1.2.0.tar.gz"

    license("MIT")

    version("1.2.0", sha256="c6e275a07f1c2fc096b62940452d0eaa3f3af7de45d704787866240a7c6d5a51")
    version("1.1.0", sha256="52e68efc3284861e772bbcd66823fde5ae21fd2fdb51c62a211403730b916558")
    version("1.0.0", sha256="75dbf8955dc00442a438fc4d0666508a9a97b6bd41aa2f0ffe9d2f2725af0782")

    depends_on("python@3.10:", type=("build", "run"), when="@1.2.0:")
    depends_on("python@3.8:", type=("build", "run"), when="@=1.1.0")
    depends_on("python@3.5:", type=("build", "run"), when="@:1.0.0")
    depends_on("py-flit-core@3.11:4", type="build", when="@1.2.0:")
    depends_on("py-flit-core@3.11:3", type="build", when="@=1.1.0")
    depends_on("py-setuptools", type="build", when="@:1.0.0")
