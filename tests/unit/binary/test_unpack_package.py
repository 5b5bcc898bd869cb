"""Archives of caches: what is refused, with the reason."""

from __future__ import annotations

import io
import json
import os
import tarfile
from pathlib import Path
from typing import Callable

import pytest

from kits.binaries import Machine, archive_of, blob_of, packed, unpacked
from kits.specs import make_spec
from spack.binary.cache_manifest import Blob
from spack.binary.package_description import PackageDescription
from spack.binary.path_references import FileReferences, Reference
from spack.errors import BinaryCacheError
from spack.fetch.extraction_target import Limits
from spack.util.frozen import replace

Change = Callable[[tarfile.TarFile, str], None]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    spec = make_spec("pack@1", make_spec("python@3.11", external="/usr"), make_spec("needed"))
    return Machine(tmp_path / "store", spec)


def entry(name: str, data: bytes = b"x", **attributes: object) -> Change:
    def add(tar: tarfile.TarFile, top: str) -> None:
        member = tarfile.TarInfo(name.replace("TOP", top))
        member.size = len(data)
        for key, value in attributes.items():
            text = value.replace("TOP", top) if isinstance(value, str) else value
            setattr(member, key, text)
        tar.addfile(member, io.BytesIO(data) if member.isreg() else None)

    return add


HOSTILE = {
    "traversal": (entry("TOP/../../evil"), "would land outside"),
    "absolute": (entry("//etc/evil"), "would land outside"),
    "beside": (entry("other/file"), "is outside of"),
    "prefix of the name": (entry("TOPx/file"), "is outside of"),
    "link out": (entry("TOP/a", b"", type=tarfile.SYMTYPE, linkname="../../.."), "is outside"),
    "absolute link": (entry("TOP/a", b"", type=tarfile.SYMTYPE, linkname="/etc/x"), "is outside"),
    "hard link out": (
        entry("TOP/a", b"", type=tarfile.LNKTYPE, linkname="etc/passwd"),
        "is outside of",
    ),
    "device": (entry("TOP/a", b"", type=tarfile.CHRTYPE), "is a device or pipe"),
    "pipe": (entry("TOP/a", b"", type=tarfile.FIFOTYPE), "is a device or pipe"),
    "control characters": (entry("TOP/a\x1bb"), "has control characters"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_entries(machine: Machine, tmp_path: Path, name: str) -> None:
    change, reason = HOSTILE[name]
    blob = archive_of(machine, tmp_path / "archive", change)
    with pytest.raises(BinaryCacheError, match=reason) as caught:
        unpacked(machine, tmp_path / "archive", blob)
    assert caught.value.hint and "pack@1.0" not in caught.value.hint
    assert {path.name for path in tmp_path.iterdir()} == {"archive", "store"}
    assert {path.name for path in machine.root.iterdir()} == {machine.prefix.name}


def test_an_entry_below_a_link(machine: Machine, tmp_path: Path) -> None:
    def change(tar: tarfile.TarFile, top: str) -> None:
        entry("TOP/a", b"", type=tarfile.SYMTYPE, linkname=".spack")(tar, top)
        entry("TOP/a/spec.json")(tar, top)

    blob = archive_of(machine, tmp_path / "archive", change)
    with pytest.raises(BinaryCacheError, match="is below the link"):
        unpacked(machine, tmp_path / "archive", blob)


def test_modes_and_links_that_are_allowed(machine: Machine, tmp_path: Path) -> None:
    def change(tar: tarfile.TarFile, top: str) -> None:
        entry("TOP/suid", mode=0o6777)(tar, top)
        entry("TOP/python3", b"", type=tarfile.SYMTYPE, linkname="/usr/bin/python3")(tar, top)
        entry("TOP/python", b"", type=tarfile.SYMTYPE, linkname="python3")(tar, top)

    blob = archive_of(machine, tmp_path / "archive", change)
    unpacked(machine, tmp_path / "archive", blob)
    assert (machine.prefix / "suid").stat().st_mode & 0o7777 == 0o755
    assert os.readlink(machine.prefix / "python3") == "/usr/bin/python3"
    assert (machine.prefix / "python").resolve().exists()


def other_size(blob: Blob) -> Blob:
    return replace(blob, size=blob.size + 7)


def shorter(blob: Blob) -> Blob:
    return replace(blob, size=blob.size - 7)


def other_digest(blob: Blob) -> Blob:
    return replace(blob, digest="0" * 64)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (other_size, "ends 7 bytes too early"),
        (shorter, "it is damaged|longer than its manifest says"),
        (other_digest, "does not have the digest of its manifest"),
    ],
)
def test_an_archive_that_is_not_what_the_manifest_says(
    machine: Machine, tmp_path: Path, change: Callable[[Blob], Blob], reason: str
) -> None:
    machine.install({"bin/tool": "x" * 1000})
    blob = packed(machine, tmp_path / "archive")
    there = Machine(tmp_path / "there", machine.spec)
    with pytest.raises(BinaryCacheError, match=reason):
        unpacked(there, tmp_path / "archive", change(blob))


