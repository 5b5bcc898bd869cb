"""Frozen records behave as frozen dataclasses do, and cost no start-up."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

import pytest

from spack.util.frozen import field, fields_of, frozen, replace, values_of


@frozen
class Point:
    x: int
    y: int = 0


@frozen
class Named(Point):
    name: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.x < 0:
            raise ValueError("x")


@dataclass(frozen=True)
class Reference:
    x: int
    y: int = 0


def make(cls: Any, *args: Any, **kwargs: Any) -> Any:
    """Return what calling gives, or that it is refused."""
    try:
        made = cls(*args, **kwargs)
    except TypeError:
        return TypeError
    return made.x, made.y


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        ((1,), {}),
        ((1, 2), {}),
        ((), {"x": 1, "y": 2}),
        ((1,), {"y": 3}),
        ((), {}),
        ((), {"y": 1}),
        ((1, 2, 3), {}),
        ((1,), {"x": 1}),
        ((1,), {"z": 1}),
    ],
)
def test_calls_as_a_dataclass(args: list[int], kwargs: dict[str, int]) -> None:
    assert make(Point, *args, **kwargs) == make(Reference, *args, **kwargs)


def test_equality_and_hash_are_of_the_values_and_the_class() -> None:
    assert Point(1, 2) == Point(1, y=2)
    assert Point(1) != Point(2)
    assert Point(1) != Named(1)
    assert len({Point(1), Point(1), Point(2)}) == 2
    with pytest.raises(TypeError):
        hash(Named(1))  # a dict is in it


def test_values_cannot_be_changed() -> None:
    point: Any = Point(1)
    for change in (
        lambda: setattr(point, "x", 2),
        lambda: setattr(point, "other", 2),
        lambda: delattr(point, "x"),
    ):
        refused: Callable[[], None] = change
        with pytest.raises(AttributeError, match="frozen"):
            refused()
    assert repr(point) == "Point(x=1, y=0)"


def test_a_derived_class_has_the_fields_of_its_base_first() -> None:
    named = Named(1, 2, "n")
    assert fields_of(Named) == ("x", "y", "name", "facts")
    assert values_of(named) == {"x": 1, "y": 2, "name": "n", "facts": {}}
    assert Named(1).facts is not Named(1).facts
    with pytest.raises(ValueError, match="x"):
        Named(-1)


def test_replace_makes_another_record() -> None:
    first = Named(1, name="n")
    assert replace(first, y=5) == Named(1, 5, "n")
    assert first.y == 0
    with pytest.raises(TypeError):
        replace(first, z=1)


def test_what_daily_commands_import_needs_nothing_costly() -> None:
    lib = Path(__file__).resolve().parents[3] / "lib"
    code = (
        f"import sys; sys.path.insert(0, {str(lib)!r})\n"
        "import spack.session, spack.store, spack.environment, spack.actions.environments\n"
        "import spack.actions.views, spack.cli.commands.install, spack.cli.commands.find\n"
        "import spack.cli.commands.load, spack.cli.commands.location, spack.cli.commands.env\n"
        "costly = {'dataclasses', 'inspect', 'tempfile', 'shutil', 'csv', '_hashlib'}\n"
        "print(sorted(costly & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
