"""Records of a view that hold something else: an error with a hint, never a traceback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from spack.cli.event_text import view_lines
from spack.errors import ViewError
from spack.view.apply import ViewResult
from spack.view.inspect import status, verify
from spack.view.user_distributions import UserDistribution
from spack.view.view_manifest import load_activation

TEXTS = (
    "",
    "{",
    "false",
    "null",
    '"x"',
    "[1]",
    '{"a": 1}',
    '{"a": [1, 2, 3]}',
    '{"steps": [3], "prompt": 1, "venv": 0}',
    '{"steps": [[":", "PATH", "x", ":", ""]], "prompt": "e", "venv": false}',
    '{"steps": [["set", 1]], "prompt": "e", "venv": false}',
    '{"format": 3}',
    '{"format": []}',
)
READERS: dict[str, Callable[[str], object]] = {
    "manifest.json": status,
    "items/view.json": verify,
    "environment.json": load_activation,
    "change.json": verify,
}


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("file", READERS)
def test_damaged_records(make: Any, store: Any, tmp_path: Path, file: str, text: str) -> None:
    view = tmp_path / "view"
    make(view, [store.venv_source(), store.package("a", {"bin/a": "x"})])
    path = view / ".spack-view" / file
    path.write_text(text)
    with pytest.raises(ViewError) as caught:
        READERS[file](str(view))
    assert "cannot be read" in caught.value.message
    assert caught.value.hint is not None and "spack env view regenerate" in caught.value.hint


def test_what_the_views_python_no_longer_sees_is_named() -> None:
    """After the Python of a view changed its minor version."""
    old, new = "lib/python3.11/site-packages", "lib/python3.12/site-packages"
    lost = UserDistribution("a", "1.0", f"{old}/a-1.0.dist-info", frozenset(), "", "pip")
    seen = UserDistribution("b", "2", f"{new}/b-2.dist-info", frozenset(), "", "")
    result = ViewResult(
        "/v", True, 3, distributions=((lost, ""), (seen, "")), site_packages=(new, new)
    )
    lines = view_lines(result)
    assert lines == [
        f"a 1.0 (by pip): kept in {old}, where the view's Python no longer looks for modules; "
        "install again: /v/bin/python3 -m pip install a==1.0",
        "kept b 2, which no package of the view owns",
    ]
