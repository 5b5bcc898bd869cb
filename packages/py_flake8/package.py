from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyFlake8(PythonPackage):
    """the modular source code checker: pep8 pyflakes and co."""

    homepage = "https://github.com/pycqa/flake8"
    pypi = "flake8/flake8-7.5.0.tar.gz"

    license("MIT")

    version("7.5.0", sha256="0dab7566341aca0d80aa29b5812bdadf256caa6a63e6068e49ac2649918236a4")
    version("7.4.1", sha256="84ea5afcaf344487b0ea5baaebb8100f4cfaebc01f755998f75876664029f587")
    version("7.3.0", sha256="fe044858146b9fc69b551a4b490d69cf960fcb78ad1edcb84e7fbb1b4a8e3872")
    version("7.2.0", sha256="fa558ae3f6f7dbf2b4f22663e5343b6b6023620461f8d4ff2019ef4b5ee70426")
    version("7.1.2", sha256="c586ffd0b41540951ae41af572e6790dbd49fc12b3aa2541685d253d9bd504bd")
    version("7.0.0", sha256="33f96621059e65eec474169085dc92bf26e7b2d47366b70be2f67ab80dc25132")
    version("6.1.0", sha256="d5b3857f07c030bdb5bf41c7f53799571d75c4491748a3adcd47de929e34cd23")
    version("6.0.0", sha256="c61007e76655af75e6785a931f452915b371dc48f56efd765247c8fe68f2b181")

    depends_on("python@3.11:", type=("build", "run"), when="@7.5.0:")
    depends_on("python@3.10:", type=("build", "run"), when="@=7.4.1")
    depends_on("python@3.9:", type=("build", "run"), when="@7.2.0:7.3.0")
    depends_on("python@3.8.1:", type=("build", "run"), when="@:7.1.2")
    depends_on("py-setuptools", type="build")
    depends_on("py-mccabe@0.7.0:0.7", type="run")
    depends_on("py-pycodestyle@2.15.0:2.15", type="run", when="@7.4.1:")
    depends_on("py-pycodestyle@2.14.0:2.14", type="run", when="@=7.3.0")
    depends_on("py-pycodestyle@2.13.0:2.13", type="run", when="@=7.2.0")
    depends_on("py-pycodestyle@2.12.0:2.12", type="run", when="@=7.1.2")
    depends_on("py-pycodestyle@2.11.0:2.11", type="run", when="@6.1.0:7.0.0")
    depends_on("py-pycodestyle@2.10.0:2.10", type="run", when="@:6.0.0")
    depends_on("py-pyflakes@4.1.0:4.1", type="run", when="@7.5.0:")
    depends_on("py-pyflakes@4.0.0:4.0", type="run", when="@=7.4.1")
    depends_on("py-pyflakes@3.4.0:3.4", type="run", when="@=7.3.0")
    depends_on("py-pyflakes@3.3.0:3.3", type="run", when="@=7.2.0")
    depends_on("py-pyflakes@3.2.0:3.2", type="run", when="@7.0.0:7.1.2")
    depends_on("py-pyflakes@3.1.0:3.1", type="run", when="@=6.1.0")
    depends_on("py-pyflakes@3.0.0:3.0", type="run", when="@:6.0.0")
