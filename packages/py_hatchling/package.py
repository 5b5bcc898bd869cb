from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyHatchling(PythonPackage):
    """Modern, extensible Python build backend."""

    homepage = "https://hatch.pypa.io/latest/"
    pypi = "hatchling/hatchling-1.33.0.tar.gz"

    license("MIT")

    version("1.33.0", sha256="4c422bd4d554fcff5de5b73e9596f85e41e9f97f7e553d8f7595ecb31a627bef")
    version("1.32.4", sha256="c4468f73144c054d2aab4ef0f0378c43b9878bf07f8ffd6b79690e970d375f07")
    version("1.31.0", sha256="6b48ad4068a482ed7239b3a8215bc55b47aad3345d58dfc94e553c5d2d46211b")
    version("1.30.1", sha256="eee4fd45357f72ebb3d7a42e5d72cfb5e29ed426d79e8836288926c4258d5f2e")
    version("1.28.0", sha256="4d50b02aece6892b8cd0b3ce6c82cb218594d3ec5836dbde75bf41a21ab004c8")
    version("1.27.0", sha256="971c296d9819abb3811112fc52c7a9751c8d381898f36533bb16f9791e941fd6")
    version("1.26.3", sha256="b672a9c36a601a06c4e88a1abb1330639ee8e721e0535a37536e546a667efc7a")
    version("1.25.0", sha256="7064631a512610b52250a4d3ff1bd81551d6d1431c4eb7b72e734df6c74f4262")
    version("1.21.1", sha256="bba440453a224e7d4478457fa2e8d8c3633765bafa02975a6b53b9bf917980bc")

    depends_on("python@3.10:", type=("build", "run"), when="@1.28.0:")
    depends_on("python@3.8:", type=("build", "run"), when="@:1.27.0")
    depends_on("py-editables@0.3:", type=("build", "run"), when="@:1.21.1")
    depends_on("py-packaging@24.2:", type=("build", "run"), when="@1.26.3:")
    depends_on("py-packaging@23.2:", type=("build", "run"), when="@=1.25.0")
    depends_on("py-packaging@21.3:", type=("build", "run"), when="@:1.21.1")
    depends_on("py-pathspec@0.10.1:", type=("build", "run"))
    depends_on("py-pluggy@1.0.0:", type=("build", "run"))
    depends_on("py-tomli@1.2.2:", type=("build", "run"), when="^python@:3.10")
    depends_on("py-tomlkit@0.11.1:", type=("build", "run"), when="@1.32.4:")
    depends_on("py-trove-classifiers", type=("build", "run"))
