"""References to prefixes: found when a package is packed, changed where it is installed."""

from __future__ import annotations

import io
import marshal
import os
import shutil
import struct
import subprocess
import zipfile
from pathlib import Path

import pytest

from kits.binaries import Machine, packed, unpacked
from kits.specs import make_spec
from spack.api.elf import get_rpaths
from spack.binary.path_references import PrefixPattern
from spack.errors import BinaryCacheError
from spack.store.prefix_manifest import scan
from spack.util.record_file import RecordedFile

GCC = shutil.which("gcc")


@pytest.fixture
def here(tmp_path: Path) -> Machine:
    dependency = make_spec("needed@2")
    return Machine(tmp_path / "a-store-of-a-middle-length", make_spec("pack@1", dependency))


def moved(here: Machine, tmp_path: Path, root: str) -> Machine:
    """Pack and unpack below another root."""
    target = Machine(tmp_path / root, here.spec)
    blob = packed(here, tmp_path / "archive")
    unpacked(target, tmp_path / "archive", blob)
    return target


@pytest.mark.parametrize("root", ["s", "b-store-of-a-middle-length", "s" * 120])
def test_texts_links_and_records_name_the_new_prefixes(
    here: Machine, tmp_path: Path, root: str
) -> None:
    site = "lib/python3.11/site-packages"
    script = f"#!{here.prefix}/bin/python3\nprint('{here.path('needed')}/share', 'é')\n"
    row = RecordedFile.of(script.encode())
    here.install(
        {
            "bin/tool": script,
            "bin/link@": f"{here.path('needed')}/bin/other",
            "bin/near@": "tool",
            "etc/root.conf": f"store={here.root}/unknown:file://{here.prefix}",
            "etc/same.conf": f"/mnt{here.prefix} {here.root}-other",
            ".spack/python.json": f'{{"x": "{here.path("needed")}"}}',
            f"{site}/pack-1.dist-info/RECORD": f"../../../bin/tool,sha256=x,{row.size}\n",
        }
    )
    there = moved(here, tmp_path, root)
    new = f"#!{there.prefix}/bin/python3\nprint('{there.path('needed')}/share', 'é')\n"
    assert (there.prefix / "bin/tool").read_text() == new
    assert os.readlink(there.prefix / "bin/link") == f"{there.path('needed')}/bin/other"
    assert os.readlink(there.prefix / "bin/near") == "tool"
    root_text = f"store={there.root}/unknown:file://{there.prefix}"
    assert (there.prefix / "etc/root.conf").read_text() == root_text
    same = f"/mnt{here.prefix} {here.root}-other"
    assert (there.prefix / "etc/same.conf").read_text() == same
    assert str(there.path("needed")) in (there.prefix / ".spack/python.json").read_text()
    record = (there.prefix / site / "pack-1.dist-info/RECORD").read_text()
    assert record.endswith(f",{len(new.encode())}\n") and "sha256=x," not in record


def test_a_binary_keeps_its_length(here: Machine, tmp_path: Path) -> None:
    data = b"\0%s/share\0tail%s\0" % (os.fsencode(here.prefix), os.fsencode(here.path("needed")))
    here.install({"lib/data.bin": data})
    there = moved(here, tmp_path, "s")
    new = (there.prefix / "lib/data.bin").read_bytes()
    assert len(new) == len(data)
    path = new[1:].partition(b"\0")[0]
    assert path.endswith(b"///share") and os.path.normpath(path) == (
        os.fsencode(there.prefix) + b"/share"
    )


def test_a_longer_path_in_a_binary_is_refused_with_the_file(here: Machine, tmp_path: Path) -> None:
    here.install({"lib/data.bin": b"\0" + os.fsencode(here.prefix)})
    with pytest.raises(
        BinaryCacheError, match=r"cannot be moved to .*lib/data.bin names"
    ) as caught:
        moved(here, tmp_path, "s" * 60)
    assert caught.value.ref == "binary-immovable"
    assert "padded_length" in str(caught.value.hint)


def test_a_zip_archive_is_moved_only_if_it_names_no_prefix(here: Machine, tmp_path: Path) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("inside", str(here.prefix))
    here.install({"lib/data.zip": content.getvalue()})
    with pytest.raises(BinaryCacheError, match=r"lib/data.zip is a zip archive that names"):
        moved(here, tmp_path, "s")


def test_a_script_whose_first_line_becomes_too_long(here: Machine, tmp_path: Path) -> None:
    here.install({"bin/tool": f"#!{here.prefix}/bin/python3\n"})
    with pytest.raises(BinaryCacheError, match=r"bin/tool is a script whose first line"):
        moved(here, tmp_path, "s" * 200)


