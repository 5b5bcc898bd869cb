"""The process that runs build backends: compilers side by side."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROCESS = (
    Path(__file__).resolve().parents[3] / "lib" / "spack" / "build_systems" / "_backend_process.py"
)

#: Notes when it begins and when it ends; fails for the source ``bad.c``.
COMPILER = """#!/bin/sh
for last; do case $last in *.c) source=$last ;; esac; done
echo "begin $source" >> "$LOG"
sleep 0.3
echo "end $source" >> "$LOG"
case $source in *bad.c) exit 1 ;; esac
"""

#: ``setup.py build_ext``, after what the process does for it.
BUILD = """
import importlib.util, sys
from setuptools import Extension, setup
spec = importlib.util.spec_from_file_location("backend_process", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
module.compile_in_parallel(int(sys.argv[2]))
if sys.argv[3]:
    from setuptools.command.build_ext import build_ext
    class special(build_ext):
        def build_extensions(self):
            one = self.compiler._compile
            self.compiler._compile = lambda *args: one(*args)
            super().build_extensions()
    options = {"cmdclass": {"build_ext": special}}
else:
    options = {}
sources, sys.argv[1:] = sys.argv[4:], ["-q", "build_ext"]
setup(name="demo", ext_modules=[Extension("demo", sources)], **options)
"""


def build(tmp_path: Path, jobs: int, *sources: str, special: bool = False) -> list[str]:
    """Lines of the compiler; the last is ``failed`` if the build did."""
    if importlib.util.find_spec("setuptools") is None:
        pytest.skip("setuptools is not installed")
    compiler = tmp_path / "cc"
    compiler.write_text(COMPILER)
    compiler.chmod(0o755)
    for name in sources:
        (tmp_path / name).write_text("")
    log = tmp_path / "log"
    log.write_text("")
    command = [sys.executable, "-W", "ignore", "-c", BUILD, str(PROCESS), str(jobs)]
    command += ["special" if special else "", *sources]
    tools = {"CC": str(compiler), "LDSHARED": "true", "LOG": str(log)}
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), **tools},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = log.read_text().splitlines()
    assert lines, done.stderr
    return [*lines, "failed"] if done.returncode else lines


def most_at_once(lines: list[str]) -> int:
    running = most = 0
    for line in lines:
        running += {"begin": 1, "end": -1}.get(line.split()[0], 0)
        most = max(most, running)
    return most


@pytest.mark.parametrize(
    ("jobs", "special", "expected"), [(1, False, 1), (2, False, 2), (4, False, 3), (4, True, 1)]
)
def test_compilers_side_by_side(tmp_path: Path, jobs: Any, special: Any, expected: Any) -> None:
    """As many as there are jobs; one after the other where the project has its own way."""
    lines = build(tmp_path, jobs, "a.c", "b.c", "c.c", special=special)
    assert len(lines) == 6 and most_at_once(lines) == expected


def test_a_failure_fails_the_build(tmp_path: Path) -> None:
    lines = build(tmp_path, 2, "a.c", "bad.c", "c.c")
    assert lines[-1] == "failed" and "end a.c" in lines
