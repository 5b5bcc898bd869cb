from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyTypesSetuptools(PythonPackage):
    """Typing stubs for setuptools."""

    homepage = "https://github.com/python/typeshed"
    pypi = "types-setuptools/types_setuptools-84.2.0.20261104.tar.gz"

    license("Apache-2.0")

    version(
        "84.2.0.20261104",
        sha256="1ec758bbeddf88d52f963fe663beabc2117b6aae73cf3d2902d7dd0df81bd76e",
    )
    version(
        "84.0.0.20261006",
        sha256="0f123655f44390a15ec62c9fa30b57f6dafe53014524d28b62cab1edbc303059",
    )
    version(
        "83.0.0.20260807",
        sha256="1ed1a446914afe91658868a8fe8806d1e34ba89f8c3bf8926c7165a428b117a6",
    )
    version(
        "82.0.0.20260518",
        sha256="3b743cfe63d0981ea4c15b90710fc1ed41e3464a537d51e705be514e891c1d07",
    )
    version(
        "80.9.0.20250822",
        sha256="070ea7716968ec67a84c7f7768d9952ff24d28b65b6594797a464f1b3066f965",
    )
    version(
        "80.8.0.20250521",
        sha256="7360b33b1ed3cda6e5a1f379701a61ec9dbee6e59e8bda072b88226157d8da80",
    )
    version(
        "69.5.0.20240522",
        sha256="c5a97601b2d040d3b9fcd0633730f0a8c86ebef208552525c97301427f261549",
    )

    depends_on("python@3.10:", type=("build", "run"), when="@82.0.0.20260518:")
    depends_on("python@3.9:", type=("build", "run"), when="@80.8.0.20250521:80.9.0.20250822")
    depends_on("python@3.8:", type=("build", "run"), when="@:69.5.0.20240522")
    depends_on("py-setuptools@82.0.1:", type="build", when="@82.0.0.20260518:")
    depends_on("py-setuptools@77.0.3:", type="build", when="@80.8.0.20250521:80.9.0.20250822")
    depends_on("py-setuptools", type="build", when="@:69.5.0.20240522")

    def url_for_version(self, version):
        url = super().url_for_version(version)
        if version <= Version("69.5.0.20240522"):
            return url.replace("types_setuptools-", "types-setuptools-")
        return url
