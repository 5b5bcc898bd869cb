from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyJaracoContext(PythonPackage):
    """Useful decorators and context managers."""

    homepage = "https://github.com/jaraco/jaraco.context"
    pypi = "jaraco-context/jaraco_context-6.1.2.tar.gz"

    license("MIT")

    version("6.1.2", sha256="f1a6c9d391e661cc5b8d39861ff077a7dc24dc23833ccee564b234b81c82dfe3")
    version("6.0.2", sha256="953ae8dddb57b1d791bf72ea1009b32088840a7dd19b9ba16443f62be919ee57")
    version("5.3.0", sha256="c2f67165ce1f9be20f32f650f25d8edfc1646a8aeee48ae06fb35f90763576d2")
    version("5.2.0", sha256="a37dfae72c77976b4403f36c6ffc21d3e084a95889008c615336ecbbb444a36a")

    depends_on("python@3.10:", type=("build", "run"), when="@6.1.2:")
    depends_on("python@3.9:", type=("build", "run"), when="@=6.0.2")
    depends_on("python@3.8:", type=("build", "run"), when="@:5.3.0")
    depends_on("py-coherent-licensed", type="build", when="@6.0.2:")
    depends_on("py-setuptools@77:", type="build", when="@6.0.2:")
    depends_on("py-setuptools@56:", type="build", when="@:5.3.0")
    depends_on("py-setuptools-scm@3.4.1:", type="build")
    depends_on("py-backports-tarfile", type="run", when="^python@:3.11")

    def url_for_version(self, version):
        url = super().url_for_version(version)
        if version <= Version("5.3.0"):
            return url.replace("jaraco_context-", "jaraco.context-")
        return url
