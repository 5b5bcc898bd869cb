from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyPluggy(PythonPackage):
    """plugin and hook calling mechanisms for python."""

    homepage = "https://github.com/pytest-dev/pluggy"
    pypi = "pluggy/pluggy-1.7.0.tar.gz"

    license("MIT")

    version("1.7.0", sha256="d1eaa46ebb595891b860ab086b4d09c8588af65ebd4361b8e8f4bb8920b90ba8")
    version("1.6.0", sha256="7dcc130b76258d33b90f61b658791dede3486c3e6bfb003ee5c9bfb396dd22f3")
    version("1.5.0", sha256="2cffa88e94fdc978c4c574f15f9e59b7f4201d439195c3715ca9e2486f1d0cf1")
    version("1.4.0", sha256="8c85c2876142a764e5b7548e7d9a0e0ddb46f5185161049a79b7e974454223be")
    version("1.3.0", sha256="cf61ae8f126ac6f7c451172cf30e3e43d3ca77615509771b3a984a0730651e12")

    depends_on("python@3.10:", type=("build", "run"), when="@1.7.0:")
    depends_on("python@3.9:", type=("build", "run"), when="@=1.6.0")
    depends_on("python@3.8:", type=("build", "run"), when="@:1.5.0")
    depends_on("py-setuptools@65.0:", type="build", when="@1.6.0:")
    depends_on("py-setuptools@45.0:", type="build", when="@:1.5.0")
    depends_on("py-setuptools-scm@8.0:", type="build", when="@1.6.0:")
    depends_on("py-setuptools-scm@6.2.3:", type="build", when="@:1.5.0")