def test_a_truncated_archive(machine: Machine, tmp_path: Path) -> None:
    machine.install({"bin/tool": os.urandom(100_000)})
    blob = packed(machine, tmp_path / "archive")
    os.truncate(tmp_path / "archive", 50_000)
    there = Machine(tmp_path / "there", machine.spec)
    with pytest.raises(BinaryCacheError, match=r"damaged|too early"):
        unpacked(there, tmp_path / "archive", blob)
    (tmp_path / "archive").unlink()
    with pytest.raises(BinaryCacheError, match="its archive is missing"):
        unpacked(Machine(tmp_path / "again", machine.spec), tmp_path / "archive", blob)


def test_an_archive_that_unpacks_to_far_more(machine: Machine, tmp_path: Path) -> None:
    blob = archive_of(machine, tmp_path / "archive", entry("TOP/zeros", b"\0" * 500_000))
    with pytest.raises(BinaryCacheError, match="unpacks to far more than its size"):
        unpacked(machine, tmp_path / "archive", blob, limits=Limits(least=100_000, ratio=1))


def test_a_package_of_another_name_or_hash(machine: Machine, tmp_path: Path) -> None:
    for other in (make_spec("other@1"), make_spec("pack@2")):
        blob = archive_of(machine, tmp_path / "archive", spec=other)
        with pytest.raises(BinaryCacheError, match=f"its archive is of {other.name}/"):
            unpacked(machine, tmp_path / "archive", blob)
        (machine.prefix / ".spack").rmdir()


def reference(path: str, key: str, offset: int = 0) -> dict[str, FileReferences]:
    return {path: FileReferences("text", (Reference(offset, key),))}


@pytest.mark.parametrize(
    ("references", "reason"),
    [
        (reference("file", "unknown"), "names the prefix of the unknown node 'unknown'"),
        (reference("../../file", ""), "records '../../file', which it does not have"),
        (reference("none", ""), "records 'none', which it does not have"),
        (reference("file", "", 3), "file does not name /old where it should"),
    ],
)
def test_references_that_are_not_there(
    machine: Machine, tmp_path: Path, references: dict[str, FileReferences], reason: str
) -> None:
    described = PackageDescription({"": "/old"}, "x", references).to_json().encode()
    blob = archive_of(
        machine, tmp_path / "archive", entry("TOP/file", b"text"), description=described
    )
    with pytest.raises(BinaryCacheError, match=reason):
        unpacked(machine, tmp_path / "archive", blob)


@pytest.mark.parametrize(
    "description",
    [
        b"{",
        b"\xff",
        b"[1]",
        b'{"buildpath": "/a", "hash_to_prefix": {"x": "relative"}, "relative_prefix": "x"}',
        json.dumps(
            {
                "buildpath": "/a",
                "hash_to_prefix": {},
                "relative_prefix": "",
                "references": {"x": {"kind": "new", "at": []}},
            }
        ).encode(),
    ],
)
def test_descriptions_that_cannot_be_read(
    machine: Machine, tmp_path: Path, description: bytes
) -> None:
    blob = archive_of(machine, tmp_path / "archive", description=description)
    with pytest.raises(BinaryCacheError, match="binary_distribution cannot be read"):
        unpacked(machine, tmp_path / "archive", blob)


def test_what_is_no_package(machine: Machine, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    archive.write_bytes(b"no archive")
    with pytest.raises(BinaryCacheError, match="it is damaged"):
        unpacked(machine, archive, blob_of(archive))


def test_spacks_own_description_lists_files_to_look_at(machine: Machine, tmp_path: Path) -> None:
    """As Spack writes it: YAML, without offsets, and with its ``sbang``."""
    digest = machine.spec.dag_hash()
    description = (
        f"{{buildpath: /old, hash_to_prefix: {{{digest}: /old/pack}}, relative_prefix: pack,\n"
        " relocate_textfiles: [bin/tool], relocate_binaries: [], relocate_links: []}\n"
    )
    script = b"#!/bin/sh /old/bin/sbang\n#!/old/pack/bin/python\n"
    blob = archive_of(
        machine,
        tmp_path / "archive",
        entry("TOP/bin/tool", script, mode=0o755),
        description=description.encode(),
    )
    found = unpacked(machine, tmp_path / "archive", blob)
    assert found.relocated == ("bin/tool",) and found.run_environment is None
    assert (machine.prefix / "bin/tool").read_text() == f"#!{machine.prefix}/bin/python\n"
