"""Packages that come and go, in place: the same view as one rebuilt, touching little."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from spack.util.environment_modifications import Change
from spack.view import incremental
from spack.view.apply import update_view
from spack.view.plan_types import LINK_TYPES, ViewOptions, ViewSource
from spack.view.view_manifest import FOLDER, load_activation, load_manifest

from .conftest import TEMPLATES, Store, demo_sources, run

EVERY_TYPE = pytest.mark.parametrize("link_type", LINK_TYPES)


def tree(root: Path) -> dict[str, tuple[str, ...]]:
    """Everything in a view but its records, and what these say apart from times."""
    found: dict[str, tuple[str, ...]] = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if name.split("/")[0] == FOLDER or "__pycache__" in name:
            continue
        if path.is_symlink():
            found[name] = ("link", os.readlink(path))
        elif path.is_dir():
            found[name] = ("folder",)
        else:
            found[name] = ("file", path.read_text(errors="replace"), oct(path.stat().st_mode))
    manifest = load_manifest(str(root))
    assert manifest is not None and not manifest.interrupted
    for name, item in manifest.items.items():
        found[f"item {name}"] = (item.how, str(manifest.owner(name)), item.source, item.digest)
    found["folders"] = manifest.folders
    found["head"] = (manifest.digest, manifest.options, str(sorted(manifest.bare.items())))
    found["steps"] = (str(load_activation(str(root))),)
    return found


def options_of(store: Store, link_type: str = "symlink") -> ViewOptions:
    return ViewOptions(link_type=link_type, python=store.python, templates=TEMPLATES, prompt="view")


def more_sources(store: Store) -> list[ViewSource]:
    """Return packages that have something of their own to say."""
    return [
        *demo_sources(store),
        store.package("bare", {"share/bare/x": "x\n"}, folders=["var/empty", "share/man/man1"]),
        store.package(
            "odd",
            {"odd/m.py": "M = 1\n"},
            environment=[
                Change("prepend_path", "PYTHONPATH", str(store.root / "odd-1.0-x/odd"), ":"),
                Change("set", "ODD", "1", ""),
            ],
        ),
        store.package(
            "compiled", {"lib/c/m.py": "M = 1\n", "lib/c/__pycache__/m.cpython-311.pyc": b"code"}
        ),
    ]


@EVERY_TYPE
def test_the_same_view_as_one_rebuilt(tmp_path: Path, store: Store, link_type: str) -> None:
    sources = more_sources(store)
    options = options_of(store, link_type)
    view = tmp_path / "view"
    update_view(str(view), sources, options)
    run(view / "bin/python3", "-c", "import ns.one, ns.two")
    numbers = range(1, len(sources))
    some: list[Sequence[ViewSource]] = [
        *([s for i, s in enumerate(sources) if i != number] for number in numbers),
        sources[:1], sources[:3], sources, sources[:2], sources[1:][:0] + sources[:1], sources,
    ]  # fmt: skip
    inode = view.stat().st_ino
    for number, chosen in enumerate(some):
        result = update_view(str(view), chosen, options, check=number % 2 == 0)
        assert result.changed and result.removed is not None
        fresh = tmp_path / f"fresh{number}"
        update_view(str(fresh), chosen, options)
        assert tree(view) == tree(fresh)
        compiled = [x for x in view.rglob("*.pyc") if not x.name.startswith(("_spack_view", "m."))]
        assert not compiled or any(source.name in ("py-one", "py-two") for source in chosen)
        assert not update_view(str(view), chosen, options).changed
        assert sorted(os.listdir(view / FOLDER)) == [
            "checked.json",
            "environment.json",
            "items",
            "manifest.json",
        ]
    assert view.stat().st_ino == inode


def test_what_does_not_fit_is_rebuilt(tmp_path: Path, store: Store) -> None:
    view = tmp_path / "view"
    options = options_of(store)
    sources = demo_sources(store)

    def renewed(chosen: Sequence[ViewSource], check: bool = True) -> bool:
        result = update_view(str(view), chosen, options, check=check)
        return result.changed and result.removed is None

    assert renewed(sources)
    newer = store.package("zlib", {"include/zlib.h": "int y;\n"}, version="2.0")
    assert renewed([*sources[:-1], newer], check=False)
    assert (view / "include/zlib.h").read_text() == "int y;\n"
    shared = store.package("shared", {"include/zlib.h": "int y;\n"})
    assert renewed([*sources[:-1], newer, shared], check=False)
    assert renewed([*sources[:-1], shared], check=False)
    assert (view / "include/zlib.h").read_text() == "int y;\n"
    # A user's file is in the way of one that comes, and has taken the location of one that leaves.
    (view / "mine").write_text("mine\n")
    result = update_view(
        str(view), [*sources[:-1], shared, store.package("mine", {"mine": "ours\n"})], options
    )
    assert result.removed is None and (view / result.displaced["mine"]).read_text() == "mine\n"
    (view / "mine").unlink()
    (view / "mine").write_text("mine again\n")
    assert renewed([*sources[:-1], shared], check=False)
    assert (view / "mine").read_text() == "mine again\n"


@pytest.mark.parametrize("step", ["come", "leave", "renew_own"])
def test_interrupted(
    tmp_path: Path, store: Store, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a crash at the worst moments the next command gives the new view."""
    sources = more_sources(store)
    options = options_of(store)
    view = tmp_path / "view"
    update_view(str(view), sources[:3], options)
    (view / "notes").write_text("mine\n")

    def crash(*args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(incremental._Change, step, crash)
        with pytest.raises(KeyboardInterrupt):
            update_view(str(view), [sources[0], *sources[2:]], options)
    broken = load_manifest(str(view))
    assert broken is not None and broken.interrupted
    result = update_view(str(view), sources, options)
    assert result.kept == ("notes",) and not result.displaced
    (view / "notes").unlink()
    update_view(str(tmp_path / "fresh"), sources, options)
    assert tree(view) == tree(tmp_path / "fresh")


PROGRAM = """\
import sys
sys.path.insert(0, sys.argv[1])
import pickle
from spack.view.apply import update_view
from spack.view.plan_types import ViewOptions, ViewSource
rows, python, templates, view = pickle.load(open(sys.argv[2], "rb"))
class Python:
    executable, version, purelib, platlib = python
sources = [ViewSource(*row[:4], lambda files=row[4]: files, *row[5:]) for row in rows]
options = ViewOptions(python=Python, templates=templates, prompt="view")
number = 0
while True:
    number += 1
    update_view(view, sources if number % 2 else sources[:-1], options, check=False)
    print(number, flush=True)
"""


@pytest.mark.slow
def test_killed_at_any_moment(tmp_path: Path, store: Store) -> None:
    """40 kills while a package of 200 files comes and goes.

    Each time the next command mends it, and what stays works all the time.
    """
    import pickle

    files = {f"share/big/d{n % 20}/f{n}": f"{n}\n" for n in range(200)}
    sources = [
        *demo_sources(store),
        store.package("big", {**files, "bin/big": ("#!/bin/sh\n", 0o755)}),
    ]
    python = store.python
    assert python is not None
    rows = [
        (s.name, s.version, s.hash, s.prefix, dict(s.load_files()), s.fingerprint, s.role)
        for s in sources
    ]
    view = tmp_path / "view"
    options = options_of(store)
    update_view(str(view), sources, options)
    facts = (python.executable, python.version, python.purelib, python.platlib)
    (tmp_path / "data").write_bytes(pickle.dumps((rows, facts, TEMPLATES, str(view))))
    (tmp_path / "program.py").write_text(PROGRAM)
    lib = str(Path(incremental.__file__).parents[2])
    command = [sys.executable, "-S", *map(str, (tmp_path / "program.py", lib, tmp_path / "data"))]
    for make, chosen in ((0, sources), (1, sources[:-1])):
        update_view(str(tmp_path / f"fresh{make}"), chosen, options)
    fresh = [tree(tmp_path / "fresh0"), tree(tmp_path / "fresh1")]
    interrupted = 0
    for number in range(40):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as changing:
            assert changing.stdout is not None
            changing.stdout.readline()
            time.sleep(0.0013 * (number % 17))
            changing.send_signal(signal.SIGKILL)
            changing.wait()
        manifest = load_manifest(str(view))
        assert manifest is not None
        interrupted += manifest.interrupted
        assert run(view / "bin/tool") == f"1 2 {view}"
        update_view(str(view), sources if number % 3 else sources[:-1], options)
        assert tree(view) == fresh[0 if number % 3 else 1]
        assert sorted(os.listdir(tmp_path)) == [
            "data", "fresh0", "fresh1", "program.py", "store", "view",
        ]  # fmt: skip
    assert interrupted > 3
