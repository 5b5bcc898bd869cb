"""Words for numbers of things."""

from __future__ import annotations

import pytest

from spack.util.text import count_of


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 packages"), (1, "1 package"), (2, "2 packages")]
)
def test_one_thing_is_singular(number: int, text: str) -> None:
    assert count_of(number, "package") == text
