from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PySetuptools(PythonPackage):
    """Most extensible Python build backend with support for C/C++ extension modules."""

    homepage = "https://github.com/pypa/setuptools"
    pypi = "setuptools/setuptools-84.2.1.tar.gz"

    license("MIT")

    version("84.2.1", sha256="3ff8b3b5492a0aa66960f4419365a86b84e013070d4313e4d4a6894f5d64d6bc")
    version("84.1.0", sha256="23657205b63d4d31395ab917815247f694aafad28cd21316bf5fd45a51048ea0")
    version("84.0.0", sha256="f4695c21257f0d9b537ec2692c941d02ee143b7cc1276941349a546573b2ef73")
    version("83.0.0", sha256="025bccbbf0fa05b6192bc64ae1e7b16e001fd6d6d4d5de03c97b1c1ade523bef")
    version("82.0.1", sha256="7d872682c5d01cfde07da7bccc7b65469d3dca203318515ada1de5eda35efbf9")
    version("80.9.0", sha256="f36b47402ecde768dbfafc46e8e4207b4360c654f1f3bb84475f0a28628fb19c")
    version("75.8.2", sha256="4880473a969e5f23f2a2be3646b2dfd84af9028716d398e46192f84bc36900d2")
    version("75.3.2", sha256="3c1383e1038b68556a382c1e8ded8887cd20141b0eb5708a6c8d277de49364f5")
    version("69.5.1", sha256="6c1fccdac05a97e598fb0ae3bbed5904ccb317337a51139dcd51453611bbb987")
    version("63.4.3", sha256="521c833d1e5e1ef0869940e7f486a83de7773b9f029010ad0c2fe35453a9dad9")

    depends_on("python@3.10:", type=("build", "run"), when="@83.0.0:")
    depends_on("python@3.9:", type=("build", "run"), when="@75.8.2:82.0.1")
    depends_on("python@3.8:", type=("build", "run"), when="@69.5.1:75.3.2")
    depends_on("python@3.7:", type=("build", "run"), when="@:63.4.3")
    depends_on("py-wheel", type="build", when="@:70.0")

    @when("@:69 ^python@:3.9")
    def patch(self) -> None:
        # Its copy of importlib_metadata cannot read what the standard library's own finds, and
        # with this line the finder of pyproject_hooks 1.1 and newer asks that. PYTHONPATH remains.
        filter_file(r"^backend-path = .*", "", "pyproject.toml")

    @when("@:69")
    def setup_build_environment(self, env: EnvironmentModifications) -> None:
        # Its own version, which wheel asks for, is found by way of the metadata in the sources.
        env.prepend_path("PYTHONPATH", self.stage.source_path)
