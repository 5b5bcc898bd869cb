"""Indexes that stop, lie about metadata, or have metadata that cannot be read."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kits.command import Command
from kits.wheel_index import WheelIndex


@pytest.fixture
def index(spack: Command, tmp_path: Path) -> WheelIndex:
    spack("arch")  # the tool's own dependencies are not in the index
    return WheelIndex(tmp_path / "index")


def test_a_download_that_stops(spack: Command, index: WheelIndex) -> None:
    name = index.add("sweet", modules={"sweet.py": f"HERE = {str(index.root)!r}\n" * 50}).name
    index.metadata[name] = "Metadata-Version: 2.1\nName: sweet\nVersion: 1.0\n"
    index.broken_off.add(name)
    with index.served() as environ:
        result = spack.fails("install", "pypi:sweet", environ=environ)
        assert "it broke off after" in result.err
        index.broken_off.clear()
        spack("install", "pypi:sweet", environ=environ)


@pytest.mark.parametrize(
    ("metadata", "digest", "text"),
    [
        (
            "Metadata-Version: 2.1\nRequires-Dist: sour >>> 1\n",
            "",
            "malformed requirement: sour >>",
        ),
        ("Metadata-Version: 2.1\nRequires-Dist: ;;\n", "", "malformed requirement: ;;"),
        (
            "Metadata-Version: 2.1\nRequires-Dist: sour; nothing == '1'\n",
            "",
            "malformed requirement: sour; nothing",
        ),
        ("Metadata-Version: 2.1\n", "0" * 64, "checksum mismatch: "),
    ],
)
def test_metadata_that_cannot_be_used(
    spack: Command, index: WheelIndex, metadata: str, digest: str, text: str
) -> None:
    name = index.add("sweet", modules={"sweet.py": f"HERE = {str(index.root)!r}\n"}).name
    index.metadata[name] = metadata
    if digest:
        index.metadata_digests[name] = digest
    with index.served() as environ:
        result = spack.fails("spec", "pypi:sweet", environ=environ, code=2)
    assert "cannot use the project sweet of the package index" in result.err
    assert text in result.err


def test_an_older_release_is_taken_where_the_newest_cannot_be_read(
    spack: Command, index: WheelIndex
) -> None:
    index.add("sweet", "1.0")
    index.add("sweet", "2.0", requires=["sour >>> 1"])
    assert spack("spec", "pypi:sweet", environ=index.environ).lines[0].startswith("py-sweet@1.0")


def test_something_needed_has_no_wheel(spack: Command, index: WheelIndex) -> None:
    index.add("sweet", requires=["sour"])
    index.add("sour", tag="cp39-cp39-win_amd64")
    result = spack.fails("spec", "pypi:sweet", environ=index.environ)
    assert "the package index has no wheel of sour that can be used here" in result.err


def test_extras_and_markers_are_solved_as_by_uv(
    spack: Command, index: WheelIndex, tmp_path: Path
) -> None:
    """The same versions for the same Python, where all projects come from the index."""
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if uv is None:
        pytest.skip("uv is missing")
    add = index.add
    for version in ("1.0", "1.5", "2.0", "2.1.dev1"):
        add("sour", version)
    add("bitter", "3.0", requires=["sour!=1.5"])
    add("bitter", "2.0")
    add("old", requires=["sour<1"])
    add("salty", requires=["bitter~=2.0", "old; python_version < '3'"], requires_python=">=3.8")
    add(
        "sweet",
        requires=[
            "sour>=1,<3",
            "bitter; extra == 'taste'",
            "salty; extra == 'kitchen' and sys_platform != 'win32'",
            "old; extra == 'kitchen' and implementation_name == 'pypy'",
            "sweet[taste,kitchen]; extra == 'all'",
        ],
        extras=["taste", "kitchen", "all"],
    )
    with index.served() as environ:
        for text in ("sweet", "sweet[taste]", "sweet[kitchen]", "sweet[all]", "salty"):
            words = [uv, "pip", "compile", "-q", "--no-header", "--no-annotate", "--no-config"]
            words += ["--cache-dir", str(tmp_path / "uv"), "--index-url", environ["PIP_INDEX_URL"]]
            done = subprocess.run(
                [*words, "-"], input=text, stdout=subprocess.PIPE, text=True, check=True
            )
            tree = spack("spec", f"pypi:{text}", environ=environ).lines
            found = sorted(
                row.strip().lstrip("^").split(" ")[0].split("+")[0] for row in tree if "py-" in row
            )
            expected = sorted(f"py-{row.replace('==', '@')}" for row in done.stdout.split())
            assert found == expected, text
