"""Shell scripts and data files of a view that name the store's Python."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from spack.view.launchers import (
    ShownPackage,
    interpreter_pattern,
    relocated_data,
    relocated_launcher,
)

PATTERN = interpreter_pattern([b"/store/venv-1-x", b"/store/tool-1-y"], [b"/usr/bin/python3.11"])
IN_VIEW = ("bin/tool", "libexec/run.py", "share")
TOOL = ShownPackage(b"/store/tool-1-y", b"", PATTERN, IN_VIEW.__contains__)
PYTHON = "/store/venv-1-x/bin/python3"


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (f'printf "%s\\n" {PYTHON}', "bin/python3"),
        (f'printf "%s\\n" "{PYTHON}"', "bin/python3"),
        (f"printf '%s\\n' '{PYTHON}'", "bin/python3"),
        (f"P={PYTHON}.11\nprintf '%s\\n' \"$P\"", "bin/python3"),
        (f"P='it'\\''s {PYTHON}'\nprintf '%s\\n' \"${{P#it?s }}\"", "bin/python3"),
        (f": ${{P:={PYTHON}}}\nprintf '%s\\n' \"$P\"", "bin/python3"),
        (f'P="$(printf %s {PYTHON})"\nprintf "%s\\n" "$P"', "bin/python3"),
        (f"# it's {PYTHON}\nprintf '%s\\n' {PYTHON}", "bin/python3"),
        ("printf '%s\\n' /usr/bin/python3.11", "bin/python3"),
        ("printf '%s\\n' /store/tool-1-y/libexec/run.py", "libexec/run.py"),
        ("D=/store/tool-1-y\nprintf '%s\\n' \"$D/libexec/run.py\"", "libexec/run.py"),
        ("printf '%s\\n' /store/tool-1-y/missing", "/store/tool-1-y/missing"),
        ("printf '%s\\n' /store/tool-1-y2/share", "/store/tool-1-y2/share"),
        (f"cat <<E\n{PYTHON}\nE", PYTHON),
        (f'printf "%s\\n" "`printf %s {PYTHON}`"', PYTHON),
        (f'printf "%s\\n" {PYTHON}; cat <<<"x" >/dev/null', "bin/python3"),
    ],
)
@pytest.mark.parametrize("shell", ["sh", "bash", "zsh", "ksh"])
def test_launchers_run(tmp_path: Path, shell: str, body: str, shown: str) -> None:
    """What a shell makes of a rewritten script, in a view whose path has a blank, by a link."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    if "<<<" in body and shell == "sh":
        pytest.skip("here-strings are not of sh")
    script = tmp_path / "a view/bin/tool"
    script.parent.mkdir(parents=True)
    text = f"#!/bin/{shell}\n{body}\n".encode()
    script.write_bytes(relocated_launcher("bin/tool", text, TOOL) or text)
    link = tmp_path / "link"
    link.symlink_to(script)
    expected = shown if shown.startswith("/") else f"{tmp_path}/a view/{shown}"
    for path in (script, link):
        done = subprocess.run([shell, str(path)], capture_output=True, text=True)
        assert done.stdout == f"{expected}\n", (done, script.read_text())


def test_launchers_in_folders_of_their_own(tmp_path: Path) -> None:
    text = b"#!/bin/sh\necho /store/tool-1-y/bin/tool\n"
    shown = TOOL._replace(folder=b"tool", exists=("tool/bin/tool",).__contains__)
    script = tmp_path / "tool/bin/tool"
    script.parent.mkdir(parents=True)
    script.write_bytes(relocated_launcher("tool/bin/tool", text, shown) or b"")
    assert subprocess.check_output(["sh", str(script)], text=True) == f"{script}\n"


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("lib/pkgconfig/t.pc", f"python={PYTHON}", "python=${pcfiledir}/../../bin/python3"),
        (
            "lib/cmake/t/t.cmake",
            f'set(P "{PYTHON}")',
            'set(P "${CMAKE_CURRENT_LIST_DIR}/../../../bin/python3")',
        ),
        ("share/applications/t.desktop", "Exec=/store/tool-1-y/bin/tool %f", "Exec=tool %f"),
        ("share/applications/t.desktop", f"Exec={PYTHON} -m t", "Exec=python3 -m t"),
        ("share/applications/t.desktop", "Exec=/store/tool-1-y/bin/no", None),
        ("lib/pkgconfig/t.pc", "prefix=/store/tool-1-y", None),
    ],
)
def test_data(path: str, old: str, new: str | None) -> None:
    found = relocated_data(path, f"{old}\n".encode(), TOOL)
    assert found == (None if new is None else f"{new}\n".encode())


def test_kernels() -> None:
    path = "share/jupyter/kernels/k/kernel.json"
    kernel = {"argv": [PYTHON, "-m", "ipykernel"], "env": {"P": PYTHON, "Q": "q"}, "x": "é"}
    new = relocated_data(path, json.dumps(kernel).encode(), TOOL)
    assert new is not None
    assert json.loads(new) == {
        "argv": ["python3", "-m", "ipykernel"],
        "env": {"P": "python3", "Q": "q"},
        "x": "é",
    }
    program = {"argv": ["/store/tool-1-y/bin/tool", "{connection_file}"]}
    new = relocated_data(path, json.dumps(program).encode(), TOOL)
    assert new is not None and json.loads(new)["argv"][0] == "tool"
    deep = b"[" * 100_000
    for other in (b"{", b"[]", b'{"argv": []}', b'{"argv": ["/usr/bin/R"]}', b'{"argv": 1}', deep):
        assert relocated_data(path, other, TOOL) is None
