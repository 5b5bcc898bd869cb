"""Views on the disk, with the interpreters of this machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from spack.cli.event_text import view_lines
from spack.view.plan_types import LINK_TYPES

from .conftest import INTERPRETERS, Make, Python, Store, demo_sources, run


@pytest.mark.parametrize("link_type", LINK_TYPES)
@pytest.mark.parametrize("base", INTERPRETERS, ids=lambda p: p.version)
def test_a_view_is_a_virtual_environment(
    tmp_path: Path, make: Make, base: Python, link_type: str
) -> None:
    store = Store(tmp_path / "prefixes", base)
    view = tmp_path / "view"
    result = make(view, demo_sources(store), link_type=link_type, python=base)
    assert result.changed and view_lines(result) == []
    python = view / "bin/python3"
    code = "import sys, ns.one, ns.two; print(sys.prefix, sys.base_prefix != sys.prefix)"
    for name in ("python3", "python", "python" + ".".join(base.version.split(".")[:2])):
        assert run(view / "bin" / name, "-c", code) == f"{view} True"
    assert run(view / "bin/tool", "a b", "*") == f"1 2 {view} a b *"
    assert os.readlink(view / "lib64") == "lib"
    assert (view / "lib/libz.so").resolve().name == "libz.so.1.2"
    nested = "import subprocess, sys; print(subprocess.check_output([sys.executable, '-c', "
    nested += "'import sys, ns.one; print(sys.prefix)'], text=True), end='')"
    assert run(python, "-c", nested) == str(view)
