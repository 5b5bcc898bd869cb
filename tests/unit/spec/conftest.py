"""Tables of cases under tests/cases/spec, and a concrete graph to ask questions of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kits.specs import make_spec
from spack.spec import ConcreteSpec, Edge, VariantValue

CASES = Path(__file__).parents[2] / "cases" / "spec"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "table(file, section): run the test with each row of a table of cases"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    marker = metafunc.definition.get_closest_marker("table")
    if marker is not None:
        found = rows(*marker.args)
        metafunc.parametrize("row", found, ids=[" | ".join(row) for row in found])


def rows(name: str, section: str | None = None) -> list[tuple[str, ...]]:
    """Rows ``a | b | ...`` of a table, or of one ``[section]`` of it."""
    found = []
    inside = section is None
    for line in (CASES / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("[") and line.endswith("]"):
            inside = line == f"[{section}]"
        elif inside and line and not line.startswith("#"):
            cells = [cell[:-1] if cell.endswith(" ") else cell for cell in line.split("| ")]
            found.append(tuple("" if cell == '""' else cell for cell in cells))
    assert found, f"{name} has no rows in {section}"
    return found


def node(
    name: str,
    version: str,
    *edges: Edge,
    external: str | None = None,
    **variants: Any,
) -> ConcreteSpec:
    """Return a concrete spec; variants are True, False, a text or a tuple of texts."""
    return make_spec(
        f"{name}@{version}",
        *edges,
        namespace="venv",
        external=external,
        target="x86_64_v3",
        **variants,
    )


def edge(spec: ConcreteSpec, types: str, *virtuals: str) -> Edge:
    """Return an edge; *types* are separated by commas."""
    return Edge(spec, types.split(","), virtuals)


@pytest.fixture(scope="session")
def py_h5py() -> ConcreteSpec:
    """Return the graph about which the package API's rules for conditions are reported."""
    gcc = node("gcc", "12.2.0", external="/usr", languages=("c", "c++"))
    gmake = node("gmake", "4.3", external="/usr")
    wrapper = node("compiler-wrapper", "1.0")
    python = node("python", "3.11.2", external="/usr")
    venv = node("python-venv", "1.0", edge(python, "build,run"))
    zlib = node("zlib-ng", "2.2", edge(gcc, "build", "c"), edge(gmake, "build"))
    mpi = node("intel-oneapi-mpi", "2021.14")
    hdf5 = node(
        "hdf5",
        "1.14.5",
        edge(gcc, "build", "c", "cxx"),
        edge(zlib, "link", "zlib-api"),
        edge(mpi, "build,link", "mpi"),
        edge(gmake, "build"),
        mpi=True,
        build_system="cmake",
    )

    def extension(name: str, version: str, *edges: Edge) -> ConcreteSpec:
        return node(name, version, edge(python, "build,run"), edge(venv, "build,run"), *edges)

    return extension(
        "py-h5py",
        "3.16.0",
        edge(gcc, "build", "c"),
        edge(wrapper, "build"),
        edge(hdf5, "build,link"),
        edge(mpi, "build,link", "mpi"),
        edge(extension("py-numpy", "2.2.0"), "build,run"),
        edge(extension("py-mpi4py", "4.0.1", edge(mpi, "link", "mpi")), "build,run"),
        edge(extension("py-pip", "24.1"), "build"),
        edge(extension("py-setuptools", "79.0"), "build"),
        edge(extension("py-cython", "3.1"), "build"),
        edge(extension("py-pytest", "8.0"), "test"),
    ).replace(
        variants={
            "mpi": VariantValue.boolean("mpi", True),
            "build_system": VariantValue.single("build_system", "python_pip"),
        }
    )
