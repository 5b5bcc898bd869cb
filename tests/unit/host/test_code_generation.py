"""Which compilers generate code for a microarchitecture."""

from __future__ import annotations

import pytest

from spack.host.code_generation import compiler_ranges, is_in_ranges
from spack.host.platform import Host


@pytest.mark.parametrize(
    ("version", "ranges", "expected"),
    [
        ("12.2", ["10.3:12.2"], True),
        ("12.2.0", ["10.3:12.2"], False),
        ("12.3.0", ["10.3:12.2", "12.3:"], True),
        ("4.1.2", [":4.1.2"], True),
        ("17", [":"], True),
        ("17", [], False),
        ("master", [], True),
    ],
)
def test_versions_are_compared_number_by_number(
    version: str, ranges: list[str], expected: bool
) -> None:
    assert is_in_ranges(version, ranges) is expected


def test_archspec_knows_which_compilers_make_code_for_a_target() -> None:
    found = compiler_ranges(["zen4", "x86_64", "a-target-of-tomorrow"])
    assert list(found) == ["zen4"], "a family needs no flags, and archspec knows no others"
    assert "12.3:" in found["zen4"]["gcc"]
    assert found["zen4"]["intel"] == [], "known for the family, but not for this processor"


def test_a_host_answers_for_any_target() -> None:
    host = Host(target="x86_64_v3", targets=("x86_64_v3", "x86_64"))
    assert "gcc" in host.compiler_ranges("zen5")
    assert host.compiler_ranges("x86_64") == {}
