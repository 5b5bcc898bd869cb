from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyWheel(PythonPackage):
    """Command line tool for manipulating wheel files."""

    homepage = "https://github.com/pypa/wheel"
    pypi = "wheel/wheel-0.48.0.tar.gz"

    license("MIT")

    version("0.48.0", sha256="94800765601e9171bf5d58d066e640662842bcedcbab982b2c90787a2c987322")
    version("0.47.0", sha256="cc72bd1009ba0cf63922e28f94d9d83b920aa2bb28f798a31d0691b02fa3c9b3")
    version("0.46.3", sha256="e3e79874b07d776c40bd6033f8ddf76a7dad46a7b8aa1b2787a83083519a1803")
    version("0.45.1", sha256="661e1abd9198507b1409a20c02106d9670b2576e916d58f520316666abca6729")
    version("0.42.0", sha256="c45be39f7882c9d34243236f2d63cbd58039e360f85d0913425fbd7ceea617a8")
    version("0.41.3", sha256="4d4987ce51a49370ea65c0bfd2234e8ce80a12780820d9dc462597a6e60d0841")

    depends_on("python@3.9:", type=("build", "run"), when="@0.46.3:")
    depends_on("python@3.8:", type=("build", "run"), when="@=0.45.1")
    depends_on("python@3.7:", type=("build", "run"), when="@:0.42.0")
    depends_on("py-flit-core@3.11:4", type="build", when="@0.48.0:")
    depends_on("py-flit-core@3.11:3", type="build", when="@0.46.3:0.47.0")
    depends_on("py-flit-core@3.8:3", type="build", when="@:0.45.1")
    depends_on("py-packaging@24.0:", type="run", when="@0.46.3:")