@pytest.mark.parametrize("root", ["s", "s" * 60, "s" * 210])
def test_bytecode(here: Machine, tmp_path: Path, root: str) -> None:
    code = compile("def f():\n    return 1\n", f"{here.prefix}/lib/mod.py", "exec")
    other = marshal.dumps([f"{here.prefix}/" + "x" * 300, code, 7])
    here.install({"lib/__pycache__/mod.cpython-311.pyc": struct.pack("<16x") + other})
    there = moved(here, tmp_path, root)
    data = (there.prefix / "lib/__pycache__/mod.cpython-311.pyc").read_bytes()
    name, loaded, number = marshal.loads(data[16:])
    assert name == f"{there.prefix}/" + "x" * 300 and number == 7
    assert loaded.co_filename == f"{there.prefix}/lib/mod.py"
    assert loaded.co_consts[0].co_filename == f"{there.prefix}/lib/mod.py"


@pytest.mark.skipif(GCC is None, reason="gcc is not installed")
@pytest.mark.parametrize("root", ["s", "s" * 80])
def test_run_paths_of_elf_files(here: Machine, tmp_path: Path, root: str) -> None:
    source = tmp_path / "x.c"
    source.write_text("int f(void) { return 1; }\n")
    library = here.prefix / "lib" / "libx.so"
    library.parent.mkdir(parents=True)
    run_path = f"{here.prefix}/lib:{here.path('needed')}/lib64"
    subprocess.run(
        [str(GCC), "-g", "-shared", "-fPIC", f"-Wl,-rpath,{run_path}", "-o", library, source],
        check=True,
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PWD": str(here.prefix)},
    )
    here.install({})
    there = moved(here, tmp_path, root)
    found = [
        os.path.normpath(x.replace("$ORIGIN", str(there.prefix / "lib")))
        for x in get_rpaths(str(there.prefix / "lib/libx.so")) or ()
    ]
    assert found == [f"{there.prefix}/lib", f"{there.path('needed')}/lib64"]


def test_a_run_path_without_room_is_set_by_a_program(here: Machine, tmp_path: Path) -> None:
    if GCC is None or shutil.which("patchelf") is None:
        pytest.skip("gcc and patchelf are not both installed")
    from spack.actions.binary_installs import patchelf_on

    (tmp_path / "x.c").write_text("int f(void) { return 1; }\n")
    short = Machine(Path("/s"), here.spec)
    library = here.prefix / "lib/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s/t/libx.so"
    library.parent.mkdir(parents=True)
    needed = str(short.path("needed"))
    subprocess.run(
        [str(GCC), "-shared", "-fPIC", f"-Wl,-rpath,{needed}", "-o", library, tmp_path / "x.c"],
        check=True,
    )
    here.install({})
    named = Machine(here.root, here.spec)
    named.prefixes = {**short.prefixes, here.spec.dag_hash(): str(here.prefix)}
    blob = packed(named, tmp_path / "archive")
    there = Machine(tmp_path / ("s" * 60), here.spec)
    with pytest.raises(BinaryCacheError, match="run path without room, and patchelf is not"):
        unpacked(there, tmp_path / "archive", blob)
    shutil.rmtree(there.root)
    set_run_path = patchelf_on(os.environ["PATH"])
    unpacked(there, tmp_path / "archive", blob, set_run_path=set_run_path)
    path = there.prefix / library.relative_to(here.prefix)
    assert get_rpaths(str(path)) == [str(there.path("needed"))]


def test_packing_is_reproducible(here: Machine, tmp_path: Path) -> None:
    here.install({"bin/tool": "x" * 3_000_000, "b@": "bin/tool", "empty": ""})
    os.link(here.prefix / "bin/tool", here.prefix / "bin/again")
    first = packed(here, tmp_path / "one")
    (here.prefix / "bin/tool").touch()
    assert packed(here, tmp_path / "two") == first
    there = moved(here, tmp_path, "s")
    before, after = (scan(x.prefix).manifest.files for x in (here, there))
    assert {k: v.content for k, v in before.items()} == {k: v.content for k, v in after.items()}
    assert (there.prefix / "bin/tool").stat().st_nlink == 2


def test_what_the_pattern_finds(here: Machine, tmp_path: Path) -> None:
    here.install({"etc/conf": str(here.prefix)})
    blob = packed(here, tmp_path / "archive")
    assert blob.size
    pattern = PrefixPattern({"k": "/a/store", "": "/a"})
    found = pattern.find(b"/a/store /a/stores /a/x -I/a/store/x /m/a/store")
    assert [(x.offset, x.key) for x in found] == [(0, "k"), (9, ""), (19, ""), (26, "k")]
