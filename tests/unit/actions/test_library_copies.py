"""Copies of one library that wheels bring into one process."""

from __future__ import annotations

from pathlib import Path

import pytest

from spack.actions.library_copies import installed_copies, library_copies
from spack.spec import ConcreteSpec, Edge, VariantValue
from spack.spec.wheel import BINARY, ChosenWheel


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path


def wheel(place: Path, name: str, *libraries: str) -> ConcreteSpec:
    chosen = ChosenWheel(f"{name}-1.0-cp311-cp311-linux_x86_64.whl", "0" * 64)
    for library in libraries:
        path = place / name / "lib" / "python3.11" / "site-packages" / f"{name}.libs" / library
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    system = {"build_system": VariantValue.single("build_system", BINARY)}
    return ConcreteSpec(name, "pypi", "1.0", {**system, **chosen.variants()})


def lines(place: Path, *nodes: ConcreteSpec) -> list[str]:
    return list(library_copies(nodes, lambda node: place / node.name))


def test_two_runtimes(place: Path) -> None:
    one = wheel(place, "one", "libgomp-a34b3233.so.1", "libgfortran.so")
    two = wheel(place, "two", "libomp.so")
    assert lines(place, one) == []
    (line,) = lines(place, one, two)
    assert "several OpenMP runtimes may come into one process" in line
    assert f"libgomp-a34b3233.so.1 of {one.short}, libomp.so of {two.short}" in line
    assert "build_system=python_wheel" in line


def test_a_wheel_beside_a_library_of_the_environment(place: Path) -> None:
    blas = ConcreteSpec("openblas", "builtin", "0.3")
    edge = Edge(blas, frozenset(("build", "link")), ("blas", "lapack"))
    built = ConcreteSpec("numpy", "builtin", "2.0", edges=(edge,))
    other = ConcreteSpec("scipy", "builtin", "1.0", edges=(edge,))
    assert lines(place, built, other, blas) == [], "one library, and no wheel"
    own = wheel(place, "own", "libscipy_openblas64_-13e2df51.so")
    (line,) = lines(place, built, own)
    assert blas.short in line and f"libscipy_openblas64_-13e2df51.so of {own.short}" in line


def test_the_runtime_of_a_compiler(place: Path) -> None:
    """What is built with OpenMP loads the runtime of its compiler."""
    value = VariantValue.single("threads", "openmp")
    built = ConcreteSpec("openblas", "builtin", "0.3", {"threads": value})
    assert lines(place, built) == []
    torch = wheel(place, "torch")
    library = place / "torch" / "lib" / "python3.11" / "site-packages" / "torch" / "lib"
    library.mkdir(parents=True)
    (library / "libgomp-98b21ff3.so.1").write_bytes(b"")
    (line,) = lines(place, torch, built)
    assert f"that of the compiler of {built.short}" in line


def test_only_what_is_used_together(place: Path) -> None:
    one = wheel(place, "one", "libgomp-a34b3233.so.1")
    two = wheel(place, "two", "libomp.so")
    edges = tuple(Edge(node, frozenset(("run",)), ()) for node in (one, two))
    both = ConcreteSpec("both", "pypi", "1.0", edges=edges)
    prefix_of = lambda node: place / node.name  # noqa: E731
    assert list(installed_copies([one, two], prefix_of)) == []
    assert len(list(installed_copies([one, both, both], prefix_of))) == 1
