from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyPytest(PythonPackage):
    """pytest: simple powerful testing with Python."""

    homepage = "https://docs.pytest.org/en/latest/"
    pypi = "pytest/pytest-9.2.0.tar.gz"

    license("MIT")

    version("9.2.0", sha256="97c4f3b1f3c7414aa36465e09b8220f1d03627993bd51b1282e193753c80557b")
    version("9.1.1", sha256="1088fbde8f2b49d95a549a195707afa7a76a3ce9bcadc26b6d71f0ffda5fe313")
    version("9.0.3", sha256="b86ada508af81d19edeb213c681b1d48246c1a91d304c6c81a427674c17eb91c")
    version("8.4.2", sha256="86c0d0b93306b961d58d62a4db4879f27fe25513d4b969df351abdddb3c30e01")
    version("8.0.2", sha256="d4051d623a2e0b7e51960ba963193b09ce6daeb9759a451844a21e4ddedfc1bd")
    version("7.4.4", sha256="2cf0005922c6ace4a3e2ec8b4080eb0d9753fdc93107415332f50ce9e7994280")

    depends_on("python@3.10:", type=("build", "run"), when="@9.0.3:")
    depends_on("python@3.9:", type=("build", "run"), when="@=8.4.2")
    depends_on("python@3.8:", type=("build", "run"), when="@=8.0.2")
    depends_on("python@3.7:", type=("build", "run"), when="@:7.4.4")
    depends_on("py-setuptools@77:", type="build", when="@9.0.3:")
    depends_on("py-setuptools@61:", type="build", when="@=8.4.2")
    depends_on("py-setuptools@45.0:", type="build", when="@:8.0.2")
    depends_on("py-setuptools-scm@10.1:", type="build", when="@9.2.0:")
    depends_on("py-setuptools-scm@6.2.3:", type="build", when="@:9.1.1")
    depends_on("py-colorama@0.4:", type="run", when="@8.4.2: platform=windows")
    depends_on("py-colorama", type="run", when="@:8.0.2 platform=windows")
    depends_on("py-exceptiongroup@1:", type="run", when="@8.4.2: ^python@:3.10")
    depends_on("py-exceptiongroup@1.0.0:", type="run", when="@:8.0.2 ^python@:3.10")
    depends_on("py-importlib-metadata@0.12:", type="run", when="@:7.4.4 ^python@:3.7")
    depends_on("py-iniconfig@2:", type="run", when="@9.2.0:")
    depends_on("py-iniconfig@1.0.1:", type="run", when="@9.0.3:9.1.1")
    depends_on("py-iniconfig@1:", type="run", when="@=8.4.2")
    depends_on("py-iniconfig", type="run", when="@:8.0.2")
    depends_on("py-packaging@24:", type="run", when="@9.2.0:")
    depends_on("py-packaging@22:", type="run", when="@9.0.3:9.1.1")
    depends_on("py-packaging@20:", type="run", when="@=8.4.2")
    depends_on("py-packaging", type="run", when="@:8.0.2")
    depends_on("py-pluggy@1.6:1", type="run", when="@9.2.0:")
    depends_on("py-pluggy@1.5:1", type="run", when="@8.4.2:9.1.1")
    depends_on("py-pluggy@1.3.0:1", type="run", when="@=8.0.2")
    depends_on("py-pluggy@0.12:1", type="run", when="@:7.4.4")
    depends_on("py-pygments@2.15:", type="run", when="@9.2.0:")
    depends_on("py-pygments@2.7.2:", type="run", when="@8.4.2:9.1.1")
    depends_on("py-tomli@2:", type="run", when="@9.2.0: ^python@:3.10")
    depends_on("py-tomli@1:", type="run", when="@8.4.2:9.1.1 ^python@:3.10")
    depends_on("py-tomli@1.0.0:", type="run", when="@:8.0.2 ^python@:3.10")
