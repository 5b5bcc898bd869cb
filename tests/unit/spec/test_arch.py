"""Targets and their ranges."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from spack.spec import ArchSpec, target_intersection, target_satisfies


@pytest.mark.parametrize(
    "left, right, common",
    [
        ("zen2", "zen2", "zen2"),
        ("zen2", "*", "zen2"),
        ("*", "zen2", "zen2"),
        ("zen2", "zen3", ""),
        ("zen2:", ":zen4", "zen2:zen4"),
        ("zen2:", "zen3:", "zen3:"),
        (":zen2", ":zen3", ":zen2"),
        ("zen3:", ":zen2", ""),
        ("zen2:", ":zen2", "zen2"),
        ("zen2:", "aarch64:", ""),
        (":zen2", ":m1", ""),
        ("zen2", "x86_64_v3:", "zen2"),
        ("m1,zen2", "x86_64_v3:,m1", "m1,zen2"),
        (":", "zen2:", "zen2:"),
        (":", ":", ":"),
    ],
)
def test_intersection(left: str, right: str, common: str) -> None:
    assert target_intersection(left, right) == common
    assert set(target_intersection(right, left).split(",")) == set(common.split(","))
    if common:
        assert target_satisfies(common, left)
        assert target_satisfies(common, right)


def test_architectures() -> None:
    arch = ArchSpec("linux", "debian12", "zen2")
    assert str(arch) == "linux-debian12-zen2"
    assert repr(arch) == "ArchSpec('linux', 'debian12', 'zen2')"
    assert arch
    assert not ArchSpec()
    assert ArchSpec().constrain(arch) is arch
    assert arch.constrain(ArchSpec()) is arch
    assert arch.constrain(ArchSpec("*", "*", "x86_64:")) == arch


def test_equal_texts_do_not_load_archspec() -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from spack.spec import *;"
        "assert target_satisfies('zen2', 'zen2'); assert not target_satisfies('zen2', 'zen3');"
        "assert target_satisfies('zen2', 'zen2,zen3'); assert Spec('p@1.2 target=zen2:');"
        "assert not {'archspec', 'dataclasses', 'inspect', 'json'} & set(sys.modules)"
    )
    lib = Path(__file__).parents[3] / "lib"
    subprocess.run([sys.executable, "-I", "-S", "-c", code, str(lib)], check=True)
