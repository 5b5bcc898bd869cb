"""Which lines of a log are shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from spack.build.log_excerpt import (
    LINE_LENGTH,
    LOG_BYTES,
    excerpt,
    hint,
    log_lines,
    since_last_phase,
)

PIP = """\
  Running command Preparing metadata (pyproject.toml)
  Traceback (most recent call last):
    File "/store/py-pip/lib/python3.11/site-packages/pip/_vendor/pyproject_hooks/_x.py", line 1
      main()
    File "/stage/setup.py", line 4, in <module>
      import numpy
  ModuleNotFoundError: No module named 'numpy'
  error: subprocess-exited-with-error

  \u00d7 Preparing metadata (pyproject.toml) did not run successfully.
  \u2570\u2500> See above for output.

  note: This error originates from a subprocess, and is likely not a problem with pip.
error: metadata-generation-failed
Traceback (most recent call last):
  File "/store/py-pip/lib/python3.11/site-packages/pip/_internal/cli/base_command.py", line 1
    run()
pip._internal.exceptions.MetadataGenerationFailed: metadata generation failed
"""

GCC = """\
make[1]: Entering directory '/stage'
cc -c a.c
a.c: In function 'main':
a.c:3:5: error: unknown type name 'foo'
    3 |     foo x;
      |     ^~~
a.c:4:1: warning: unused
make[1]: *** [Makefile:2: a.o] Error 1
make: *** [Makefile:9: all] Error 2
"""

CMAKE = """\
-- Detecting CXX compile features - done
CMake Error at CMakeLists.txt:5 (find_package):
  By not providing "FindFoo.cmake" in CMAKE_MODULE_PATH this project has
  asked CMake to find a package configuration file provided by "Foo"

-- Configuring incomplete, errors occurred!
"""


@pytest.mark.parametrize(
    ("log", "shown", "hidden"),
    [
        (PIP, ["import numpy", "ModuleNotFoundError: No module named 'numpy'"], ["pip/", "note:"]),
        (GCC, ["a.c:3:5: error: unknown type name 'foo'", "foo x;"], ["make"]),
        (CMAKE, ["CMake Error at CMakeLists.txt:5", "asked CMake to find"], ["done"]),
        (
            "gcc -o x\n/usr/bin/ld: x.o: undefined reference to `zlibVersion'\n"
            "collect2: error: ld returned 1 exit status\nmake: *** [x] Error 1\n",
            ["undefined reference to `zlibVersion'"],
            ["***"],
        ),
        ("configure: error: zlib is needed\n", ["configure: error: zlib is needed"], []),
        (
            "Compiling x\nerror[E0425]: cannot find value `y`\n --> src/main.rs:2:5\n"
            "error: could not compile `x`\n",
            ["error[E0425]", "src/main.rs:2:5"],
            [],
        ),
        ('meson.build:3:0: ERROR: Dependency "z" not found\n', ['Dependency "z" not found'], []),
        ("sh: 1: autoreconf: not found\n", ["autoreconf: not found"], []),
        ("one\ntwo\n\nthree\n", ["one", "two", "three"], []),
        ("", [], ["x"]),
    ],
)
def test_the_real_error_is_shown(log: str, shown: list[str], hidden: list[str]) -> None:
    text = "\n".join(excerpt(log.splitlines()))
    assert [line for line in shown if line not in text] == []
    assert [line for line in hidden if line in text] == []


def test_no_more_than_the_limit() -> None:
    assert len(excerpt([f"line {n}" for n in range(100)], limit=5)) == 5
    assert excerpt([f"line {n}" for n in range(100)], limit=1) == ["line 99"]


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("x.c:1:10: fatal error: Python.h: No such file or directory", "development package"),
        ("x.c:1:10: fatal error: zlib.h: No such file or directory", "zlib.h belongs to"),
        ("ModuleNotFoundError: No module named 'hatch_vcs'", "module hatch_vcs"),
        ("/usr/bin/ld: cannot find -lz: No such file", "library z "),
    ],
)
def test_hints(line: str, part: str) -> None:
    found = hint([line])
    assert found is not None and part in found


def test_no_hint_where_nothing_is_known() -> None:
    assert hint(["something else"]) is None


def test_words_of_a_command_are_no_error() -> None:
    log = ["==> sh -c 'echo an error; exit 3'", "one", "two", "an error"]
    assert excerpt(log) == ["one", "two", "an error"]


def test_of_a_huge_log_the_end_is_shown_in_short_lines(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with open(log, "wb") as stream:
        stream.write(b"first\n")
        stream.truncate(2 * LOG_BYTES)
        stream.seek(0, 2)
        stream.write(b"\nmain.c:1: error: " + b"x" * 5_000_000 + b"\n")
    lines = log_lines(str(log))
    assert sum(map(len, lines)) <= LOG_BYTES and "first" not in lines
    (shown,) = [line for line in excerpt(lines) if "error" in line]
    assert shown.startswith("main.c:1: error: xxx") and len(shown) == LINE_LENGTH + len("...")


def test_lines_of_the_last_phase() -> None:
    log = ["==> phase: build", "one", "==> phase: install", "two", "three"]
    assert since_last_phase(log) == ["two", "three"]
    assert since_last_phase(log[:2]) == ["one"]
    assert since_last_phase(["one"]) == ["one"]
