"""A view that was found right is not looked at entry by entry again, and no change is missed."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Callable

import pytest

from spack.view.apply import update_view
from spack.view.plan_types import LINK_TYPES, ViewOptions, ViewSource
from spack.view.stat_cache import load_stamps
from spack.view.view_manifest import CHECKED, ITEMS, load_head

from .conftest import Make, Store, demo_sources, run

EVERY_TYPE = pytest.mark.parametrize("link_type", LINK_TYPES)


def rest(view: Path) -> None:
    """As if nothing had been touched for a while before the last look."""
    later = time.time() + 10
    os.utime(view / CHECKED, (later, later))


def is_trusted(view: Path) -> bool:
    head = load_head(str(view))
    return head is not None and load_stamps(str(view), head) is not None


def looked_at(make: Make, view: Path, store: Store, link_type: str) -> list[ViewSource]:
    sources = demo_sources(store)
    make(view, sources, link_type=link_type)
    assert not make(view, sources, link_type=link_type).changed
    rest(view)
    assert is_trusted(view)
    return sources


@EVERY_TYPE
def test_the_second_look_reads_no_records(
    tmp_path: Path, store: Store, make: Make, link_type: str
) -> None:
    view = tmp_path / "view"
    sources = looked_at(make, view, store, link_type)
    for path in (view / ITEMS).iterdir():
        path.write_text("not read")
    assert not make(view, sources, link_type=link_type).changed


def test_what_changed_while_it_was_looked_at_is_looked_at_again(
    tmp_path: Path, store: Store, make: Make
) -> None:
    view, sources = tmp_path / "view", demo_sources(store)
    make(view, sources)
    assert not make(view, sources).changed
    assert (view / CHECKED).exists() and not is_trusted(view)


def edit(path: Path) -> None:
    path.chmod(0o644)
    with path.open("a") as stream:
        stream.write("\nmore")


def exchange(path: Path) -> None:
    other = path.with_name("other")
    other.write_text("something else")
    other.rename(path)


CHANGES: dict[str, Callable[[Path], object]] = {
    "gone": Path.unlink,
    "exchanged": exchange,
    "of its own": lambda path: shutil.copy(path, path.with_name("o")) and None,
    "a folder gone": lambda path: shutil.rmtree(path.parent),
}


@EVERY_TYPE
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", ["include/zlib.h", "{site}/ns/one.py", "bin/tool"])
def test_a_change_is_noticed_and_repaired(
    tmp_path: Path, store: Store, make: Make, link_type: str, change: str, name: str
) -> None:
    assert store.python is not None
    view = tmp_path / "view"
    sources = looked_at(make, view, store, link_type)
    path = view / name.format(site=store.python.purelib)
    before = path.read_bytes()
    CHANGES[change](path)
    result = make(view, sources, link_type=link_type)
    if change == "of its own":
        assert not result.changed and result.kept
    else:
        assert path.relative_to(view).as_posix() in result.repaired
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("link_type", "name"),
    [*((x, "bin/tool") for x in LINK_TYPES), ("copy", "include/zlib.h"), ("copy", "pyvenv.cfg")],
)
def test_content_that_is_the_views_own_is_looked_at(
    tmp_path: Path, store: Store, make: Make, link_type: str, name: str
) -> None:
    view = tmp_path / "view"
    sources = looked_at(make, view, store, link_type)
    edit(view / name)
    assert make(view, sources, link_type=link_type).repaired == (name,)


def test_a_moved_view_is_looked_at_once(tmp_path: Path, store: Store, make: Make) -> None:
    sources = looked_at(make, tmp_path / "view", store, "symlink")
    view = tmp_path / "elsewhere"
    (tmp_path / "view").rename(view)
    (view / "include/zlib.h").unlink()
    assert make(view, sources).repaired == ("include/zlib.h",)
    assert not make(view, sources).changed
    rest(view)
    assert is_trusted(view)


def test_another_decision_is_no_old_one(tmp_path: Path, store: Store, make: Make) -> None:
    view = tmp_path / "view"
    sources = looked_at(make, view, store, "symlink")
    result = make(view, sources[:-1])
    assert result.changed and result.removed == 5 and not (view / "include/zlib.h").exists()
    assert not (view / CHECKED).exists()


def test_unmanaged_files_are_reported_when_packages_come(tmp_path: Path, store: Store) -> None:
    view, sources = tmp_path / "view", demo_sources(store)[-1:]
    options = ViewOptions()
    update_view(str(view), sources, options)
    (view / "mine").write_text("x")
    assert not update_view(str(view), sources, options).changed
    rest(view)
    assert is_trusted(view)
    more = [*sources, store.package("more", {"share/more": "x"})]
    result = update_view(str(view), more, options)
    assert result.kept == ("mine",) and result.removed == 0


@pytest.mark.parametrize("text", ["", "[]", "{", '{"digest": 1}', '{"folders": 5, "files": {}}'])
def test_stamps_that_make_no_sense_are_left_alone(
    tmp_path: Path, store: Store, make: Make, text: str
) -> None:
    view = tmp_path / "view"
    sources = looked_at(make, view, store, "symlink")
    (view / CHECKED).write_text(text)
    (view / "include/zlib.h").unlink()
    assert make(view, sources).repaired == ("include/zlib.h",)


def test_a_read_only_view_is_still_right(tmp_path: Path, store: Store, make: Make) -> None:
    view, sources = tmp_path / "view", demo_sources(store)
    make(view, sources)
    (view / CHECKED).mkdir()  # nothing can write this file, root neither
    assert not make(view, sources).changed
    assert run(view / "bin/tool").startswith("1 2")
