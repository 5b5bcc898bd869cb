"""The index of facts: built in a child process, cached, kept fresh."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from spack.errors import RecipeError
from spack.repo import RepoPath, Repository
from spack.repo.facts_process import compute_facts

X = 'class X(Package):\n    """Words."""\n\n    version("1", sha256="00")\n    depends_on("y@2:")\n'
Y = 'class Y(Package):\n    version("2")\n    provides("virt@3:", when="@2:")\n    provides("c")\n'
BROKEN = 'class Broken(Package):\n    version("1")\n    depends_on("broken")\n'


class Counter:
    """Computes facts and notes for which recipes."""

    def __init__(self) -> None:
        self.asked: list = []

    def __call__(self, roots: Any, work: Any) -> Any:
        self.asked.append([directory for _, directory in work])
        return compute_facts(roots, work)


def open_path(tmp_path: Path, *roots: Path, counter: Any = None) -> RepoPath:
    repositories = [Repository.open(root) for root in roots]
    return RepoPath(repositories, tmp_path / "cache", build_index=counter)


def test_questions(tmp_path: Path, make_repository: Any) -> None:
    repo = open_path(tmp_path, make_repository({"x": X, "y": Y, "broken": BROKEN}))
    assert repo.names() == ("broken", "x", "y")
    recipe = repo.get("x")
    assert recipe is not None
    assert recipe.description == "Words."
    assert [d.spec for d in recipe.dependencies] == ["y@2:"]
    assert recipe.dependencies[0].line == 10
    assert repo.get("mine.x") is recipe or repo.get("mine.x") == recipe
    assert repo.get("other.x") is None
    assert repo.get("nothing") is None
    assert repo.exists("x") and not repo.exists("virt")
    assert repo.providers("virt") == ("y",)
    assert repo.providers("x") == ()
    assert repo.is_virtual("virt") and not repo.is_virtual("x") and not repo.is_virtual("nothing")
    assert repo.virtual_names() == ("c", "virt")
    assert repo.suggestions("vir") == ["virt"]


def test_no_recipe_code_runs_here(tmp_path: Path, make_repository: Any) -> None:
    repo = open_path(tmp_path, make_repository({"x": X, "y": Y}))
    assert repo.get("x") is not None
    assert not [name for name in sys.modules if name.startswith("spack_repo.mine")]


def test_a_broken_recipe_breaks_only_itself(tmp_path: Path, make_repository: Any) -> None:
    repo = open_path(tmp_path, make_repository({"x": X, "broken": BROKEN}))
    assert repo.get("x") is not None
    with pytest.raises(RecipeError, match=r"package.py:8: broken cannot depend on itself") as error:
        repo.get("broken")
    assert error.value.hint == "remove this depends_on"
    assert list(repo.errors()) == ["broken"]


def test_the_second_time_nothing_is_computed(tmp_path: Path, make_repository: Any) -> None:
    root, counter = make_repository({"x": X, "broken": BROKEN}), Counter()
    assert open_path(tmp_path, root, counter=counter).get("x") is not None
    again = open_path(tmp_path, root, counter=counter)
    assert again.get("x") is not None
    assert "broken" in again.errors()
    assert counter.asked == [["broken", "x"]]


def test_only_what_changed_is_computed(tmp_path: Path, make_repository: Any) -> None:
    root, counter = make_repository({"x": X, "y": Y, "broken": BROKEN}), Counter()
    open_path(tmp_path, root, counter=counter).names()
    make_repository({"y": Y.replace("virt@3:", "other"), "broken": Y.replace("Y", "Broken")})
    (root / "packages" / "x" / "package.py").unlink()
    repo = open_path(tmp_path, root, counter=counter)
    assert repo.names() == ("broken", "y")
    assert repo.errors() == {}
    assert repo.providers("other") == ("y",)
    assert repo.providers("virt") == ("broken",)
    assert counter.asked[1:] == [["broken", "y"]]


def test_a_recipe_follows_the_one_it_derives_from(tmp_path: Path, make_repository: Any) -> None:
    derived = "from ..y.package import Y\n\n\nclass Z(Y):\n    pass\n"
    root, counter = make_repository({"y": Y, "z": derived, "x": X}), Counter()
    open_path(tmp_path, root, counter=counter).names()
    make_repository({"y": Y.replace('"2"', '"2.5"')})
    recipe = open_path(tmp_path, root, counter=counter).get("z")
    assert recipe is not None
    assert [v.version for v in recipe.versions] == ["2.5"]
    assert recipe.versions[0].line == 0
    assert counter.asked[1:] == [["y", "z"]]


def test_a_changed_patch_changes_the_hash(tmp_path: Path, make_repository: Any) -> None:
    text = 'class X(Package):\n    version("1")\n    patch("a.patch", when="@1")\n'
    root = make_repository({"x": text})
    file = root / "packages" / "x" / "a.patch"
    file.write_text("one\n")
    before = open_path(tmp_path, root).get("x")
    file.write_text("two\n")
    os.utime(file, ns=(1, 1))
    after = open_path(tmp_path, root).get("x")
    assert before is not None and after is not None
    assert before.patches[0].sha256 != after.patches[0].sha256
    assert before.content_hash != after.content_hash


def test_the_first_repository_wins(tmp_path: Path, make_repository: Any) -> None:
    first = make_repository({"y": 'class Y(Package):\n    version("9")\n'})
    second = make_repository({"y": Y, "x": X}, namespace="other")
    repo = open_path(tmp_path, first, second)
    assert repo.names() == ("x", "y")
    recipe, further = repo.get("y"), repo.get("other.y")
    assert recipe is not None and recipe.namespace == "mine"
    assert further is not None and further.versions[0].version == "2"
    assert repo.repository_of("x").namespace == "other"
    # A shadowed recipe provides nothing.
    assert repo.providers("virt") == ()
    assert not repo.is_virtual("virt")


@pytest.mark.parametrize("damage", ["garbage", "truncated", "facts"])
def test_a_damaged_cache_is_made_again(tmp_path: Path, make_repository: Any, damage: str) -> None:
    root = make_repository({"x": X})
    open_path(tmp_path, root).names()
    (directory,) = (tmp_path / "cache").iterdir()
    index = directory / "index"
    if damage == "garbage":
        index.write_bytes(b"\xff\x00garbage")
    elif damage == "truncated":
        index.write_bytes(index.read_bytes()[:20])
    else:
        for file in directory.glob("facts-*"):
            file.unlink()
    assert open_path(tmp_path, root).get("x") is not None


def test_a_cache_that_cannot_be_written(tmp_path: Path, make_repository: Any) -> None:
    (tmp_path / "cache").write_text("a file is in the way")
    repo = open_path(tmp_path, make_repository({"x": X, "y": Y}))
    assert repo.get("x") is not None
    assert repo.providers("virt") == ("y",)


def test_without_a_cache(tmp_path: Path, make_repository: Any) -> None:
    repo = RepoPath([Repository.open(make_repository({"x": X}))], None)
    assert repo.get("x") is not None


def test_many_changes_do_not_let_the_cache_grow(tmp_path: Path, make_repository: Any) -> None:
    for number in range(5):
        text = f'class X(Package):\n    """{"words " * 100_000}"""\n    version("{number}")\n'
        root = make_repository({"x": text})
        recipe = open_path(tmp_path, root).get("x")
        assert recipe is not None and recipe.versions[0].version == str(number)
    (directory,) = (tmp_path / "cache").iterdir()
    (facts,) = directory.glob("facts-*")
    assert facts.stat().st_size < 3_000_000


@pytest.mark.parametrize(
    "text, what",
    [
        ("import sys\n\nsys.exit(3)\n", "SystemExit: 3"),
        ("import os\n\nos._exit(3)\n", "the recipe ended the process that read it (status 3)"),
        (
            "import os\n\nos.kill(os.getpid(), 9)\n",
            "the recipe killed the process that read it (signal 9)",
        ),
    ],
)
def test_a_recipe_that_ends_the_interpreter(
    tmp_path: Path, make_repository: Any, text: str, what: str
) -> None:
    root = make_repository({"a": X.replace("X", "A"), "n": text, "x": X})
    repo = open_path(tmp_path, root)
    assert repo.get("a") is not None
    assert repo.get("x") is not None, "the recipes behind it are read too"
    with pytest.raises(RecipeError) as caught:
        repo.get("n")
    assert f"{root}/packages/n/package.py:" in str(caught.value)
    assert what in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("endless", ["time.sleep(1000)", "while True: pass"])
def test_a_recipe_that_does_not_end(make_repository: Any, endless: str) -> None:
    root = make_repository({"s": f"import time\n\n{endless}\n", "x": X})
    rows = list(compute_facts([root], [(0, "s"), (0, "x")], patience=2))
    assert [row[1] for row in rows] == ["s", "x"]
    assert "is not read after" in rows[0][4][0]
    assert rows[1][4] is None


def test_a_recipe_that_computes_slowly_is_read(make_repository: Any) -> None:
    """As on a machine that has other things to do: its time is what the processor gave it."""
    slow = f"import time\n\nfor _ in range(25):\n    time.sleep(0.1)\n    sum(range(300_000))\n{X}"
    (row,) = compute_facts([make_repository({"x": slow})], [(0, "x")], patience=2)
    assert row[4] is None


def test_loading_a_class(tmp_path: Path, make_repository: Any, clean_imports: Any) -> None:
    repo = open_path(tmp_path, make_repository({"x": X}))
    assert repo.load_class("x").name == "x"
    assert repo.load_class("mine.x").name == "x"
    with pytest.raises(RecipeError, match="there is no package 'z'"):
        repo.load_class("z")
    error = repo.unknown("xx")
    assert error.hint


def test_the_stat_of_many_recipes_is_cheap(tmp_path: Path, make_repository: Any) -> None:
    recipes = {f"p{n}": f'class P{n}(Package):\n    version("{n}")\n' for n in range(150)}
    root = make_repository(recipes)
    assert len(open_path(tmp_path, root).names()) == 150
    recipe = open_path(tmp_path, root).get("p77")
    assert recipe is not None and recipe.versions[0].version == "77"


def test_the_recipes_of_the_engine_come_before_those_of_upstream(
    tmp_path: Path, make_repository: Any, clean_imports: Any
) -> None:
    recipe = 'class {}(Package):\n    version("{}")\n    provides("virt-{}")\n'
    venv = {"python_venv": recipe.format("PythonVenv", 1, 1), "x": X}
    upstream = {"python_venv": recipe.format("PythonVenv", 2, 2), "x": X}
    own, builtin = make_repository(venv, "venv"), make_repository(upstream, "builtin")
    repo = open_path(tmp_path, builtin, own)
    assert repo.repository_of("x").namespace == "builtin"
    assert repo.repository_of("python-venv").namespace == "venv"
    assert repo.load_class("python-venv").namespace == "venv"
    assert repo.providers("virt-1") == ("python-venv",) and not repo.providers("virt-2")
    assert repo.repository_of("builtin.python-venv").namespace == "builtin"
    assert "spack repo add https" not in str(repo.unknown("z").hint)
    assert repo.load_class("builtin.python-venv").namespace == "builtin"
    private = make_repository({"python_venv": recipe.format("PythonVenv", 3, 3)}, "mine")
    without = open_path(tmp_path, private, own)
    assert without.repository_of("python-venv").namespace == "mine"
    assert "spack repo add https" in str(without.unknown("z").hint)
