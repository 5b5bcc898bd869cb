from __future__ import annotations

import hashlib
import os
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from spack.errors import StoreError
from spack.store import Manifest, ManifestEntry, scan, verify


@pytest.fixture
def prefix(tmp_path: Path) -> Any:
    prefix = tmp_path / "prefix"
    (prefix / "bin").mkdir(parents=True)
    (prefix / ".spack").mkdir()
    (prefix / ".spack" / "spec.json").write_text("{}")
    (prefix / "bin" / "tool").write_text("#!/bin/sh\n")
    (prefix / "bin" / "tool").chmod(0o755)
    (prefix / "bin" / "again").symlink_to("tool")
    (prefix / "lib").symlink_to("nowhere")
    return prefix


def test_what_is_scanned(prefix: Any) -> None:
    files = scan(prefix).manifest.files
    assert list(files) == ["bin", "bin/again", "bin/tool", "lib"]
    assert files["bin/tool"] == ManifestEntry(
        "file", 0o755, hashlib.sha256(b"#!/bin/sh\n").hexdigest(), 10
    )
    assert files["bin/again"][0::2] == ("link", "tool")
    assert files["bin"].kind == "dir"


def test_json_and_back(prefix: Any) -> None:
    (prefix / os.fsdecode(b"odd \xff\n name")).write_text("")
    manifest = scan(prefix).manifest
    assert Manifest.from_json(manifest.to_json()) == manifest


def test_needles_in_text_and_binary_and_across_chunks(tmp_path: Path) -> None:
    prefix = tmp_path / "p"
    prefix.mkdir()
    (prefix / "text").write_text("built in /the/stage here")
    (prefix / "binary").write_bytes(b"\0\1 /the/stage")
    (prefix / "clean").write_text("/the/sta ge")
    (prefix / "large").write_bytes(b"x" * ((1 << 20) - 4) + b"/the/stage" + b"y" * 1000)
    result = scan(prefix, [b"/the/stage"])
    assert set(result.found) == {"text", "large"} and set(result.binary) == {"binary"}
    large = (prefix / "large").read_bytes()
    assert result.manifest.files["large"].content == hashlib.sha256(large).hexdigest()


def test_what_is_neither_file_nor_link_nor_folder(
    prefix: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(prefix / "pipe")
    monkeypatch.chdir(prefix)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        result = scan(prefix)
    assert sorted(result.special) == ["pipe", "socket"]


def test_differences(prefix: Any) -> None:
    manifest = scan(prefix).manifest
    assert verify(prefix, manifest) == ()
    (prefix / "bin" / "tool").write_text("#!/bin/sh\nrm\n")
    (prefix / "bin" / "again").unlink()
    (prefix / "lib").unlink()
    (prefix / "lib").symlink_to("elsewhere")
    (prefix / "bin").chmod(0o700)
    (prefix / "new").write_text("")
    (prefix / "m" / "__pycache__").mkdir(parents=True)
    (prefix / "m" / "__pycache__" / "x.cpython-311.pyc").write_text("")
    found = {(d.path, d.what) for d in verify(prefix, manifest)}
    assert found == {
        ("bin", "mode"),
        ("bin/again", "missing"),
        ("bin/tool", "content"),
        ("lib", "target"),
        ("m", "added"),
        ("new", "added"),
    }
    (prefix / "bin" / "tool").unlink()
    (prefix / "bin" / "tool").mkdir()
    assert ("bin/tool", "kind") in {(d.path, d.what) for d in verify(prefix, manifest)}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 99, "files": {}}', '{"format": 1}'])
def test_damaged_manifests(tmp_path: Path, text: Any) -> None:
    path = tmp_path / "m.json"
    path.write_text(text)
    with pytest.raises(StoreError, match=r"m\.json") as caught:
        Manifest.load(path)
    assert caught.value.hint
    with pytest.raises(StoreError, match="cannot be read"):
        Manifest.load(tmp_path / "none")


def test_a_missing_prefix(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be read"):
        scan(tmp_path / "none")


def test_seven_hundred_files_take_less_than_sixty_milliseconds(tmp_path: Path) -> None:
    prefix = tmp_path / "p"
    for folder in range(35):
        (prefix / f"lib/package{folder}").mkdir(parents=True)
        for number in range(20):
            (prefix / f"lib/package{folder}/m{number}.py").write_bytes(os.urandom(8000))
    times = []
    for _ in range(5):
        start = time.process_time()  # what other processes do meanwhile does not count
        scan(prefix, [b"/some/stage/or/other"])
        times.append(time.process_time() - start)
    assert min(times) < 0.060
