from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from spack.errors import InstallError
from spack.install.check import PythonPaths, check_prefix

PATHS = PythonPaths("lib/python3.11/site-packages", "lib/python3.11/site-packages")


@pytest.fixture
def put(tmp_path: Path) -> Any:
    prefix = tmp_path / "prefix"

    def write(path: str, text: str = "") -> Path:
        target = prefix / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        return prefix

    return write


@pytest.mark.parametrize(
    "path, reason",
    [
        ("local/lib/python3.11/dist-packages/m.py", "posix_local"),
        ("local/bin/tool", "posix_local"),
        ("lib/python3/dist-packages/m.py", "deb_system"),
        ("lib64/python3.11/site-packages/m.so", "library folder"),
        ("lib/python3.9/site-packages/m.py", "another Python"),
        ("venv-1.0/lib/python3.11/site-packages/m.py", "not in venv-1.0/lib"),
    ],
)
def test_modules_in_a_wrong_location(put: Any, path: Any, reason: Any) -> None:
    put("lib/python3.11/site-packages/good.py")
    prefix = put(path)
    with pytest.raises(InstallError) as caught:
        check_prefix(prefix, python=PATHS)
    error = caught.value
    assert path in error.message and reason in error.message
    assert "lib/python3.11/site-packages" in error.message and "python_purelib" in error.hint
    assert error.facts["paths"] == (path,) and error.ref == "install-check"
    check_prefix(prefix)


@pytest.mark.parametrize(
    "path",
    [
        "lib/python3.11/site-packages/m.py",
        "lib/python3.11/site-packages/tool/data/site-packages/m.py",
        "lib/python3.11/site-packages/m/local/x.py",
        "share/doc/site-packages",
        "bin/tool",
        "lib/libm.so",
    ],
)
def test_modules_in_the_right_location(put: Any, path: Any) -> None:
    check_prefix(put(path), python=PATHS)


def test_purelib_and_platlib_may_differ(put: Any) -> None:
    put("lib64/python3.9/site-packages/m.so")
    prefix = put("lib/python3.9/site-packages/m.py")
    paths = PythonPaths("lib/python3.9/site-packages", "lib64/python3.9/site-packages")
    check_prefix(prefix, python=paths)
    (prefix / "lib64-link").symlink_to("lib64")
    check_prefix(prefix, python=paths)


def test_all_that_is_wrong_is_named(put: Any) -> None:
    for number in range(8):
        put(f"local/lib/m{number}.py")
    prefix = put("lib/python3/dist-packages/n.py")
    with pytest.raises(InstallError) as caught:
        check_prefix(prefix, python=PATHS)
    assert "and 3 more" in caught.value.message + caught.value.long_message
    assert "dist-packages/n.py" in caught.value.message + caught.value.long_message
    assert len(caught.value.facts["paths"]) == 9


def test_the_stage_in_a_text_file(put: Any) -> None:
    prefix = put("lib/python3.11/site-packages/m-1.dist-info/direct_url.json", "file:///s/t/age/x")
    with pytest.raises(InstallError, match=r"name the stage /s/t/age.*direct_url\.json") as caught:
        check_prefix(prefix, stages=[Path("/s/t/age")], python=PATHS)
    assert caught.value.hint
    checked = check_prefix(prefix, stages=[Path("/s/t/age")])
    assert len(checked.warnings) == 1 and not checked.warnings[0].fatal
    assert list(checked.manifest.files)[-1].endswith("direct_url.json")
    assert check_prefix(prefix, stages=[Path("/s/t/other")], python=PATHS).warnings == ()


def test_the_stage_in_a_binary_file_is_no_error(put: Any) -> None:
    prefix = put("lib/m.so", "\0ELF /s/t/age/m.c")
    assert check_prefix(prefix, stages=[Path("/s/t/age")], python=PATHS).warnings == ()


def test_special_files(put: Any) -> None:
    import os

    prefix = put("bin/x")
    os.mkfifo(prefix / "pipe")
    with pytest.raises(InstallError, match="pipe"):
        check_prefix(prefix)


@pytest.mark.parametrize(
    "path",
    ["lib/python/m.py", "python/m/x.py", "lib64/python3.11/m.cpython-311-x86_64-linux-gnu.so"],
)
def test_modules_that_no_python_would_find(put: Any, path: Any) -> None:
    put("bin/tool")
    prefix = put(path)
    with pytest.raises(InstallError, match="no Python looks for them in") as caught:
        check_prefix(prefix, python=PATHS)
    assert caught.value.facts["paths"] == (path,) and "PYTHONPATH" in caught.value.hint
    check_prefix(prefix)
    check_prefix(prefix, python=PATHS, pythonpath=True)
    # Private modules of a package whose other ones are where they belong.
    check_prefix(put("lib/python3.11/site-packages/m.py"), python=PATHS)


@pytest.mark.parametrize("path", ["lib/python/data.json", "share/x/python/m.py", "lib/other/m.py"])
def test_what_is_no_module_for_everybody(put: Any, path: Any) -> None:
    check_prefix(put(path), python=PATHS)
