from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyPytokens(PythonPackage):
    """A Fast, spec compliant Python 3.14+ tokenizer that runs on older Pythons."""

    homepage = "https://github.com/tusharsadhwani/pytokens"
    pypi = "pytokens/pytokens-0.4.1.tar.gz"

    license("MIT")

    version("0.4.1", sha256="292052fe80923aae2260c073f822ceba21f3872ced9a68bb7953b348e561179a")
    version("0.3.0", sha256="2f932b14ed08de5fcf0b391ace2642f858f1394c0857202959000b68ed7a458a")
    version("0.2.0", sha256="532d6421364e5869ea57a9523bf385f02586d4662acbcc0342afd69511b4dd43")
    version("0.1.10", sha256="c9a4bfa0be1d26aebce03e6884ba454e842f186a59ea43a6d3b25af58223c044")

    depends_on("c", type="build")
    depends_on("python@3.8:", type=("build", "link", "run"))
    # Its metadata names no version, but the compiler of mypy 1.11 refuses its classes.
    depends_on("py-mypy@1.16:", type="build", when="@0.4.1:")
    depends_on("py-setuptools@69:", type="build", when="@0.4.1:")
    depends_on("py-setuptools", type="build", when="@:0.3.0")
