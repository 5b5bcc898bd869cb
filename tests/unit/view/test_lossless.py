"""Renewing views: what is right stays, what is broken is repaired, what is unmanaged is kept."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from spack.cli.event_text import view_lines
from spack.errors import ViewError
from spack.util.filesystem import rename_exchange
from spack.view import apply as apply_module
from spack.view.apply import recover, remove_view, update_view
from spack.view.hooks import HookRecord
from spack.view.plan_types import LINK_TYPES, ViewOptions, ViewSource
from spack.view.view_manifest import load_activation, load_manifest

from .conftest import TEMPLATES, Make, Store, demo_sources, run

EVERY_TYPE = pytest.mark.parametrize("link_type", LINK_TYPES)


def listing(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*"))


@EVERY_TYPE
def test_an_unchanged_view_is_not_touched(
    tmp_path: Path, store: Store, make: Make, link_type: str
) -> None:
    view = tmp_path / "view"
    sources = demo_sources(store)
    assert make(view, sources, link_type=link_type).changed
    inode = view.stat().st_ino
    again = make(view, list(reversed(sources)), link_type=link_type)
    assert not again.changed and view_lines(again) == []
    assert view.stat().st_ino == inode
    assert make(view, sources, link_type=link_type, force=True).changed
    assert make(view, sources[:-1], link_type=link_type).changed


@EVERY_TYPE
def test_a_deleted_or_modified_file_is_repaired(
    tmp_path: Path, store: Store, make: Make, link_type: str
) -> None:
    view = tmp_path / "view"
    sources = demo_sources(store)
    make(view, sources, link_type=link_type)
    assert store.python is not None
    site = store.python.purelib
    before = store.snapshot()
    (view / site / "ns/one.py").unlink()
    (view / "bin/tool").write_text("#!/bin/sh\necho broken\n")
    (view / "bin/python3").unlink()
    (view / "bin/python3").symlink_to("/bin/false")
    result = make(view, sources, link_type=link_type)
    assert set(result.repaired) == {f"{site}/ns/one.py", "bin/tool", "bin/python3"}
    assert run(view / "bin/tool") == f"1 2 {view}"
    location = view / result.displaced["bin/tool"]
    assert location.read_text() == "#!/bin/sh\necho broken\n"
    assert any("repaired 3 files" in line for line in view_lines(result))
    assert store.snapshot() == before
    assert not make(view, sources, link_type=link_type).changed


def test_a_missing_folder_is_repaired(tmp_path: Path, store: Store, make: Make) -> None:
    view = tmp_path / "view"
    sources = demo_sources(store)
    make(view, sources)
    for path in (view / "include/zlib.h", view / "include"):
        path.rmdir() if path.is_dir() else path.unlink()
    assert "include" in make(view, sources).repaired
    assert (view / "include/zlib.h").exists()


@EVERY_TYPE
def test_unmanaged_files_stay(tmp_path: Path, store: Store, make: Make, link_type: str) -> None:
    view = tmp_path / "view"
    sources = demo_sources(store)
    make(view, sources, link_type=link_type)
    assert store.python is not None
    site = view / store.python.purelib
    (site / "mine/deep").mkdir(parents=True)
    (site / "mine/__init__.py").write_text("Z = 3\n")
    (site / "mine/deep/data.bin").write_bytes(b"\0\1")
    (site / "ns/three.py").write_text("V = 3\n")
    (view / "notes.ipynb").write_text("{}")
    (view / "empty").mkdir()
    (view / "link").symlink_to("notes.ipynb")
    inode = (view / "notes.ipynb").stat().st_ino
    run(view / "bin/python3", "-c", "import mine, ns.one, ns.three")
    result = make(view, sources[:-1], link_type=link_type)
    assert result.changed
    kept = {path for path in result.kept if not path.endswith("/")}
    relative = store.python.purelib
    assert {path for path in kept if not path.endswith(".pyc")} == {
        f"{relative}/mine/__init__.py",
        f"{relative}/mine/deep/data.bin",
        f"{relative}/ns/three.py",
        "notes.ipynb",
        "link",
    }
    assert (view / "notes.ipynb").stat().st_ino == inode
    assert (view / "empty").is_dir() and os.readlink(view / "link") == "notes.ipynb"
    assert run(view / "bin/python3", "-c", "import mine, ns.three; print(mine.Z)") == "3"
    assert any(line.startswith("kept ") for line in view_lines(result))


def test_a_unmanaged_file_gives_way_to_a_package(tmp_path: Path, store: Store, make: Make) -> None:
    view = tmp_path / "view"
    sources = demo_sources(store)
    make(view, sources[:-1])
    (view / "include/zlib.h").write_text("mine\n")
    (view / "share").write_text("a file where a folder comes\n")
    result = make(view, sources)
    assert (view / "include/zlib.h").read_text() == "int z;\n"
    assert set(result.displaced) == {"include/zlib.h", "share"}
    for path, text in {
        "include/zlib.h": "mine\n",
        "share": "a file where a folder comes\n",
    }.items():
        assert (view / result.displaced[path]).read_text() == text
    (view / "include/zlib.h").unlink()
    (view / "include/zlib.h").write_text("mine again\n")
    second = make(view, sources)
    assert (view / second.displaced["include/zlib.h"]).read_text() == "mine again\n"
    assert (view / result.displaced["include/zlib.h"]).read_text() == "mine\n"


def test_a_users_version_of_a_removed_package_stays(
    tmp_path: Path, store: Store, make: Make
) -> None:
    view = tmp_path / "view"
    sources = demo_sources(store)
    make(view, sources)
    (view / "include/zlib.h").unlink()
    (view / "include/zlib.h").write_text("mine\n")
    result = make(view, sources[:-1])
    assert (view / "include/zlib.h").read_text() == "mine\n"
    assert "include/zlib.h" in result.kept


def test_bytecode_is_nobodys_news(tmp_path: Path, store: Store, make: Make) -> None:
    view = tmp_path / "view"
    sources = demo_sources(store)
    make(view, sources)
    run(view / "bin/python3", "-c", "import ns.one, ns.two")
    assert store.python is not None
    cache = view / store.python.purelib / "ns/__pycache__"
    assert len(list(cache.iterdir())) == 2
    result = make(view, sources, force=True)
    assert view_lines(result) == [] and len(list(cache.iterdir())) == 2
    result = make(view, [source for source in sources if source.name != "py-two"])
    assert view_lines(result) == []
    assert [path.name.split(".")[0] for path in cache.iterdir()] == ["one"]


def test_what_is_no_view_is_not_replaced(tmp_path: Path, store: Store, make: Make) -> None:
    for name in ("folder", "file", "dangling"):
        path = tmp_path / name
        if name == "folder":
            path.mkdir()
            (path / "precious").write_text("x")
        elif name == "file":
            path.write_text("x")
        else:
            path.symlink_to(tmp_path / "folder")
        with pytest.raises(ViewError, match="was not made as a view"):
            make(path, demo_sources(Store(tmp_path / f"store-{name}", store.python)))
    assert (tmp_path / "folder/precious").read_text() == "x"
    (tmp_path / "empty").mkdir()
    assert make(tmp_path / "empty", demo_sources(store)).changed


def test_a_link_to_a_view_stays_a_link(tmp_path: Path, store: Store, make: Make) -> None:
    sources = demo_sources(store)
    make(tmp_path / "real", sources)
    (tmp_path / "link").symlink_to("real")
    make(tmp_path / "link", sources[:-1])
    assert (tmp_path / "link").is_symlink()
    assert not (tmp_path / "real/include/zlib.h").exists()


def test_a_folder_that_cannot_be_written(tmp_path: Path, store: Store, make: Make) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ViewError, match="cannot be written"):
        make(tmp_path / "file/view", demo_sources(store))


def test_a_failure_leaves_the_old_view_and_no_rubbish(
    tmp_path: Path, store: Store, make: Make
) -> None:
    view = tmp_path / "views/view"
    sources = demo_sources(store)
    make(view, sources, link_type="copy")
    before = listing(view)
    os.unlink(Path(sources[1].prefix) / sorted(sources[1].load_files())[-1])
    with pytest.raises(ViewError):
        make(view, sources, link_type="copy", force=True)
    assert listing(view) == before
    assert os.listdir(view.parent) == ["view"]


def test_removing_a_view(tmp_path: Path, store: Store, make: Make) -> None:
    sources = demo_sources(store)
    make(tmp_path / "one", sources)
    run(tmp_path / "one/bin/python3", "-c", "import ns.one")
    assert remove_view(str(tmp_path / "one")).kept == ()
    assert not (tmp_path / "one").exists()
    make(tmp_path / "two", sources)
    (tmp_path / "two/include/mine.h").write_text("mine\n")
    (tmp_path / "two/bin/tool").write_text("changed\n")
    result = remove_view(str(tmp_path / "two"))
    assert set(result.kept) == {"include/mine.h", "bin/tool"}
    assert listing(tmp_path / "two") == ["bin", "bin/tool", "include", "include/mine.h"]
    with pytest.raises(ViewError, match="no view"):
        remove_view(str(tmp_path / "two"))


def test_without_an_atomic_exchange(tmp_path: Path, store: Store) -> None:
    """The fall-back of systems without ``renameat2``, and a crash in the middle of it."""
    view = tmp_path / "views/view"
    sources = demo_sources(store)
    options = ViewOptions(python=store.python, templates=TEMPLATES)
    for some in (sources, sources[:-1]):
        update_view(str(view), some, options, exchange=lambda first, second: False)
    assert not (view / "include/zlib.h").exists() and os.listdir(view.parent) == ["view"]
    before = listing(view)
    view.rename(view.parent / ".view.01234567.old")
    (view.parent / ".view.89abcdef.new").mkdir()
    recover(str(view))
    assert listing(view) == before and os.listdir(view.parent) == ["view"]


def test_leftovers_of_other_ones_are_left_alone(tmp_path: Path, store: Store, make: Make) -> None:
    parent = tmp_path / "views"
    for name in (".view.new", ".view.backup12.new", ".other.01234567.new", "view.01234567.new"):
        (parent / name).mkdir(parents=True)
    (parent / ".view.01234567.new").mkdir()
    make(parent / "view", demo_sources(store))
    assert sorted(os.listdir(parent)) == [
        ".other.01234567.new",
        ".view.backup12.new",
        ".view.new",
        "view",
        "view.01234567.new",
    ]


def test_what_goes_while_the_new_tree_is_built(tmp_path: Path, store: Store) -> None:
    """Such as bytecode under the name that it has until it is complete."""
    view = tmp_path / "view"
    python, sources = store.python, demo_sources(store)
    update_view(str(view), sources, ViewOptions(python=python))
    files = [view / "own.txt", view / "folder" / "inner.txt"]
    for path in files:
        path.parent.mkdir(exist_ok=True)
        path.write_text("")

    def remove(asked: Sequence[ViewSource]) -> dict[str, HookRecord]:
        for path in files:
            path.unlink()
        return {}

    options = ViewOptions(python=python, prompt="other")
    assert update_view(str(view), sources, options, ask=remove).kept == ("folder/",)
    assert sorted(os.listdir(view / "folder")) == [] and not (view / "own.txt").exists()


LOOP = """\
import sys
sys.path.insert(0, {lib!r}); sys.path.insert(0, {tests!r})
import pickle
from spack.view.apply import update_view
from spack.view.plan_types import ViewOptions, ViewSource
rows, python, templates, view, rounds = pickle.load(open(sys.argv[1], "rb"))
class Python:
    executable, version, purelib, platlib = python
