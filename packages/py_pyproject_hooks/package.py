from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyPyprojectHooks(PythonPackage):
    """Wrappers to call pyproject.toml-based build backend hooks."""

    homepage = "https://github.com/pypa/pyproject-hooks"
    pypi = "pyproject-hooks/pyproject_hooks-1.3.3.tar.gz"

    license("MIT")

    version("1.3.3", sha256="defda19b854fa0d3bd4f76ea4ddcba8abd7dcfcdd585a6690ade050744fc5f43")
    version("1.2.0", sha256="1e859bd5c40fae9448642dd871adf459e5e2084186e8d2c2a79a824c970da1f8")
    version("1.1.0", sha256="4b37730834edbd6bd37f26ece6b44802fb1c1ee2ece0e54ddff8bfc06db86965")
    version("1.0.0", sha256="f271b298b97f5955d53fb12b72c1fb1948c22c1a6b70b315c54cedaca0264ef5")

    depends_on("python@3.8:", type=("build", "run"), when="@1.3.3:")
    depends_on("python@3.7:", type=("build", "run"), when="@:1.2.0")
    depends_on("py-flit-core@3.11:4", type="build", when="@1.3.3:")
    depends_on("py-flit-core@3.2:3", type="build", when="@:1.2.0")
    depends_on("py-tomli@1.1.0:", type="run", when="@:1.0.0 ^python@:3.10")
