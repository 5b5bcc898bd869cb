from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyPackaging(PythonPackage):
    """Core utilities for Python packages."""

    homepage = "https://github.com/pypa/packaging"
    pypi = "packaging/packaging-26.3.tar.gz"

    license("Apache-2.0 OR BSD-2-Clause")

    version("26.3", sha256="94edc256424af38762eb31306eed28beb9f0efc50a8837492c9d6fd6004aed79")
    version("26.2", sha256="ff452ff5a3e828ce110190feff1178bb1f2ea2281fa2075aadb987c2fb221661")
    version("26.1", sha256="f042152b681c4bfac5cae2742a55e103d27ab2ec0f3d88037136b6bfe7c9c5de")
    version("26.0", sha256="00243ae351a257117b6a241061796684b084ed1c516a08c48a3f7e147a9d80b4")
    version("25.0", sha256="d443872c98d677bf60f6a1f2f8c1cb748e8fe762d2bf9d3148b5599295b0fc4f")
    version("24.2", sha256="c228a6dc5e932d346bc5739379109d49e8853dd8223571c7c5b55260edc0b97f")
    version("24.0", sha256="eb82c5e3e56209074766e6885bb04b8c38a0c015d0a30036ebe7ece34c9989e9")
    version("23.2", sha256="048fb0e9405036518eaaf48a55953c750c11e1a1b68e0dd1a9d62ed0c092cfc5")

    depends_on("python@3.9:", type=("build", "run"), when="@26.3:")
    depends_on("python@3.8:", type=("build", "run"), when="@24.2:26.2")
    depends_on("python@3.7:", type=("build", "run"), when="@:24.0")
    depends_on("py-flit-core@3.12:", type="build", when="@26.0:")
    depends_on("py-flit-core@3.3:", type="build", when="@:25.0")
