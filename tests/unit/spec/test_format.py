"""Format strings."""

from __future__ import annotations

import pytest

from spack.errors import SpecError
from spack.spec import ConcreteSpec, parse


@pytest.mark.parametrize(
    "template, expected",
    [
        ("{name}-{version}-{hash:7}", "py-h5py-3.16.0-HASH:7"),
        ("{name}{@version}{/hash:4}", "py-h5py@3.16.0/HASH:4"),
        ("{name}{@versions}", "py-h5py@=3.16.0"),
        ("{/hash}", "/HASH:32"),
        ("{variants}", "+mpi build_system=python_pip"),
        ("{variants.mpi}", "+mpi"),
        ("{variants.mpi.name}={variants.mpi.value}", "mpi=True"),
        ("{variants.build_system}", "build_system=python_pip"),
        ("{variants.build_system.value}", "python_pip"),
        ("{architecture}", "linux-debian12-x86_64_v3"),
        ("{arch.platform}/{architecture.os}/{target}", "linux/debian12/x86_64_v3"),
        ("{platform=architecture.platform}{ os=architecture.os}", "platform=linux os=debian12"),
        ("{namespace}.{name}", "venv.py-h5py"),
        ("x{ namespace=namespace}", "x namespace=venv"),
        ("{ namespace=namespace}", "namespace=venv"),
        ("{fullname}", "venv.py-h5py"),
        ("{%compiler}", "%gcc@12.2.0/GCC:32"),
        ("{^python.compiler.name}-{^python.compiler.version}", "none-none"),
        ("{%^python.compiler}", "none"),
        ("{%compiler.name}", "%gcc"),
        ("{compiler.name}{@compiler.version}", "gcc@12.2.0"),
        ("{name}{compilers}", "py-h5py %c=gcc@12.2.0"),
        ("{^hdf5.compilers}", "%c,cxx=gcc@12.2.0"),
        ("{compiler_flags}", ""),
        ("{^mpi.name}-{^hdf5.version}", "intel-oneapi-mpi-1.14.5"),
        ("{^python-venv.hash:3}", "VENV:3"),
        ("{prefix}/bin", "/opt/p/bin"),
        ("{NAME}", "py-h5py"),
        (r"\{name\} \\", r"{name} " + "\\"),
        ("{external_path}", ""),
        ("plain", "plain"),
    ],
)
def test_concrete(py_h5py: ConcreteSpec, template: str, expected: str) -> None:
    nodes = {"HASH": py_h5py, "VENV": py_h5py["python-venv"], "GCC": py_h5py["gcc"]}
    for name, node in nodes.items():
        for length in (32, 7, 4, 3):
            expected = expected.replace(f"{name}:{length}", node.dag_hash(length))
    assert py_h5py.format(template, {"prefix": "/opt/p"}) == expected


@pytest.mark.parametrize(
    "text, template, expected",
    [
        ("p@1.2:+x y=a", "{name}{@versions}{variants}", "p@1.2:+x y=a"),
        ("p", "{name}{@version}{/hash}{architecture}", "p"),
        ("p@1.2", "{@version}", "@1.2"),
        ("p@=1.2", "{version}", "1.2"),
        ("p/abc", "{/hash:7}{/abstract_hash}", "/abc/abc"),
        ("p", "{compiler}", "none"),
        ("p %gcc@12", "{name} {%compiler.name}", "p none"),
        ("p cflags='-O2 -g'+x", "{name}{compiler_flags}{variants}", "p cflags='-O2 -g' +x"),
        (
            "p fflags==-g cflags=-O2 cflags==-g",
            "{compiler_flags}",
            "cflags=-O2 cflags==-g fflags==-g",
        ),
    ],
)
def test_abstract(text: str, template: str, expected: str) -> None:
    assert parse(text).format(template) == expected


@pytest.mark.parametrize(
    "template, message, carets",
    [
        ("{name", "the braces do not match", "^^^^^"),
        ("name}", "the braces do not match", "    ^"),
        ("{nosuch}", "a spec has no attribute 'nosuch'", "^^^^^^^^"),
        ("{}", "'' is not an attribute", "^^"),
        ("{name..x}", "'name..x' is not an attribute", "^^^^^^^^^"),
        ("{_hash}", "'_hash' is not an attribute", "^^^^^^^"),
        ("{dag_hash}", "'dag_hash' is not an attribute", "^^^^^^^^^^"),
        ("{variants.nosuch}", "'py-h5py' has no variant 'nosuch'", "^^^^^^^^^^^^^^^^^"),
        ("{hash:x}", "'x' is not a length of a hash", "^^^^^^^^"),
        ("{@name}", "'@' does not go with 'name'", "^^^^^^^"),
        ("{%version}", "'%' does not go with 'version'", "^^^^^^^^^^"),
        ("{/name}", "'/' does not go with 'name'", "^^^^^^^"),
        ("{@hash}", "'@' does not go with a hash", "^^^^^^^"),
        ("{^cmake.name}", "there is no dependency 'cmake'", "^^^^^^^^^^^^^"),
    ],
)
def test_errors(py_h5py: ConcreteSpec, template: str, message: str, carets: str) -> None:
    with pytest.raises(SpecError) as caught:
        py_h5py.format(template)
    error = caught.value
    assert error.message == f"{message} in the format string"
    assert error.long_message == f"{template}\n{carets}"
    assert error.ref == "spec-format"
