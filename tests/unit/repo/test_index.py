"""The files of the index under several hands."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from spack.repo import Repository
from spack.repo.facts_process import compute_facts
from spack.repo.repository_index import RepositoryIndex, engine_fingerprint, providers_of

X = 'class X(Package):\n    version("1")\n    provides("virt")\n'


def rows_of(repository: Repository, *directories: str) -> list[Any]:
    return list(compute_facts([repository.root], [(0, name) for name in directories]))


def open_index(repository: Repository, tmp_path: Path, fingerprint: str = "1") -> RepositoryIndex:
    return RepositoryIndex(repository, tmp_path / "cache", fingerprint)


def test_two_processes_at_once(tmp_path: Path, make_repository: Any) -> None:
    recipes = {"x": X, "y": X.replace("X", "Y"), "z": X.replace("X", "Z")}
    repository = Repository.open(make_repository(recipes))
    first, second = open_index(repository, tmp_path), open_index(repository, tmp_path)
    assert first.stale() == second.stale() == (["x", "y", "z"], [])
    # Both have computed; the second finds the first one's files, and files of its own are missing.
    first.update(rows_of(repository, "x", "y", "z"), [])
    second.update(rows_of(repository, "x", "y"), [])
    third = open_index(repository, tmp_path)
    assert third.stale() == ([], [])
    for index in (first, second, third):
        for name in ("x", "y", "z"):
            recipe = index.recipe(name)
            assert recipe is not None and recipe.name == name
    assert providers_of(third) == {"virt": ["x", "y", "z"]}


def test_a_reader_keeps_its_facts_while_the_file_is_replaced(
    tmp_path: Path, make_repository: Any
) -> None:
    large = f'class X(Package):\n    """{"word " * 300_000}"""\n    version("1")\n'
    repository = Repository.open(make_repository({"x": large, "y": X.replace("X", "Y")}))
    writer = open_index(repository, tmp_path)
    writer.update(rows_of(repository, "x", "y"), [])
    reader = open_index(repository, tmp_path)
    for _ in range(4):
        writer.update(rows_of(repository, "x"), [])
    recipe = reader.recipe("y")
    assert recipe is not None and recipe.name == "y"
    assert len(list((tmp_path / "cache").glob("facts-*"))) == 1


def test_another_engine_makes_everything_stale(tmp_path: Path, make_repository: Any) -> None:
    repository = Repository.open(make_repository({"x": X}))
    open_index(repository, tmp_path).update(rows_of(repository, "x"), [])
    assert open_index(repository, tmp_path).stale() == ([], [])
    assert open_index(repository, tmp_path, "2").stale() == (["x"], [])


def test_a_touched_recipe_is_stale(tmp_path: Path, make_repository: Any) -> None:
    repository = Repository.open(make_repository({"x": X}))
    open_index(repository, tmp_path).update(rows_of(repository, "x"), [])
    os.utime(repository.packages / "x" / "package.py", ns=(1, 1))
    assert open_index(repository, tmp_path).stale() == (["x"], [])


def put_with_times_of(file: Path, text: str) -> None:
    """Replace *file* as ``cp -p`` and ``rsync -t`` do: with its times, and here its size."""
    status = file.stat()
    assert len(text) == status.st_size
    new = file.with_name("new")
    new.write_text(text)
    os.utime(new, ns=(status.st_atime_ns, status.st_mtime_ns))
    os.replace(new, file)


def test_a_recipe_of_the_same_size_and_time_is_stale(tmp_path: Path, make_repository: Any) -> None:
    repository = Repository.open(make_repository({"x": X}))
    open_index(repository, tmp_path).update(rows_of(repository, "x"), [])
    file = repository.packages / "x" / "package.py"
    put_with_times_of(file, file.read_text().replace('"1"', '"2"'))
    assert open_index(repository, tmp_path).stale() == (["x"], [])


def test_the_same_content_at_another_time_of_change_is_fresh(
    tmp_path: Path, make_repository: Any
) -> None:
    """As after a container's layer was unpacked again; it is compared only once."""
    repository = Repository.open(make_repository({"x": X}))
    open_index(repository, tmp_path).update(rows_of(repository, "x"), [])
    file = repository.packages / "x" / "package.py"
    put_with_times_of(file, file.read_text())
    index = open_index(repository, tmp_path)
    assert index.stale() == ([], [])
    assert list(index.refreshed) == ["x"]
    index.update([], [])
    index = open_index(repository, tmp_path)
    assert index.stale() == ([], []) and not index.refreshed
    recipe = index.recipe("x")
    assert recipe is not None and [row.version for row in recipe.versions] == ["1"]


def test_the_fingerprint_follows_the_files(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("1")
    (tmp_path / "notes.txt").write_text("1")
    before = engine_fingerprint([str(tmp_path), str(tmp_path / "absent")])
    (tmp_path / "notes.txt").write_text("22")
    assert engine_fingerprint([str(tmp_path)]) == before
    (tmp_path / "a.py").write_text("22")
    assert engine_fingerprint([str(tmp_path)]) != before
