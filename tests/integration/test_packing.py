"""Environments in one file: packed the same every time, mounted, unpacked, and refused."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import tarfile
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from kits.command import Command, Result
from kits.recipe_repository import RecipeRepository

needs_squashfs = pytest.mark.skipif(
    shutil.which("mksquashfs") is None, reason="squashfs-tools is not installed"
)
needs_zstd = pytest.mark.skipif(shutil.which("zstd") is None, reason="zstd is not installed")

_COMPILED = """\
has_code = False
version("1.0")
depends_on("c", type="build")
{needs}
def install(self, spec, prefix):
    with open("code.c", "w") as stream:
        stream.write({source!r})
    mkdirp(prefix.lib, prefix.bin)
    which("cc")("code.c", {options})
"""


def compiled(recipes: RecipeRepository, name: str, source: str, options: str, need: str) -> None:
    needs = f'depends_on("{need}")\n' if need else ""
    recipes.add(name, _COMPILED.format(needs=needs, source=source, options=options))


@pytest.fixture(scope="module")
def home(
    make_spack: Callable[[Path], Command],
    make_recipes: Callable[[Command, Path], RecipeRepository],
    tmp_path_factory: pytest.TempPathFactory,
) -> Command:
    """Return an environment ``work`` of a program, its library, and a Python package."""
    folder = tmp_path_factory.mktemp("packing")
    spack = make_spack(folder)
    recipes = make_recipes(spack, folder / "tiny")
    library = '"-shared", "-fPIC", "-o", prefix.lib.join("libnote.so")'
    compiled(recipes, "note", "int note(void) { return 7; }\n", library, "")
    program = '"-o", prefix.bin.says, "-L" + spec["note"].prefix.lib, "-lnote"'
    source = "int note(void); int main(void) { return note(); }\n"
    compiled(recipes, "says", source, program, "note")
    recipes.python_project("sweet", {"sweet.py": "def main():\n    print('sweet')\n"})
    spack("env", "create", "work")
    spack("-e", "work", "add", "says", "py-sweet")
    spack("-e", "work", "install")
    return spack


def works(view: Path) -> None:
    assert subprocess.run([view / "bin" / "says"]).returncode == 7
    code = [str(view / "bin" / "python"), "-c", "import sweet; sweet.main()"]
    assert subprocess.check_output(code, text=True) == "sweet\n"


def mounted(spack: Command, image: Path, target: Path, *options: str) -> Result:
    """Mount an image, or skip the test where nothing can mount anything."""
    result = spack("env", "mount", *options, image, target, check=False)
    if "install squashfuse (which needs /dev/fuse)" in result.err:
        pytest.skip("neither the kernel nor squashfuse with /dev/fuse mounts files here")
    return result


def with_needs(archive: Path, target: Path, **changes: object) -> Path:
    """Return a copy of a tar archive with other needs."""
    with tarfile.open(archive) as old, tarfile.open(target, "w") as new:
        for member in old:
            content = old.extractfile(member).read() if member.isreg() else b""  # type: ignore[union-attr]
            if member.name.endswith(".spack-view/needs.json"):
                content = json.dumps({**json.loads(content), **changes}).encode()
                member.size = len(content)
            new.addfile(member, io.BytesIO(content))
    return target


@needs_squashfs
def test_a_squashfs_is_the_same_every_time_and_is_mounted(home: Command, tmp_path: Path) -> None:
    image, again = tmp_path / "work.squashfs", tmp_path / "again.sqfs"
    said = home("-e", "work", "env", "pack", "--format", "squashfs", "-o", image).out
    digest = hashlib.sha256(image.read_bytes()).hexdigest()
    assert f"sha256:{digest}" in said and "store" not in said
    home("-e", "work", "env", "view", "regenerate", "--force")
    home("-e", "work", "env", "pack", again, under=["sh", "-c", 'umask 077; exec "$@"', "sh"])
    assert again.read_bytes() == image.read_bytes()

    target = tmp_path / "a directory"
    result = mounted(home, image, target, "--digest", f"sha256:{digest}")
    assert result.code == 0 and "mounted a view at" in result.out
    gone = home.home.store.with_name("gone")
    home.home.store.rename(gone)
    try:
        works(target)
        with subprocess.Popen(["sleep", "60"], cwd=target) as user:
            busy = home.fails("env", "unmount", target).err
            user.kill()
        assert "cannot be unmounted: " in busy and "busy" in busy
        used = home.fails("env", "mount", image, target).err
        assert "something is mounted there" in used
    finally:
        gone.rename(home.home.store)
        home("env", "unmount", target)
    assert os.listdir(target) == []
    assert "no packed view is mounted there" in home.fails("env", "unmount", target).err


@needs_squashfs
def test_what_cannot_be_mounted(home: Command, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "file").write_text("")
    image = tmp_path / "plain.squashfs"
    program = str(shutil.which("mksquashfs"))
    subprocess.run([program, tmp_path / "plain", image, "-quiet", "-no-progress"], check=True)
    used = home.fails("env", "mount", image, tmp_path / "plain").err
    assert "it is not an empty directory" in used
    result = mounted(home, image, tmp_path / "there")
    assert result.code == 1 and "holds no packed view" in result.err
    assert not (tmp_path / "there").exists()
    code = """
        from pathlib import Path
        from spack.actions.mounting import mount_view
        from spack.actions.pack_needs import MachineFacts
        from spack.actions.programs import Programs
        from spack.errors import ViewError
        image, target = Path("plain.squashfs"), Path("there")
        none, machine = Programs("/nowhere"), MachineFacts("linux", (), "", print)
        try:
            mount_view(image, target, machine=machine, programs=none, root=True, force=False)
        except ViewError as error:
            print(error.message)
        """
    said = home("python", "-c", textwrap.dedent(code), cwd=tmp_path).out
    assert "cannot be mounted: mount is not on PATH; squashfuse is not on PATH" in said
    assert not (tmp_path / "there").exists()


@needs_squashfs
def test_a_squashfs_is_unpacked_too(home: Command, tmp_path: Path) -> None:
    image = tmp_path / "work.sfs"
    home("-e", "work", "env", "pack", image)
    home("env", "unpack", image, tmp_path / "there")
    works(tmp_path / "there")
    image.write_bytes(image.read_bytes()[:2000])
    refused = home.fails("env", "unpack", image, tmp_path / "no").err
    assert f"cannot unpack {image}" in refused and not list(tmp_path.glob("*no*"))


@needs_zstd
def test_a_tar_with_zstd(home: Command, tmp_path: Path) -> None:
    archive = tmp_path / "work.tar.zst"
    home("-e", "work", "env", "pack", "--format", "tar.zst", archive)
    home("env", "unpack", archive, tmp_path / "there")
    works(tmp_path / "there")
    archive.write_bytes(archive.read_bytes()[:2000])
    refused = home.fails("env", "unpack", archive, tmp_path / "no").err
    assert "cannot be unpacked" in refused and not list(tmp_path.glob("*no*"))


def test_what_the_machine_lacks_is_named_before_anything_is_written(
    home: Command, tmp_path: Path
) -> None:
    archive = tmp_path / "work.tar"
    home("-e", "work", "env", "pack", archive)
    lacking = with_needs(
        archive,
        tmp_path / "strange.tar",
        targets=["zen9"],
        libc="glibc 9.1",
        python="/nowhere/python3",
    )
    refused = home.fails("env", "unpack", lacking, tmp_path / "there").err
    for part in (
        "cannot be used on this machine",
        "its programs need a processor zen9, and this one is ",
        "its programs need glibc 9.1 or newer, and this machine has ",
        "at /nowhere/python3, which is not there",
    ):
        assert part in refused, refused
    assert sorted(path.name for path in tmp_path.iterdir()) == ["strange.tar", "work.tar"]
    forced = home("env", "unpack", "--force", lacking, tmp_path / "there")
    assert "Warning: its programs need a processor zen9" in forced.err
    works(tmp_path / "there")
    other = with_needs(archive, tmp_path / "other.tar", platform="plan9")
    assert "it is for plan9" in home.fails("env", "unpack", other, tmp_path / "no").err


def test_a_python_at_another_path(home: Command, tmp_path: Path) -> None:
    archive = tmp_path / "work.tar"
    said = home("-e", "work", "env", "pack", archive).out
    version, python = re.findall(r"needs Python ([\d.]+) at (\S+)", said)[0]
    lacking = with_needs(archive, tmp_path / "lacking.tar", python="/nowhere/python3")
    refused = home.fails("env", "unpack", lacking, tmp_path / "no").err
    assert "at /nowhere/python3, which is not there" in refused
    elsewhere = tmp_path / "elsewhere" / "python3"
    elsewhere.parent.mkdir()
    elsewhere.symlink_to(python)
    home("env", "unpack", "--python", elsewhere, lacking, tmp_path / "there")
    works(tmp_path / "there")
    assert (tmp_path / "there" / "bin" / "python3").readlink() == elsewhere
    assert "all as they were made" in home("view", "verify", tmp_path / "there").out
    other = tmp_path / "elsewhere" / "other"
    other.write_text("#!/bin/sh\necho 2.7\n")
    other.chmod(0o755)
    refused = home.fails("env", "unpack", "--python", other, archive, tmp_path / "no").err
    assert f"it needs Python {version} at {other}, which is Python 2.7" in refused
    own = with_needs(archive, tmp_path / "own.tar", python="")
    arguments = ("env", "unpack", "--python", elsewhere, own, tmp_path / "no")
    assert "has a Python of its own" in home.fails(*arguments, code=2).err


def test_special_modes_are_not_unpacked(home: Command, tmp_path: Path) -> None:
    archive = tmp_path / "work.tar"
    home("-e", "work", "env", "pack", archive)
    with tarfile.open(archive) as old, tarfile.open(tmp_path / "special.tar", "w") as new:
        for member in old:
            member.mode |= 0o6022
            new.addfile(member, old.extractfile(member) if member.isreg() else None)
    home("env", "unpack", tmp_path / "special.tar", tmp_path / "there")
    works(tmp_path / "there")
    assert (tmp_path / "there" / "bin" / "says").stat().st_mode & 0o7777 == 0o755


def test_refused_files(home: Command, tmp_path: Path) -> None:
    archive = tmp_path / "work.tar"
    home("-e", "work", "env", "pack", archive)
    wrong = home.fails("env", "unpack", "--digest", "sha256:00", archive, tmp_path / "no").err
    assert "does not have the digest" in wrong
    assert "cannot be read" in home.fails("env", "mount", "--digest", "0", "none", "no").err
    assert "it is not a squashfs file" in home.fails("env", "mount", archive, "no").err
    assert "the file comes first" in home.fails("env", "mount", tmp_path, archive).err
    (tmp_path / "plain.tar").write_bytes(b"")
    with tarfile.open(tmp_path / "plain.tar", "w") as tar:
        tar.addfile(tarfile.TarInfo("top/file"))
    plain = home.fails("env", "unpack", tmp_path / "plain.tar", tmp_path / "no").err
    assert "it holds no packed view" in plain
    twice = home.fails("-e", "work", "env", "pack", "a.tar", "-o", "b.tar", code=2).err
    assert "the file is named twice" in twice
    strange = home.fails("-e", "work", "env", "pack", "a.zip", code=2).err
    assert "does not say what kind of archive" in strange and ".squashfs" in strange


def test_a_missing_program_is_named(home: Command, tmp_path: Path) -> None:
    """Where no search path has it: the programs of this test's machine do not matter."""
    code = textwrap.dedent(
        """
        from pathlib import Path
        from spack.actions.pack_formats import FORMATS
        from spack.actions.programs import Programs
        from spack.errors import UsageError
        for name in ("squashfs", "tar.zst"):
            try:
                with_none = Programs("/nowhere")
                FORMATS[name].write(Path("tree"), "name", Path("target"), with_none)
            except UsageError as error:
                print(error.message, error.hint)
        """
    )
    said = home("python", "-c", code, cwd=tmp_path).out
    assert "cannot pack target: the program mksquashfs is not on PATH" in said
    assert "install squashfs-tools" in said and "the program zstd is not on PATH" in said
