from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyPyflakes(PythonPackage):
    """passive checker of Python programs."""

    homepage = "https://github.com/PyCQA/pyflakes"
    pypi = "pyflakes/pyflakes-4.1.0.tar.gz"

    license("MIT")

    version("4.1.0", sha256="592beb57058eb82eb190fb7514f2081c555c51000b029ff71286a681e6cf2f83")
    version("4.0.3", sha256="94762a3a5a343a79b28754f96c554bce057a592a4896907d73f0369fe824e053")
    version("3.4.0", sha256="b24f96fafb7d2ab0ec5075b7350b3d2d2218eab42003821c06344973d3ea2f58")
    version("3.3.2", sha256="6dfd61d87b97fba5dcfaaf781171ac16be16453be6d816147989e7f6e6a9576b")
    version("3.2.0", sha256="1c61603ff154621fb2a9172037d84dca3500def8c8b630657d1701f026f8af3f")
    version("3.1.0", sha256="a0aae034c444db0071aa077972ba4768d40c830d9539fd45bf4cd3f8f6992efc")
    version("3.0.1", sha256="ec8b276a6b60bd80defed25add7e439881c19e64850afd9b346283d4165fd0fd")

    depends_on("python@3.11:", type=("build", "run"), when="@4.1.0:")
    depends_on("python@3.10:", type=("build", "run"), when="@=4.0.3")
    depends_on("python@3.9:", type=("build", "run"), when="@3.3.2:3.4.0")
    depends_on("python@3.8:", type=("build", "run"), when="@3.1.0:3.2.0")
    depends_on("python@3.6:", type=("build", "run"), when="@:3.0.1")
    depends_on("py-setuptools", type="build")
