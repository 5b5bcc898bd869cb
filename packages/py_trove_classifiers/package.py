from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class PyTroveClassifiers(PythonPackage):
    """Canonical source for classifiers on PyPI."""

    homepage = "https://github.com/pypa/trove-classifiers"
    pypi = "trove-classifiers/trove_classifiers-2026.9.21.13.tar.gz"

    license("Apache-2.0")

    version(
        "2026.9.21.13", sha256="0a9ebc8d4e2f3e8a22848c5258033035bec17a3012ac3fea16dbaa764489eb71"
    )
    version(
        "2026.6.1.19", sha256="c5132b4b61a829d11cfbd2d72e97f20a45ed6edb95e45c5efdeb5e00836b2745"
    )
    version(
        "2026.5.22.10", sha256="5477e9974e91904fb2cfa4a7581ab6e2f30c2c38d847fd00ed866080748101d5"
    )
    version(
        "2026.4.28.13", sha256="c85bb8a53c3de7330d1699b844ed9fb809a602a09ac15dc79ad6d1a509be0676"
    )
    version(
        "2025.9.11.17", sha256="931ca9841a5e9c9408bc2ae67b50d28acf85bef56219b56860876dd1f2d024dd"
    )
    version(
        "2024.10.21.16", sha256="17cbd055d67d5e9d9de63293a8732943fabc21574e4c7b74edf112b4928cf5f3"
    )

    depends_on("py-calver", type="build")
    depends_on("py-setuptools", type="build")
