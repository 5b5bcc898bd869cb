from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyFlitCore(PythonPackage):
    """Distribution-building parts of Flit. See flit package for more information."""

    homepage = "https://github.com/pypa/flit"
    pypi = "flit-core/flit_core-4.2.0.tar.gz"

    license("BSD-3-Clause")

    version("4.2.0", sha256="84e4e4d8fdd45ba2613800a3ebc6834de26d47ec9746efc3719f94181137b460")
    version("4.1.0", sha256="62e12b63ead8335b37f59fabb977c7167fe476dafb5e41785dfa8c9aff843bc6")
    version("4.0.2", sha256="b6929defd93884b584d7c87829e0e7b5c26ed6be17b0b873979019314aa841c8")
    version("3.12.0", sha256="18f63100d6f94385c6ed57a72073443e1a71a4acb4339491615d0f16d6ff01b2")
    version("3.9.0", sha256="72ad266176c4a3fcfab5f2930d76896059851240570ce9a98733b658cb786eba")
    version("3.8.0", sha256="b305b30c99526df5e63d6022dd2310a0a941a187bd3884f4c8ef0418df6c39f3")

    depends_on("python@3.8:", type=("build", "run"), when="@4.0.2:")
    depends_on("python@3.6:", type=("build", "run"), when="@:3.12.0")
