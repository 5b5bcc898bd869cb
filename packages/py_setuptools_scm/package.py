from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PySetuptoolsScm(PythonPackage):
    """the blessed package to manage your versions by scm tags."""

    homepage = "https://github.com/pypa/setuptools-scm/"
    pypi = "setuptools-scm/setuptools_scm-10.3.4.tar.gz"

    license("MIT")

    version("10.3.4", sha256="a69f28bfc245608781205e912faae437c2b2165773afa4e7b979d77447a69dd2")
    version("10.2.3", sha256="f179ed3e2a63cf5823e5ee9aa9ca08386219400443a0553224d72dde3f206b44")
    version("10.1.2", sha256="24079818acc46e99aae0d65b8d511fafe965970d9cbd060c7b9f7275ded520fb")
    version("10.0.5", sha256="bbba8fe754516cdefd017f4456721775e6ef9662bd7887fb52ae26813d4838c3")
    version("9.2.2", sha256="1c674ab4665686a0887d7e24c03ab25f24201c213e82ea689d2f3e169ef7ef57")
    version("8.3.1", sha256="3d555e92b75dacd037d32bafdf94f97af51ea29ae8c7b234cf94b7a5bd242a63")
    version("8.1.0", sha256="42dea1b65771cba93b7a515d65a65d8246e560768a66b9106a592c8e7f26c8a7")

    depends_on("python@3.8:", type=("build", "run"), when="@10.2.3:")
    depends_on("python@3.10:", type=("build", "run"), when="@10.0.5:10.1.2")
    depends_on("python@3.8:", type=("build", "run"), when="@:9.2.2")
    depends_on("py-setuptools@45:", type="build", when="@10.2.3:")
    depends_on("py-setuptools@77.0.3:", type="build", when="@10.0.5:10.1.2")
    depends_on("py-setuptools@61:", type="build", when="@:9.2.2")
    depends_on("py-tomli@:2.0.2", type="build", when="@8.3.1:9.2.2 ^python@:3.10")
    depends_on("py-tomli", type="build", when="@:8.1.0 ^python@:3.10")
    depends_on("py-tomli@1:", type=("build", "run"), when="@10.0.5: ^python@:3.10")
    depends_on("py-typing-extensions@4.1:", type=("build", "run"), when="@10.2.3: ^python@:3.10")
    depends_on("py-typing-extensions", type=("build", "run"), when="@10.0.5:10.1.2 ^python@:3.10")
    depends_on("py-vcs-versioning@2.5.0:2", type=("build", "run"), when="@10.3.4:")
    depends_on("py-vcs-versioning@2.3.2:2", type=("build", "run"), when="@=10.2.3")
    depends_on("py-vcs-versioning@2.0.0:2", type=("build", "run"), when="@=10.1.2")
    depends_on("py-vcs-versioning@1.0.0:", type=("build", "run"), when="@=10.0.5")
    depends_on("py-importlib-metadata@4.6:", type="run", when="@=8.3.1 ^python@:3.9")
    depends_on("py-packaging@20:", type="run")
    depends_on("py-setuptools", type="run")
    depends_on("py-tomli@1:", type="run", when="@:9.2.2 ^python@:3.10")
    depends_on("py-typing-extensions", type="run", when="@:9.2.2 ^python@:3.9")
