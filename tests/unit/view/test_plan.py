"""Conflicts, namespaces, projections and search paths: the plan alone."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import pytest

from spack.errors import ViewError
from spack.util.environment_modifications import Change
from spack.view.activate import ROOT, EnvStep
from spack.view.plan_types import ViewOptions, ViewPlan, ViewSource, plan_digest
from spack.view.plan_view import plan_view

from .conftest import Python

BASE = Python("/usr/bin/python3.11", "3.11.2", *["lib/python3.11/site-packages"] * 2)
SITE = BASE.purelib


def source(name: str, files: Mapping[str, str], **options: object) -> ViewSource:
    entries: dict[str, tuple[str, int, str, int]] = {}
    for path, content in files.items():
        parent = path.rpartition("/")[0]
        while parent:
            entries.setdefault(parent, ("dir", 0o755, "", 0))
            parent = parent.rpartition("/")[0]
        kind = "link" if content.startswith("->") else "dir" if content == "/" else "file"
        entries[path] = (kind, 0o644, content[2:] if kind == "link" else content, len(content))
    prefix = f"/store/{name}-1.0-abc"
    return ViewSource(name, "1.0", f"{name}hash", prefix, lambda: entries, **options)  # type: ignore[arg-type]  # passed on


def plan(sources: Sequence[ViewSource], **options: object) -> ViewPlan:
    def read(path: str, limit: int | None) -> bytes:
        return b""

    return plan_view(sources, ViewOptions(**options), read)  # type: ignore[arg-type]  # passed on


def test_different_content_is_a_conflict_of_all_paths_at_once() -> None:
    result = plan(
        [
            source("b", {"share/x": "1", "share/y": "1", "share/z": "1"}),
            source("a", {"share/x": "2", "share/y": "1", "share/z": "2"}),
            source("c", {"share/x": "3"}),
        ]
    )
    with pytest.raises(ViewError) as caught:
        result.check()
    assert [x["path"] for x in caught.value.facts["conflicts"]] == ["share/x", "share/z"]
    assert caught.value.facts["conflicts"][0]["owners"] == (
        "a@1.0/ahash", "b@1.0/bhash", "c@1.0/chash",
    )  # fmt: skip
    assert "share/z: a@1.0/ahash and b@1.0/bhash" in str(caught.value.long_message)
    assert "exclude" in str(caught.value.hint)


def test_the_order_does_not_matter() -> None:
    sources = [source(name, {"share/same": "1", f"share/{name}": name}) for name in "abcdef"]
    expected = plan(sources)
    assert not expected.conflicts
    for seed in range(5):
        random.Random(seed).shuffle(sources)
        again = plan(sources)
        assert (again.items, again.digest, again.folders) == (
            expected.items, expected.digest, expected.folders,
        )  # fmt: skip


def test_removing_one_owner_restores_the_other() -> None:
    a, b = source("a", {"x": "1"}), source("b", {"x": "1"})
    both, alone = plan([a, b]), plan([b])
    assert both.items["x"].source == "/store/a-1.0-abc/x"
    assert alone.items["x"].source == "/store/b-1.0-abc/x"


def test_a_file_where_another_has_a_folder() -> None:
    result = plan([source("a", {"share/x": "1"}), source("b", {"share/x/y": "1"})])
    assert [conflict.path for conflict in result.conflicts] == ["share/x"]
    result = plan([source("a", {"share/x": "->y"}), source("b", {"share/x": "1"})])
    assert [conflict.path for conflict in result.conflicts] == ["share/x"]
    assert not plan([source("a", {"x": "->y"}), source("b", {"x": "->y"})]).conflicts


def test_the_configuration_says_who_wins() -> None:
    sources = [source(name, {"share/x": name}) for name in "abc"]
    for winner in "abc":
        result = plan(sources, winners={"share/*": winner})
        assert not result.conflicts
        assert result.items["share/x"].digest == winner
    assert plan(sources, winners={"share/*": "zlib"}).conflicts
    assert plan(sources, winners={"other": "a"}).conflicts


def test_what_many_packages_generate_is_no_conflict() -> None:
    names = ["share/info/dir", "share/icons/hicolor/icon-theme.cache", "a/__pycache__/b.pyc"]
    result = plan([source(name, dict.fromkeys(names, name)) for name in "ab"])
    assert not result.conflicts


def test_namespace_packages_merge() -> None:
    pkgutil = "hash of the same line"
    result = plan(
        [
            source("py-a", {f"{SITE}/ns/a.py": "1", f"{SITE}/pk/__init__.py": pkgutil}),
            source("py-b", {f"{SITE}/ns/b.py": "2", f"{SITE}/pk/__init__.py": pkgutil}),
        ],
        python=BASE,
    )
    assert not result.conflicts
    assert {f"{SITE}/ns/a.py", f"{SITE}/ns/b.py"} <= set(result.items)


def test_one_library_folder_in_a_virtual_environment() -> None:
    files = {
        "lib64/python3.11/site-packages/a.py": "1",
        "lib64/libx.so": "->../lib/libx.so",
        "lib/libx.so": "x",
        "lib64/liby.so.1": "y",
        "lib64/liby.so": "->liby.so.1",
    }
    result = plan([source("a", files), source("b", {"lib64": "->lib"})], python=BASE)
    assert not result.conflicts
    assert result.items["lib64"].source == "lib"
    assert result.items[f"{SITE}/a.py"].source.startswith("/store/a-1.0-abc/lib64/")
    assert result.items["lib/libx.so"].how == "symlink"
    assert result.items["lib/liby.so"].source == "liby.so.1"
    plain = plan([source("a", {"lib64/x": "1", "lib/x": "2"})])
    assert set(plain.items) == {"lib64/x", "lib/x"} and not plain.conflicts


def test_a_package_cannot_fetch_the_views_own_files() -> None:
    result = plan([source("odd", {"bin/python3": "1", "pyvenv.cfg": "2"})], python=BASE)
    assert [conflict.path for conflict in result.conflicts] == ["bin/python3", "pyvenv.cfg"]
    assert "the virtual environment" in result.conflicts[0].owners
    result = plan([source("python", {"bin/python3": "1", "x": "2"}, role="python")], python=BASE)
    assert not result.conflicts and "x" in result.items
    result = plan([source("python-venv", {"y": "2"}, role="python-venv")], python=BASE)
    assert "y" not in result.items


def test_projections_and_link_types_of_single_packages() -> None:
    result = plan(
        [
            source("a", {"x": "1", "l": "->x", "m": "->/store/a-1.0-abc/x"}, projection="a/1"),
            source("b", {"x": "2"}, link_type="copy"),
        ]
    )
    assert result.items["a/1/x"].how == "symlink"
    assert result.items["a/1/l"].source == "x" == result.items["a/1/m"].source
    assert result.items["x"].how == "copy"
    assert "a/1" in result.folders and "a" in result.folders
    with pytest.raises(ViewError, match="invalid link type"):
        plan([source("c", {"x": "2"}, link_type="magic")])
    with pytest.raises(ViewError, match="invalid link type"):
        ViewOptions(link_type="magic")


def test_the_digest_changes_with_everything_that_matters() -> None:
    a = source("a", {"x": "1"}, fingerprint="1")
    digests = {
        plan_digest([a], ViewOptions()),
        plan_digest([a], ViewOptions(link_type="copy")),
        plan_digest([a], ViewOptions(prompt="x")),
        plan_digest([a], ViewOptions(python=BASE)),
        plan_digest([a], ViewOptions(python=BASE, system_site_packages=True)),
        plan_digest([a], ViewOptions(winners={"a": "b"})),
        plan_digest([source("a", {"x": "1"}, fingerprint="2")], ViewOptions()),
        plan_digest([source("a", {}, fingerprint="1", projection="p")], ViewOptions()),
        plan_digest(
            [source("a", {}, fingerprint="1", environment=(Change("set", "A", "1"),))],
            ViewOptions(),
        ),
        plan_digest([], ViewOptions()),
    }
    assert len(digests) == 10


def steps(files: Sequence[str], *changes: Change, **options: object) -> tuple[EnvStep, ...]:
    package = source("a", dict.fromkeys(files, "1"), environment=changes)
    return plan([package], **options).steps


def test_search_paths_of_what_is_there() -> None:
    assert steps(["lib/x"]) == ()
    assert steps(["bin/x"]) == (EnvStep("prepend", "PATH", f"{ROOT}/bin"),)
    found = steps(["share/man/man1/x", "lib/pkgconfig/x.pc"])
    assert {step.name for step in found} == {
        "MANPATH", "XDG_DATA_DIRS", "PKG_CONFIG_PATH", "CMAKE_PREFIX_PATH",
    }  # fmt: skip
    assert not {"PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH"} & {step.name for step in found}


def test_run_environments_are_projected() -> None:
    prefix = "/store/a-1.0-abc"
    found = steps(
        ["share/data/x", "libexec/t", "bin/x"],
        Change("set", "DATA", f"{prefix}/share/data"),
        Change("set", "ROOT_OF", prefix),
        Change("set", "GONE", f"{prefix}/not/in/view"),
        Change("set", "OTHER", "/store/a-1.0-abcd/x"),
        Change("prepend_path", "PATH", f"{prefix}/libexec"),
        Change("prepend_path", "PATH", f"{prefix}/bin"),
        Change("append_flags", "FLAGS", "-O", " "),
        Change("prune_duplicate_paths", "PATH"),
        Change("prepend_path", "LD_LIBRARY_PATH", f"{prefix}/lib"),
    )
    own = [step for step in found if step.name not in ("XDG_DATA_DIRS",)]
    assert own == [
        EnvStep("prepend", "PATH", f"{ROOT}/bin"),
        EnvStep("set", "DATA", f"{ROOT}/share/data"),
        EnvStep("set", "ROOT_OF", ROOT),
        EnvStep("set", "GONE", f"{prefix}/not/in/view"),
        EnvStep("set", "OTHER", "/store/a-1.0-abcd/x"),
        EnvStep("prepend", "PATH", f"{ROOT}/libexec"),
        EnvStep("append", "FLAGS", "-O", " "),
    ]


def test_pythonpath_becomes_a_pth_file() -> None:
    package = source(
        "a",
        {"python/mod.py": "1", f"{SITE}/b.py": "2"},
        environment=(
            Change("prepend_path", "PYTHONPATH", "/store/a-1.0-abc/python"),
            Change("prepend_path", "PYTHONPATH", f"/store/a-1.0-abc/{SITE}"),
        ),
    )
    result = plan([package], python=BASE)
    assert result.texts[f"{SITE}/_spack_view.pth"] == b"../../../python\n"
    assert "PYTHONPATH" not in {step.name for step in result.steps}
    assert f"{SITE}/_spack_view.pth" not in plan([package]).texts


def test_an_empty_view_of_python_is_a_virtual_environment() -> None:
    result = plan([], python=BASE, templates={})
    assert result.items["bin/python3"].source == "/usr/bin/python3.11"
    assert {name for name in result.items if name.startswith("bin/")} == {
        "bin/python", "bin/python3", "bin/python3.11",
    }  # fmt: skip
    assert "include-system-site-packages = false" in result.texts["pyvenv.cfg"].decode()
    assert SITE in result.folders and result.items["lib64"].source == "lib"
    free = Python("/opt/bin/python3.13t", "3.13.0", *["lib/python3.13t/site-packages"] * 2)
    names = set(plan([], python=free).items)
    assert {"bin/python3.13", "bin/python3.13t", "bin/python"} <= names
