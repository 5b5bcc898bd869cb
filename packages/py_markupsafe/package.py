from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyMarkupsafe(PythonPackage):
    """Safely add untrusted strings to HTML/XML markup."""

    homepage = "https://github.com/pallets/markupsafe/"
    pypi = "markupsafe/markupsafe-3.0.4.tar.gz"

    license("BSD-3-Clause")

    version("3.0.4", sha256="2e9ad7dd851bf45fab9f75cbff4cb493fee9979e8d8c7c9c3ee119022518edd6")
    version("2.1.5", sha256="d283d37a890ba4c1ae73ffadf8046435c76e7bc2247bbb63c00bd1a709c6544b")

    depends_on("c", type="build")
    depends_on("python@3.9:", type=("build", "link", "run"), when="@3.0.4:")
    depends_on("python@3.7:", type=("build", "link", "run"), when="@:2.1.5")
    depends_on("py-setuptools@77:", type="build", when="@3.0.4:")
    depends_on("py-setuptools", type="build", when="@:2.1.5")

    def url_for_version(self, version):
        url = super().url_for_version(version)
        if version <= Version("2.1.5"):
            return url.replace("markupsafe-", "MarkupSafe-")
        return url
