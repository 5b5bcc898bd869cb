from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyLibrt(PythonPackage):
    """Mypyc runtime library."""

    homepage = "https://github.com/mypyc/librt"
    pypi = "librt/librt-0.16.0.tar.gz"

    license("MIT")

    version("0.16.0", sha256="ac38d6d8d66bf3d744148dbbc0b8e193e195a51e364ed55e224631f5721891fc")
    version("0.15.0", sha256="4e66cbe84437497d951b799d3e1551291b6fb3d643820a7014b3655d57a59162")
    version("0.14.0", sha256="474eedc5e910d88c1a12193a238f69b2522561d6f10bda9fbe9e70961d2e64e3")
    version("0.13.0", sha256="1d2a610c14ac0d0750ee0a3ab8548e83155258387891caaca04def4bf7289781")
    version("0.9.0", sha256="a0951822531e7aee6e0dfb556b30d5ee36bbe234faf60c20a16c01be3530869d")
    version("0.7.8", sha256="1a4ede613941d9c3470b0368be851df6bb78ab218635512d0370b27a277a0862")
    version("0.6.3", sha256="c724a884e642aa2bbad52bb0203ea40406ad742368a5f90da1b220e970384aae")

    depends_on("c", type="build")
    depends_on("python@3.9:", type=("build", "link", "run"))
    depends_on("py-setuptools@77.0.3:", type="build")
