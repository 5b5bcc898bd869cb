"""Of many recipes only those are read that say something of the repository, and those asked for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from spack.errors import RecipeError
from spack.repo import RepoPath, Repository
from spack.repo.facts_process import compute_facts
from spack.repo.recipe_reader import RecipeReader
from spack.repo.recipe_text_scan import scan_recipe

#: As many as it takes for recipes to be left for later.
MANY = 250

PLAIN = 'class P{0}(Package):\n    version("{0}")\n'
PROVIDES = 'class Y(Package):\n    version("2")\n    provides("virt")\n'
PROJECT = 'class Odd(Package):\n    pypi = "Other-Name/x-1.tar.gz"\n    version("1", sha256="00")\n'
DERIVED = "from ..y.package import Y\n\n\nclass Z(Y):\n    pass\n"
BROKEN = 'class Broken(Package):\n    version("1")\n    depends_on("broken")\n'


class Counter:
    """Computes facts and notes for which recipes."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, roots: Any, work: Any) -> Any:
        self.asked += [directory for _, directory in work]
        return compute_facts(roots, work)


@pytest.fixture
def many(make_repository: Any) -> Path:
    recipes = {f"p{number}": PLAIN.format(number) for number in range(MANY)}
    recipes.update(y=PROVIDES, odd=PROJECT, z=DERIVED, broken=BROKEN)
    root: Path = make_repository(recipes)
    return root


def open_path(tmp_path: Path, *roots: Path, counter: Any = None) -> RepoPath:
    repositories = [Repository.open(root) for root in roots]
    return RepoPath(repositories, tmp_path / "cache", build_index=counter)


def test_what_the_repository_has_is_known_and_the_rest_is_read_when_asked_for(
    tmp_path: Path, many: Path
) -> None:
    counter = Counter()
    repo = open_path(tmp_path, many, counter=counter)
    assert len(repo.names()) == MANY + 4
    assert sorted(counter.asked) == ["odd", "y", "z"]
    assert repo.providers("virt") == ("y", "z") and repo.is_virtual("virt")
    assert repo.package_of_project("other-name") == "odd"
    recipe = repo.get("p77")
    assert recipe is not None and recipe.versions[0].version == "77"
    assert repo.is_broken("broken") and not repo.is_broken("p3") and not repo.is_broken("none")
    with pytest.raises(RecipeError, match="broken cannot depend on itself"):
        repo.get("broken")
    repo.close()
    again = open_path(tmp_path, many, counter=counter)
    recipe = again.get("p77")
    assert recipe is not None and recipe.versions[0].version == "77"
    assert again.indexes()[0].is_unread("p78") and not again.indexes()[0].is_unread("p77")
    assert len(counter.asked) == 3
    assert list(again.errors()) == ["broken"]
    assert sorted(counter.asked[3:]) == sorted({f"p{n}" for n in range(MANY)} - {"p77", "p3"})
    assert open_path(tmp_path, many).indexes()[0].unread() == []


def test_a_recipe_that_changes_before_it_is_read(tmp_path: Path, many: Path) -> None:
    assert open_path(tmp_path, many).exists("p5")
    file = many / "packages" / "p5" / "package.py"
    file.write_text(file.read_text().replace('version("5")', 'version("5.1")\n    provides("new")'))
    repo = open_path(tmp_path, many)
    assert repo.providers("new") == ("p5",)
    recipe = repo.get("p5")
    assert recipe is not None and recipe.versions[0].version == "5.1"


def test_without_a_cache_recipes_are_read_one_by_one_too(many: Path) -> None:
    repo = RepoPath([Repository.open(many)], None)
    for name in ("p1", "p2", "y"):
        recipe = repo.get(name)
        assert recipe is not None and recipe.name == name
    repo.close()
    assert repo.get("p1") is not None and list(repo.errors()) == ["broken"]


def test_a_further_repository_costs_what_it_has(
    tmp_path: Path, many: Path, make_repository: Any
) -> None:
    counter = Counter()
    open_path(tmp_path, many, counter=counter).names()
    small = make_repository({"one": PLAIN.replace("P{0}", "One").format(1)}, namespace="small")
    del counter.asked[:]
    for roots in ((many, small), (small, many), (small,), (many,)):
        assert open_path(tmp_path, *roots, counter=counter).names()
    assert counter.asked == ["one"]


def test_what_derives_from_another_repository_follows_it(
    tmp_path: Path, make_repository: Any
) -> None:
    base = make_repository({"y": PROVIDES}, namespace="base")
    text = "from spack_repo.base.packages.y.package import Y\n\n\nclass Z(Y):\n    pass\n"
    outer = make_repository({"z": text, "x": PLAIN.replace("P{0}", "X").format(1)})
    counter = Counter()
    recipe = open_path(tmp_path, outer, base, counter=counter).get("z")
    assert recipe is not None and recipe.versions[0].version == "2"
    file = base / "packages" / "y" / "package.py"
    file.write_text(file.read_text().replace('version("2")', 'version("2.5")'))
    del counter.asked[:]
    recipe = open_path(tmp_path, outer, base, counter=counter).get("z")
    assert recipe is not None and recipe.versions[0].version == "2.5"
    assert sorted(counter.asked) == ["y", "z"]
    del counter.asked[:]
    with pytest.raises(RecipeError):
        open_path(tmp_path, outer, counter=counter).get("z")
    assert "x" not in counter.asked


@pytest.mark.parametrize(
    ("text", "at_once", "outer"),
    [
        ("from spack.package import *", False, False),
        ("from spack_repo.builtin.build_systems.cmake import CMakePackage", False, False),
        ("from spack_repo.builtin.build_systems.rare import RarePackage", False, True),
        ("from spack_repo.mine.packages.x.package import X", True, False),
        ("from spack_repo.other.packages.x.package import X", True, True),
        ("    provides ('mpi')", True, False),
        ("    virtual = True", True, False),
        ('    pypi = "Foo_Bar/foo.tar.gz"', False, False),
        ('    pypi = "other/foo.tar.gz"', True, False),
        ("    pypi = NAME + '/foo.tar.gz'", True, False),
        ("# it provides much", False, False),
    ],
)
def test_what_a_text_says(text: str, at_once: bool, outer: bool) -> None:
    found = scan_recipe(text.encode(), "py-foo-bar", "mine", frozenset(["cmake"]))
    assert found == (at_once, outer)


def test_a_recipe_that_ends_or_stops_the_reader_breaks_only_itself(make_repository: Any) -> None:
    ends = f"import os\n\nos._exit(3)\n{PROVIDES}"
    hangs = f"while True:\n    pass\n{PROVIDES}"
    asks = f"import sys\n\nassert sys.stdin.read() == ''\nprint('noise')\n{PROVIDES}"
    root = make_repository({"e": ends, "h": hangs, "y": PROVIDES, "a": asks.replace("Y(", "A(")})
    reader = RecipeReader([root], patience=3)
    assert "ended the process that read it (status 3)" in reader.row(0, "e")[4][0]
    assert reader.row(0, "y")[4] is None
    assert "is not read after 3 seconds" in reader.row(0, "h")[4][0]
    assert reader.row(0, "a")[4] is None
    reader.close()
    assert reader.row(0, "y")[4] is None
    reader.close()


def test_a_fork_asks_a_process_of_its_own(make_repository: Any) -> None:
    root = make_repository({"y": PROVIDES})
    reader = RecipeReader([root])
    assert reader.row(0, "y")[4] is None
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if reader.row(0, "y")[4] is None else 1
            reader.close()
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    assert reader.row(0, "y")[4] is None
    reader.close()
