from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyPycodestyle(PythonPackage):
    """Python style guide checker."""

    homepage = "https://pycodestyle.pycqa.org/"
    pypi = "pycodestyle/pycodestyle-2.15.0.tar.gz"

    license("MIT")

    version("2.15.0", sha256="318f5db083869b4c4dad922d0b11124fb27ab181b6730b93371da671e31bd50e")
    version("2.14.0", sha256="c4b5b517d278089ff9d0abdec919cd97262a3367449ea1c8b49b91529167b783")
    version("2.13.0", sha256="c8415bf09abe81d9c7f872502a6eee881fbe85d8763dd5b9924bb0a01d67efae")
    version("2.12.1", sha256="6838eae08bbce4f6accd5d5572075c63626a15ee3e6f842df996bf62f6d73521")
    version("2.11.1", sha256="41ba0e7afc9752dfb53ced5489e89f8186be00e599e712660695b7a75ff2663f")
    version("2.10.0", sha256="347187bdb476329d98f695c213d7295a846d1152ff4fe9bacb8a9590b8ee7053")

    depends_on("python@3.10:", type=("build", "run"), when="@2.15.0:")
    depends_on("python@3.9:", type=("build", "run"), when="@2.13.0:2.14.0")
    depends_on("python@3.8:", type=("build", "run"), when="@2.11.1:2.12.1")
    depends_on("python@3.6:", type=("build", "run"), when="@:2.10.0")
    depends_on("py-setuptools", type="build")
