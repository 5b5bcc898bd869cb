from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyTypesPsutil(PythonPackage):
    """Typing stubs for psutil."""

    homepage = "https://github.com/python/typeshed"
    pypi = "types-psutil/types_psutil-7.2.2.20261111.tar.gz"

    license("Apache-2.0")

    version(
        "7.2.2.20261111", sha256="d677119c44fb80cc9be41d8ac731f08bf89974bb1daa49b6688665a9d7224f42"
    )
    version(
        "7.1.3.20251211", sha256="2c25f8fd3a1a4aebdffb861b97755c9a2d5d8019dd6ec1a2f2a77ec796652c89"
    )
    version(
        "7.0.0.20251116", sha256="92b5c78962e55ce1ed7b0189901a4409ece36ab9fd50c3029cca7e681c606c8a"
    )
    version(
        "7.0.0.20250822", sha256="226cbc0c0ea9cc0a50b8abcc1d91a26c876dcb40be238131f697883690419698"
    )
    version(
        "6.1.0.20241221", sha256="600f5a36bd5e0eb8887f0e3f3ff2cf154d90690ad8123c8a707bba4ab94d3185"
    )
    version(
        "5.9.5.20240516", sha256="bb296f59fc56458891d0feb1994717e548a1bcf89936a2877df8792b822b4696"
    )

    depends_on("python@3.10:", type=("build", "run"), when="@7.2.2.20261111:")
    depends_on("python@3.9:", type=("build", "run"), when="@7.0.0.20250822:7.1.3.20251211")
    depends_on("python@3.8:", type=("build", "run"), when="@:6.1.0.20241221")
    depends_on("py-setuptools@82.0.1:", type="build", when="@7.2.2.20261111:")
    depends_on("py-setuptools@77.0.3:", type="build", when="@7.0.0.20250822:7.1.3.20251211")
    depends_on("py-setuptools", type="build", when="@:6.1.0.20241221")

    def url_for_version(self, version):
        url = super().url_for_version(version)
        if version <= Version("5.9.5.20240516"):
            return url.replace("types_psutil-", "types-psutil-")
        return url