sources = [ViewSource(*row[:4], lambda files=row[4]: files, *row[5:]) for row in rows]
for number in range(rounds):
    options = ViewOptions(python=Python, templates=templates, prompt=f"p{{number % 2}}")
    update_view(view, sources, options)
    print(number, flush=True)
"""


def pickled(tmp_path: Path, store: Store, view: Path, rounds: int) -> list[str]:
    """Return the command of a process that renews *view* again and again."""
    assert store.python is not None
    rows = [
        (s.name, s.version, s.hash, s.prefix, dict(s.load_files()), s.fingerprint, s.role)
        for s in demo_sources(store)
    ]
    data = tmp_path / "data.pickle"
    python = store.python
    facts = (python.executable, python.version, python.purelib, python.platlib)
    data.write_bytes(pickle.dumps((rows, facts, TEMPLATES, str(view), rounds)))
    program = tmp_path / "loop.py"
    lib = Path(apply_module.__file__).parents[2]
    program.write_text(LOOP.format(lib=str(lib), tests=str(tmp_path)))
    return [sys.executable, "-S", str(program), str(data)]


def test_a_view_in_use_while_it_is_renewed(tmp_path: Path, store: Store) -> None:
    """100 renewals under a loop of imports and of a console script: not one failure."""
    view = tmp_path / "view"
    command = pickled(tmp_path, store, view, 100)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as renewing:
        assert renewing.stdout is not None
        assert renewing.stdout.readline() == "0\n"
        uses = 0
        while renewing.poll() is None:
            assert run(view / "bin/python3", "-c", "import ns.one; print(ns.one.X)") == "1"
            assert run(view / "bin/tool") == f"1 2 {view}"
            uses += 1
        assert renewing.stdout.read().split()[-1] == "99"
    assert uses > 3


def test_killed_at_any_moment(tmp_path: Path, store: Store, make: Make) -> None:
    """The old or the new view, never a mix; the next command cleans up."""
    view = tmp_path / "views/view"
    command = pickled(tmp_path, store, view, 10_000)
    for number in range(15):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as renewing:
            assert renewing.stdout is not None
            if not view.exists():
                renewing.stdout.readline()
            time.sleep(0.03 + 0.0037 * number)
            renewing.send_signal(signal.SIGKILL)
            renewing.wait()
        manifest = load_manifest(str(view))
        activation = load_activation(str(view))
        assert manifest is not None and activation is not None
        text = (view / "bin/activate").read_text()
        assert f"_spack_name='{activation.prompt}'" in text
        assert run(view / "bin/tool") == f"1 2 {view}"
        assert all(os.path.lexists(view / path) for path in manifest.items)
    make(view, demo_sources(Store(tmp_path / "other", store.python)))
    assert os.listdir(view.parent) == ["view"]


@pytest.mark.parametrize("atomic", [True, False], ids=["exchanged", "renamed"])
def test_what_comes_while_the_new_tree_is_built(tmp_path: Path, store: Store, atomic: bool) -> None:
    """Such as what a running pip writes: it came after the old view was looked at."""
    view = tmp_path / "views/view"
    options = ViewOptions(python=store.python, templates=TEMPLATES)
    sources = demo_sources(store)
    update_view(str(view), sources, options)
    (view / "share/mine").mkdir()
    (view / "share/mine/before").write_text("before\n")
    late = ["top", "include/late.h", "share/mine/late", "share/new/deep/late"]

    def exchange(new: str, root: str) -> bool:
        for path in late:
            (view / path).parent.mkdir(parents=True, exist_ok=True)
            (view / path).write_text(path)
        return atomic and rename_exchange(new, root)

    result = update_view(str(view), sources[:-1], options, force=True, exchange=exchange)
    assert [(view / path).read_text() for path in late] == late
    assert {*late, "share/mine/before"} <= set(result.kept)
    assert os.listdir(view.parent) == ["view"]
    assert run(view / "bin/tool") == f"1 2 {view}"


@pytest.mark.parametrize("path", ["include/zlib.h", "include/zlib.h/inner/late"])
def test_what_comes_late_where_the_new_tree_has_something(
    tmp_path: Path, store: Store, path: str
) -> None:
    view = tmp_path / "views/view"
    options = ViewOptions(python=store.python, templates=TEMPLATES)
    sources = demo_sources(store)
    update_view(str(view), sources[:-1], options)
    assert not (view / "include/zlib.h").exists()

    def exchange(new: str, root: str) -> bool:
        (view / path).parent.mkdir(parents=True, exist_ok=True)
        (view / path).write_text("mine")
        return rename_exchange(new, root)

    result = update_view(str(view), sources, options, force=True, exchange=exchange)
    assert list(result.displaced) == [path]
    assert (view / result.displaced[path]).read_text() == "mine"
    assert (view / "include/zlib.h").is_file()
    assert os.listdir(view.parent) == ["view"]
    again = update_view(str(view), sources, options, force=True)
    assert (view / result.displaced[path]).read_text() == "mine" and not again.displaced
