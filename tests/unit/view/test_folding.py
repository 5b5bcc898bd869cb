"""Views that link whole directories: which ones, and that pip and uv never write through them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from kits.wheel_index import WheelIndex
from spack.errors import ViewError
from spack.view.inspect import find_path, verify
from spack.view.plan_types import ViewSource

from .conftest import Make, Store, run

#: Bytecode of these tests is not real; Python shall not replace it.
QUIET = {"PYTHONDONTWRITEBYTECODE": "1"}


def compiled(modules: Mapping[str, str], store: Store) -> dict[str, str]:
    """Return *modules* with a file for the bytecode of each."""
    assert store.python is not None
    tag = "cpython-" + "".join(store.python.version.split(".")[:2])
    found = dict(modules)
    for path in modules:
        folder, _, name = path.rpartition("/")
        if name.endswith(".py"):
            found[f"{folder}/__pycache__/{name[:-3]}.{tag}.pyc"] = "x"
    return found


APPLE = {
    "apple/__init__.py": "VERSION = '1.0'\n",
    "apple/core.py": "",
    "apple/tree/__init__.py": "X = 1\n",
    "apple/tree/leaf/__init__.py": "",
    "apple/tree/leaf/green.py": "",
    "apple/data/names.txt": "one\n",
    "apple/plugins/first.py": "",
    "apple/tree/tests/test_tree.py": "",
    "apple/shared/__init__.py": "__path__ = __import__('pkgutil').extend_path(__path__, __name__)",
    "orchard/fruit/__init__.py": "X = 1\n",
    "orchard/fruit/seeds/__init__.py": "",
}


def links(view: Path, site: str = "") -> set[str]:
    """Return the links to directories in a view."""
    found = set()
    for folder, folders, _ in os.walk(view / site):
        for name in folders:
            path = Path(folder, name)
            if path.is_symlink():
                found.add(str(path.relative_to(view / site)))
    return found - {"lib64"}


def installers(
    view: Path, index: Path, uv: str, cache: Path
) -> dict[str, Callable[..., subprocess.CompletedProcess[str]]]:
    """Return pip and uv, for a view and nothing but a directory of wheels."""
    python = str(view / "bin" / "python3")
    commands: dict[str, Sequence[str]] = {
        "pip": [sys.executable, "-m", "pip", "--python", python],
        "uv": [uv, "pip"],
    }

    def command(tool: str) -> Callable[..., subprocess.CompletedProcess[str]]:
        def call(verb: str, *words: str) -> subprocess.CompletedProcess[str]:
            given = ["--no-index", "--find-links", str(index)] if verb == "install" else []
            given += ["--python", python] if tool == "uv" else []
            given += ["-y"] if (tool, verb) == ("pip", "uninstall") else []
            environ = {
                "PATH": "/usr/bin:/bin",
                "HOME": str(cache),
                **QUIET,
                "UV_CACHE_DIR": str(cache),
            }
            argv = [*commands[tool], verb, *given, *words]
            return subprocess.run(argv, env=environ, capture_output=True, text=True)

        return call

    return {tool: command(tool) for tool in commands}


def sources(store: Store) -> list[ViewSource]:
    assert store.python is not None
    return [
        store.venv_source(),
        store.extension(
            "apple", compiled(APPLE, store), scripts={"apple": store.shebang + "print(1)\n"}
        ),
        store.package(
            "plain",
            {
                "include/plain/a.h": "a",
                "include/plain/deep/b.h": "b",
                "share/plain/top.txt": "t",
                "share/plain/more/m.txt": "m",
                "share/man/man1/plain.1": "x",
                "share/jupyter/kernels/plain/kernel.json": "{}",
                "lib/cmake/plain/plain.cmake": "c",
                "lib/pkgconfig/plain.pc": "p",
                "lib/plain/tool": "#!/bin/sh\n",
            },
            links={"lib/plain/other": "tool"},
            folders=["lib/plain/empty"],
        ),
    ]


def test_which_directories_are_links(tmp_path: Path, store: Store, make: Make) -> None:
    assert store.python is not None
    view = tmp_path / "view"
    make(view, sources(store), fold=True)
    assert links(view, store.python.purelib) == {"apple/tree", "apple/data", "orchard/fruit/seeds"}
    outside = {"include/plain", "share/plain/more", "lib/cmake/plain", "lib/plain"}
    assert {x for x in links(view) if "site-packages" not in x} == outside
    assert (
        run(view / "bin/python3", "-c", "import apple.tree.leaf; print(apple.tree.X)", env=QUIET)
        == "1"
    )
    record = (view / store.python.purelib / "apple-1.0.dist-info/RECORD").read_text()
    assert "apple/tree,,\n" in record and "apple/tree/" not in record
    assert verify(str(view))[1].whole


def test_what_a_folded_path_is(tmp_path: Path, store: Store, make: Make) -> None:
    view = tmp_path / "view"
    make(view, sources(store), fold=True)
    manifest = verify(str(view))[0]
    (found,) = find_path(str(view), manifest, "include/plain/deep/b.h", str(tmp_path))
    assert found.owner is not None and found.owner.name == "plain"
    (module,) = find_path(str(view), manifest, "apple.tree.leaf", str(tmp_path))
    assert module.owner is not None and module.owner.name == "apple"
    assert find_path(str(view), manifest, "include/plain/no.h", str(tmp_path)) == []


def test_modules_without_bytecode_are_not_folded(tmp_path: Path, store: Store, make: Make) -> None:
    assert store.python is not None
    modules = {"pear/__init__.py": "", "pear/sub/__init__.py": "", "pear/sub/text.txt": ""}
    make(tmp_path / "view", [store.venv_source(), store.extension("pear", modules)], fold=True)
    assert links(tmp_path / "view", store.python.purelib) == set()


def test_a_package_that_comes_unfolds_what_it_must(
    tmp_path: Path, store: Store, make: Make
) -> None:
    assert store.python is not None
    view = tmp_path / "view"
    before = sources(store)
    make(view, before, fold=True)
    more = store.package("more", {"include/plain/c.h": "c", "lib/plain/deep/x": "x"})
    leaf = store.extension("leaf", compiled({"apple/tree/other.py": ""}, store))
    snapshot = store.snapshot()
    make(view, [*before, more, leaf], fold=True)
    assert {x for x in links(view) if "site-packages" not in x} == {
        "include/plain/deep",
        "share/plain/more",
        "lib/cmake/plain",
        "lib/plain/deep",
        "lib/plain/empty",
    }
    assert links(view, store.python.purelib) == {
        "apple/tree/leaf",
        "apple/data",
        "orchard/fruit/seeds",
    }
    assert (view / "include/plain/c.h").read_text() == "c"
    assert verify(str(view))[1].whole and store.snapshot() == snapshot
    make(view, before, fold=True, force=True)
    assert "include/plain" in links(view) and store.snapshot() == snapshot


def test_a_package_that_comes_in_place_is_folded(tmp_path: Path, store: Store, make: Make) -> None:
    view = tmp_path / "view"
    before = sources(store)
    make(view, before, fold=True)
    new = store.package("new", {"include/new/n.h": "n"})
    assert make(view, [*before, new], fold=True).removed == 0, "changed in place"
    assert "include/new" in links(view) and verify(str(view))[1].whole
    assert make(view, before, fold=True).removed == 1
    assert not (view / "include/new").exists() and (Path(new.prefix) / "include/new/n.h").exists()


def test_other_link_types_cannot_fold(tmp_path: Path, store: Store, make: Make) -> None:
    packages = sources(store)
    for link_type in ("hardlink", "copy"):
        with pytest.raises(ViewError, match=f"cannot fold .* link_type: {link_type}"):
            make(tmp_path / "view", packages, fold=True, link_type=link_type)


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """Return a directory of wheels: a new ``apple``, and what adds modules to it."""
    made = WheelIndex(tmp_path / "index")
    new = {
        "apple/__init__.py": "VERSION = '2.0'\n",
        "apple/tree/__init__.py": "X = 2\n",
        "apple/data/names.txt": "two\n",
    }
    made.add("apple", "2.0", new)
    made.add("apple_plugin", "1.0", {"apple/extra.py": "", "orchard/fruit/extra.py": ""})
    return tmp_path / "index" / "files"


@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_pip_and_uv_leave_the_store_alone(
    tool: str, tmp_path: Path, store: Store, make: Make, index: Path, uv: str
) -> None:
    """The store's hash is the same after upgrades, removals and additions."""
    view = tmp_path / "view"
    if tool == "pip" and not shutil.which("pip", path=os.path.dirname(sys.executable)):
        pytest.skip("pip is not among the development tools")
    packages = sources(store)
    snapshot = store.snapshot()
    shown = "import apple, apple.tree; print(apple.VERSION, apple.tree.X)"
    steps: Sequence[tuple[Sequence[str], str]] = (
        (("install", "apple_plugin"), "1.0 1"),
        (("install", "-U", "apple"), "2.0 2"),
        (("uninstall", "apple", "apple_plugin"), ""),
        (("install", "apple==2.0"), "2.0 2"),
    )
    make(view, packages, fold=True)
    call = installers(view, index, uv, tmp_path / "cache")[tool]
    for words, said in steps:
        done = call(*words)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        assert store.snapshot() == snapshot, words
        if said:
            assert run(view / "bin/python3", "-c", shown, env=QUIET) == said, words
    result = make(view, packages, fold=True)
    assert [x.name for x, _ in result.distributions] == ["apple"]
    assert run(view / "bin/python3", "-c", shown, env=QUIET) == "1.0 1"
    assert store.snapshot() == snapshot


def test_pip_refuses_to_write_through_a_link(
    tmp_path: Path, store: Store, make: Make, index: Path, uv: str
) -> None:
    view = tmp_path / "view"
    make(view, sources(store), fold=True)
    snapshot = store.snapshot()
    call = installers(view, index, uv, tmp_path / "cache")["pip"]
    done = call("install", "--ignore-installed", "apple")
    assert done.returncode != 0 and "nothing is written into it" in done.stderr
    assert store.snapshot() == snapshot
