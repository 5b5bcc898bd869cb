"""Environment markers of Python projects as conditions of recipes."""

from __future__ import annotations

import pytest
from packaging.markers import Marker
from packaging.specifiers import SpecifierSet

from spack.recipe.marker_conditions import Condition, marker_conditions, unknown_variables

GREENLET = (
    'python_version < "3.14" and (platform_machine == "aarch64" or platform_machine == "x86_64" '
    'or platform_machine == "amd64" or platform_machine == "AMD64")'
)


def conditions(marker: str) -> list[Condition]:
    """Return the conditions in a project with extras d and x that admits Python 3.9 and newer."""
    admitted = SpecifierSet(">=3.9")
    return marker_conditions(Marker(marker), ["d", "x"], lambda v: v in admitted)


@pytest.mark.parametrize(
    ("marker", "expected"),
    [
        ('python_version < "3.11"', ["^python@:3.10"]),
        ('"3.11" > python_version', ["^python@:3.10"]),
        ('python_version >= "3.9"', [""]),
        ('python_version < "3"', []),
        ('python_version >= "3.10" and python_version < "3.12"', ["^python@3.10:3.11"]),
        ('python_version != "3.11"', ["^python@:3.10,3.12:"]),
        ('python_version == "3.11"', ["^python@3.11"]),
        ('python_version in "3.10 3.11"', ["^python@3.10:3.11"]),
        ('python_full_version <= "3.11.0a6"', ["^python@:3.10"]),
        ('python_full_version < "3.11.3"', ["^python@:3.11.2"]),
        ('platform_python_implementation != "PyPy"', [""]),
        ('implementation_name == "pypy"', []),
        ('sys_platform == "win32"', ["platform=windows"]),
        ('sys_platform != "win32"', ["platform=linux", "platform=darwin", "platform=freebsd"]),
        ('os_name == "nt" or sys_platform == "darwin"', ["platform=darwin", "platform=windows"]),
        ('platform_machine == "ppc64le"', ["target=ppc64le:"]),
        (
            'sys_platform == "darwin" and platform_machine == "arm64"',
            ["platform=darwin target=aarch64:"],
        ),
        (
            GREENLET,
            ["target=x86_64: ^python@:3.13", "platform=linux target=aarch64: ^python@:3.13"],
        ),
    ],
)
def test_conditions(marker: str, expected: list[str]) -> None:
    assert conditions(marker) == [Condition("", when) for when in expected]


def test_extras() -> None:
    assert conditions('extra == "d"') == [Condition("d", "")]
    assert conditions('extra == "d" and python_version < "3.11"') == [
        Condition("d", "^python@:3.10")
    ]
    assert conditions('python_version < "3.11" or extra == "x"') == [
        Condition("", "^python@:3.10"),
        Condition("x", "^python@3.11:"),
    ]
    assert conditions('extra == "other"') == []
    assert marker_conditions(None, [], lambda v: True) == [Condition("", "")]


def test_variables_that_no_recipe_can_ask_for() -> None:
    marker = Marker('platform_release >= "20" and sys_platform == "darwin"')
    assert unknown_variables(marker) == ["platform_release"]
    assert unknown_variables(Marker('sys_platform == "platform_release"')) == []
