from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyCython(PythonPackage):
    """The Cython compiler for writing C extensions in the Python language."""

    homepage = "https://cython.org/"
    pypi = "cython/cython-3.3.1.tar.gz"

    license("Apache-2.0")

    version("3.3.1", sha256="e0e45989e821bef6aa9ae15c7d583ab5e055f7406c4b3624e49e06d24e90375a")
    version("3.2.9", sha256="d249c9022ab13286b17bd66f30609e800c5f95efeecb06168990c7a66cecde6c")
    version("3.1.8", sha256="518475fbe633ba30c1577669f417440f41e1a23ad6b6e2dbb20703cd457f04ef")
    version("3.1.6", sha256="ff4ccffcf98f30ab5723fc45a39c0548a3f6ab14f01d73930c5bfaea455ff01c")
    version("3.0.12", sha256="b988bb297ce76c671e28c97d017b95411010f7c77fa6623dd0bb47eed1aee1bc")
    version("0.29.37", sha256="f813d4a6dd94adee5d4ff266191d1d95bf6d4164a4facc535422c021b2504cfb")

    depends_on("c", type="build")
    depends_on("python@3.9:", type=("build", "link", "run"), when="@3.3.1:")
    depends_on("python@3.8:", type=("build", "link", "run"), when="@3.1.6:3.2.9")
    depends_on("python@2.7:2,3.4:", type=("build", "link", "run"), when="@=3.0.12")
    depends_on("python@2.6:2,3.3:", type=("build", "link", "run"), when="@:0.29.37")
    depends_on("py-setuptools", type="build")

    def url_for_version(self, version):
        url = super().url_for_version(version)
        if version <= Version("0.29.37"):
            return url.replace("cython-", "Cython-")
        return url
