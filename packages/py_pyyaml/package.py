from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyPyyaml(PythonPackage):
    """YAML parser and emitter for Python."""

    homepage = "https://pyyaml.org/"
    pypi = "pyyaml/pyyaml-6.0.3.tar.gz"

    license("MIT")

    version("6.0.3", sha256="d76623373421df22fb4cf8817020cbb7ef15c725b9d5e45f17e189bfc384190f")
    version("6.0.1", sha256="bfdf460b1736c775f2ba9f6a92bca30bc2095067b8a9d77876d1fad6cc3b4a43")

    variant("libyaml", default=False, description="Build the C extension on libyaml")

    depends_on("c", type="build", when="+libyaml")
    depends_on("python@3.8:", type=("build", "link", "run"), when="@6.0.3:")
    depends_on("python@3.6:", type=("build", "link", "run"), when="@:6.0.1")
    depends_on("py-cython", type="build", when="@6.0.3: ^python@:3.12")
    depends_on("py-cython@3.0:", type="build", when="@6.0.3: ^python@3.13:")
    depends_on("py-cython@:2", type="build", when="@:6.0.1")
    depends_on("py-setuptools", type="build")
    depends_on("py-wheel", type="build", when="@:6.0.1")
    depends_on("libyaml", type="link", when="+libyaml")

    def config_settings(self, spec, prefix):
        """Say it either way: left alone, the build takes whatever libyaml it finds."""
        return {"--global-option": "--with-libyaml" if "+libyaml" in spec else "--without-libyaml"}

    def url_for_version(self, version):
        url = super().url_for_version(version)
        if version <= Version("6.0.1"):
            return url.replace("pyyaml-", "PyYAML-")
        return url
