import os

from spack_repo.builtin.build_systems.generic import Package
from spack_repo.builtin.build_systems.python import PythonExtension, PythonPipBuilder

from spack.package import *


class PyPip(Package, PythonExtension):
    """The PyPA recommended tool for installing Python packages."""

    homepage = "https://pip.pypa.io/"
    pypi = "pip/pip-26.3-py3-none-any.whl"

    license("MIT")

    version(
        "26.3",
        sha256="f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13",
        expand=False,
    )
    version(
        "26.2.1",
        sha256="71138adf1f4ca900cdb7d289c21b7494329f2332b6d85f0e1c42108c0384ed3e",
        expand=False,
    )
    version(
        "26.1.2",
        sha256="382ff9f685ee3bc25864f820aa50505825f10f5458ffff07e30a6d96e5715cab",
        expand=False,
    )
    version(
        "26.0.1",
        sha256="bdb1b08f4274833d62c1aa29e20907365a2ceb950410df15fc9521bad440122b",
        expand=False,
    )
    version(
        "25.3",
        sha256="9655943313a94722b7774661c21049070f6bbb0a1516bf02f7c8d5d9201514cd",
        expand=False,
    )
    version(
        "25.0.1",
        sha256="c46efd13b6aa8279f33f2864459c8ce587ea6a1a59ee20de055868d8f7688f7f",
        expand=False,
    )
    version(
        "24.3.1",
        sha256="3790624780082365f47549d032f3770eeb2b1e8bd1f7b2e02dace1afa361b4ed",
        expand=False,
    )
    version(
        "23.1.2",
        sha256="3ef6ac33239e4027d9a5598a381b9d30880a1477e50039db2eac6e8a8f6d1b18",
        expand=False,
    )

    extends("python")
    depends_on("python@3.10:", type=("build", "run"), when="@26:")
    depends_on("python@3.9:", type=("build", "run"), when="@25.1:25")
    depends_on("python@3.8:", type=("build", "run"), when="@24.1:25.0")
    depends_on("python@3.7:", type=("build", "run"), when="@23.1:24.0")

    def install(self, spec, prefix):
        """Let the pip inside of the wheel install the wheel: nothing else is there yet."""
        wheel = self.stage.archive_file
        python(
            os.path.join(wheel, "pip"),
            *PythonPipBuilder.std_args(self),
            f"--prefix={prefix}",
            wheel,
        )

    def setup_dependent_package(self, module, dependent_spec):
        module.pip = python.with_default_args("-m", "pip")
