from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyMoreItertools(PythonPackage):
    """More routines for operating on iterables, beyond itertools."""

    homepage = "https://github.com/more-itertools/more-itertools"
    pypi = "more-itertools/more_itertools-11.2.1.tar.gz"

    license("MIT")

    version("11.2.1", sha256="cbf08fd0af284dc69718b9b76a8e6203df624d70209ea511e4219d350c856f63")
    version("11.1.0", sha256="48e8f4d9e7e5878571ecf6f2b4e57634f93cd474cc8cfbd2376f2d11b396e30d")
    version("11.0.2", sha256="392a9e1e362cbc106a2457d37cabf9b36e5e12efd4ebff1654630e76597df804")
    version("10.8.0", sha256="f638ddf8a1a0d134181275fb5d58b086ead7c6a72429ad725c67503f13ba30bd")
    version("10.4.0", sha256="fe0e63c4ab068eac62410ab05cccca2dc71ec44ba8ef29916a0090df061cf923")
    version("10.2.0", sha256="8fccb480c43d3e99a00087634c06dd02b0d50fbf088b380de5a41a015ec239e1")

    depends_on("python@3.11:", type=("build", "run"), when="@11.2.1:")
    depends_on("python@3.10:", type=("build", "run"), when="@11.0.2:11.1.0")
    depends_on("python@3.9:", type=("build", "run"), when="@=10.8.0")
    depends_on("python@3.8:", type=("build", "run"), when="@:10.4.0")
    depends_on("py-flit-core@4", type="build", when="@11.2.1:")
    depends_on("py-flit-core@3.12:3", type="build", when="@10.8.0:11.1.0")
    depends_on("py-flit-core@3.2:3", type="build", when="@:10.4.0")

    def url_for_version(self, version):
        url = super().url_for_version(version)
        if version <= Version("10.4.0"):
            return url.replace("more_itertools-", "more-itertools-")
        return url
