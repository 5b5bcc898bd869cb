from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyMypy(PythonPackage):
    """Optional static typing for Python."""

    homepage = "https://www.mypy-lang.org/"
    pypi = "mypy/mypy-1.19.1.tar.gz"

    license("MIT")

    version("1.19.1", sha256="19d88bb05303fe63f71dd2c6270daca27cb9401c4ca8255fe50d1d920e0eb9ba")
    version("1.18.2", sha256="06a398102a5f203d7477b2923dda3634c36727fa5c237d8f859ef90c42a9924b")
    version("1.17.1", sha256="25e01ec741ab5bb3eec8ba9cdb0f769230368a22c959c4937360efb89b7e9f01")
    version("1.16.1", sha256="6bd00a0a2094841c5e47e7374bb42b83d64c527a502e3334e1173a0c24437bab")
    version("1.12.1", sha256="f5b3936f7a6d0e8280c9bdef94c7ce4847f5cdfc258fbb2c29a8c1711e8bb96d")
    version("1.11.2", sha256="7f9993ad3e0ffdc95c2a14b66dee63729f021968bff8ad911867579c65d13a79")
    version("1.8.0", sha256="6ff8b244d7085a0b425b56d327b480c3b29cafbd2eff27316a004f9a7391ae07")

    depends_on("python@3.9:", type=("build", "run"), when="@1.16.1:")
    depends_on("python@3.8:", type=("build", "run"), when="@:1.12.1")
    depends_on("py-setuptools@75.1.0:", type="build", when="@1.16.1:")
    depends_on("py-setuptools@40.6.2:", type="build", when="@:1.12.1")
    depends_on("py-types-psutil", type="build")
    depends_on("py-types-setuptools", type="build")
    depends_on("py-wheel@0.30.0:", type="build", when="@:1.12.1")
    depends_on("py-librt@0.6.2:", type=("build", "run"), when="@1.19.1:")
    depends_on("py-mypy-extensions@1.0.0:", type=("build", "run"))
    depends_on("py-pathspec@0.9.0:", type=("build", "run"), when="@1.16.1:")
    depends_on("py-tomli@1.1.0:", type=("build", "run"), when="^python@:3.10")
    depends_on("py-typing-extensions@4.6.0:", type=("build", "run"), when="@1.11.2:")
    depends_on("py-typing-extensions@4.1.0:", type=("build", "run"), when="@:1.8.0")
