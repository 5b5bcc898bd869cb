from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyBackportsTarfile(PythonPackage):
    """Backport of CPython tarfile module."""

    homepage = "https://github.com/jaraco/backports.tarfile"
    pypi = "backports-tarfile/backports_tarfile-1.2.0.tar.gz"

    license("MIT")

    version("1.2.0", sha256="d75e02c268746e1b8144c278978b6e98e85de6ad16f8e4b0844a154557eca991")
    version("1.1.1", sha256="9c2ef9696cb73374f7164e17fc761389393ca76777036f5aad42e8b93fcd8009")
    version("1.0.0", sha256="2688f159c21afd56a07b75f01306f9f52c79aebcc5f4a117fb8fbb4445352c75")

    depends_on("python@3.8:", type=("build", "run"))
    depends_on("py-setuptools@61.2:", type="build", when="@1.1.1:")
    depends_on("py-setuptools@56:", type="build", when="@:1.0.0")
    depends_on("py-setuptools-scm@3.4.1:", type="build")

    def url_for_version(self, version):
        url = super().url_for_version(version)
        if version <= Version("1.0.0"):
            return url.replace("backports_tarfile-", "backports.tarfile-")
        return url
