from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyBuild(PythonPackage):
    """A simple, correct Python build frontend."""

    homepage = "https://build.pypa.io"
    pypi = "build/build-1.6.1.tar.gz"

    license("MIT")

    version("1.6.1", sha256="51cc11666391ab6f092070437ac747002ff46f3e4113a3622177ee6b488bfc53")
    version("1.5.0", sha256="302c22c3ba2a0fd5f3911918651341ebb3896176cbdec15bd421f80b1afc7647")
    version("1.4.4", sha256="f832ae053061f3fb524af812dc94b8b84bac6880cd587630e3b5d91a6a9c1703")
    version("1.3.0", sha256="698edd0ea270bde950f53aed21f3a0135672206f3911e0176261a31e0e07b397")
    version(
        "1.2.2.post1", sha256="b36993e92ca9375a219c99e606a122ff365a760a2d4bba0caa09bd5278b608b7"
    )
    version("0.10.0", sha256="d5b71264afdb5951d6704482aac78de887c80691c52b88a9ad195983ca2c9269")

    depends_on("python@3.10:", type=("build", "run"), when="@1.5.0:")
    depends_on("python@3.9:", type=("build", "run"), when="@1.3.0:1.4.4")
    depends_on("python@3.8:", type=("build", "run"), when="@=1.2.2.post1")
    depends_on("python@3.7:", type=("build", "run"), when="@:0.10.0")
    depends_on("py-flit-core@3.11:", type="build", when="@1.3.0:")
    depends_on("py-flit-core@3.8:", type="build", when="@=1.2.2.post1")
    depends_on("py-flit-core@3.4:", type="build", when="@:0.10.0")
    depends_on("py-colorama", type="run", when="platform=windows")
    depends_on("py-importlib-metadata@4.6:", type="run", when="@1.2.2.post1: ^python@:3.10.1")
    depends_on("py-importlib-metadata@0.22:", type="run", when="@:0.10.0 ^python@:3.7")
    depends_on("py-packaging@24.0:", type="run", when="@1.4.4:")
    depends_on("py-packaging@19.1:", type="run", when="@1.2.2.post1:1.3.0")
    depends_on("py-packaging@19.0:", type="run", when="@:0.10.0")
    depends_on("py-pyproject-hooks", type="run")
    depends_on("py-tomli@1.1.0:", type="run", when="^python@:3.10")
