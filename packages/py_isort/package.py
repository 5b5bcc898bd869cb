from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyIsort(PythonPackage):
    """A Python utility / library to sort Python imports."""

    homepage = "https://isort.readthedocs.io/"
    pypi = "isort/isort-8.0.1.tar.gz"

    license("MIT")

    version("8.0.1", sha256="171ac4ff559cdc060bcfff550bc8404a486fee0caab245679c2abe7cb253c78d")
    version("7.0.0", sha256="5513527951aadb3ac4292a41a16cbc50dd1642432f5e8c20057d414bdafb4187")
    version("6.1.0", sha256="9b8f96a14cfee0677e78e941ff62f03769a06d412aabb9e2a90487b3b7e8d481")
    version("5.13.2", sha256="48fdfcb9face5d58a4f6dde2e72a1fb8dcaf8ab26f95ab49fab84c2ddefb0109")

    depends_on("python@3.10.0:", type=("build", "run"), when="@7.0.0:")
    depends_on("python@3.9.0:", type=("build", "run"), when="@=6.1.0")
    depends_on("python@3.8.0:", type=("build", "run"), when="@:5.13.2")
    depends_on("py-hatch-vcs", type="build", when="@6.1.0:")
    depends_on("py-hatchling", type="build", when="@6.1.0:")
    depends_on("py-poetry-core@1.0.0:", type="build", when="@:5.13.2")
    depends_on("py-importlib-metadata@4.6.0:", type="run", when="@=6.1.0 ^python@:3.9")
