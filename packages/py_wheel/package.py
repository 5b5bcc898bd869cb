from spack_repo.builtin.build_systems.generic import Package
from spack_repo.builtin.build_systems.python import PythonExtension, PythonPipBuilder

from spack.package import *


class PyWheel(Package, PythonExtension):
    """Command line tool for manipulating wheel files.

    Installed from its wheel: what builds it from source may need it.
    """

    homepage = "https://github.com/pypa/wheel"
    pypi = "wheel/wheel-0.48.0-py3-none-any.whl"

    license("MIT")

    version(
        "0.48.0",
        sha256="3217dcc807155e45db462d7ef2431f5ddda0d7273b700d05a67b271ceb1287ab",
        expand=False,
    )
    version(
        "0.47.0",
        sha256="212281cab4dff978f6cedd499cd893e1f620791ca6ff7107cf270781e587eced",
        expand=False,
    )
    version(
        "0.46.3",
        sha256="4b399d56c9d9338230118d705d9737a2a468ccca63d5e813e2a4fc7815d8bc4d",
        expand=False,
    )
    version(
        "0.45.1",
        sha256="708e7481cc80179af0e556bbf0cc00b8444c7321e2700b8d8580231d13017248",
        expand=False,
    )
    version(
        "0.42.0",
        sha256="177f9c9b0d45c47873b619f5b650346d632cdc35fb5e4d25058e09c9e581433d",
        expand=False,
    )
    version(
        "0.41.3",
        sha256="488609bc63a29322326e05560731bf7bfea8e48ad646e1f5e40d366607de0942",
        expand=False,
    )

    extends("python")
    depends_on("python@3.9:", type=("build", "run"), when="@0.46:")
    depends_on("python@3.8:", type=("build", "run"), when="@0.43:0.45")
    depends_on("python@3.7:", type=("build", "run"), when="@:0.42")
    depends_on("py-pip", type="build")
    depends_on("py-packaging@24.0:", type="run", when="@0.46:")

    def install(self, spec, prefix):
        args = PythonPipBuilder.std_args(self) + [f"--prefix={prefix}", self.stage.archive_file]
        pip(*args)
