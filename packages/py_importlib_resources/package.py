from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyImportlibResources(PythonPackage):
    """Read resources from Python packages."""

    homepage = "https://github.com/python/importlib_resources"
    pypi = "importlib-resources/importlib_resources-7.1.0.tar.gz"

    license("Apache-2.0")

    version("7.1.0", sha256="0722d4c6212489c530f2a145a34c0a7a3b4721bc96a15fada5930e2a0b760708")
    version("7.0.0", sha256="ccb3c88c71b22528f9e8f2ccf46493f83496b93002fe0faeaefd90461c642585")
    version("6.5.2", sha256="185f87adef5bcc288449d98fb4fba07cea78bc036455dd44c5fc4a2fe78fed2c")
    version("6.4.5", sha256="980862a1d16c9e147a59603677fa2aa5fd82b87f223b6cb870695bcfce830065")
    version("6.0.1", sha256="4359457e42708462b9626a04657c6208ad799ceb41e5c58c57ffa0e6a098a5d4")

    depends_on("python@3.10:", type=("build", "run"), when="@7.0.0:")
    depends_on("python@3.9:", type=("build", "run"), when="@=6.5.2")
    depends_on("python@3.8:", type=("build", "run"), when="@:6.4.5")
    depends_on("py-coherent-licensed", type="build", when="@7.0.0:")
    depends_on("py-setuptools@77:", type="build", when="@7.0.0:")
    depends_on("py-setuptools@61.2:", type="build", when="@6.4.5:6.5.2")
    depends_on("py-setuptools@56:", type="build", when="@:6.0.1")
    depends_on("py-setuptools-scm@3.4.1:", type="build")
    depends_on("py-zipp@3.1.0:", type="run", when="^python@:3.9")
