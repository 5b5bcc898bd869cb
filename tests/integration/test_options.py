"""Options do what their help says, in an environment as without one."""

from __future__ import annotations

import fcntl
import re
from pathlib import Path

import pytest

from kits.command import Command, Result, TakeSnapshot
from kits.recipe_repository import RecipeRepository


@pytest.fixture
def work(spack: Command, recipes: RecipeRepository) -> Path:
    """Return an environment with ``top``, which needs ``base``, and ``other``."""
    recipes.plain("base")
    recipes.plain("top", "base")
    recipes.plain("other")
    location = spack.home.path / "work"
    location.mkdir()
    (location / "spack.yaml").write_text(
        "spack:\n  definitions:\n  - more: [other]\n    when: platform == 'linux'\n"
        "  - more: [absent]\n    when: \"'NEVER' in env\"\n  specs: [top, $more]\n  view: view\n"
    )
    return location


def built(result: Result) -> list[str]:
    return sorted(re.findall(r"==> Installing ([\w-]+)@", result.out))


def test_a_dry_run_in_an_environment_writes_nothing(
    spack: Command, work: Path, tree_of: TakeSnapshot
) -> None:
    before = tree_of(work)
    result = spack("-e", work, "install", "--dry-run")
    assert re.search(r"build .*top@1\.0", result.text) and "other@1.0" in result.text
    result = spack("-e", work, "install", "--dry-run", "base")
    assert "base@1.0" in result.text and "top@1.0" not in result.text
    assert tree_of(work) == before
    assert spack.names() == []


def test_only_and_overwrite_count_in_an_environment(spack: Command, work: Path) -> None:
    assert built(spack("-e", work, "install", "--only", "dependencies")) == ["base"]
    assert not (work / "view").exists()
    assert built(spack("-e", work, "install")) == ["other", "top"]
    assert (work / "view" / "bin" / "top").exists()
    assert built(spack("-e", work, "install", "--overwrite", "top")) == ["top"]
    assert built(spack("-e", work, "install", "--overwrite")) == ["other", "top"]


def test_an_option_that_is_not_offered_is_refused(
    spack: Command, recipes: RecipeRepository
) -> None:
    recipes.plain("base")
    assert "--keep-prefix" in spack.fails("install", "--keep-prefix", "base", code=2).err


def test_verify_of_what_is_not_installed_is_an_error(
    spack: Command, recipes: RecipeRepository
) -> None:
    recipes.plain("base")
    assert "no installed package matches base" in spack.fails("verify", "base").err
    spack("install", "base")
    assert "1 package checked, 0 with differences" in spack("verify", "base").out


def test_clean_and_stage_leave_builds_that_run_alone(
    spack: Command, recipes: RecipeRepository
) -> None:
    recipes.plain("base")
    spack("clean")
    assert not spack.home.store.exists()
    spack("install", "base")
    staged = Path(spack("stage", "base").out.split(" is in ")[1].strip())
    assert staged.is_dir()
    locks = spack.home.store / ".spack-db" / "locks"
    digest = spack("find", "--format", "{hash}", "base").out.strip()
    with open(locks / "builds") as builds, open(locks / digest) as node:
        fcntl.flock(builds, fcntl.LOCK_SH)
        fcntl.flock(node, fcntl.LOCK_SH)
        assert "are being installed now" in spack.fails("clean", "--all").err
        assert "is locked by" in spack.fails("stage", "base").err
        spack("clean", "--misc-cache")
        assert staged.is_dir()
    assert "stage: 1 removed" in spack("clean").text
    assert not staged.exists()


def test_logs_are_of_the_package_and_version_that_is_named(
    spack: Command, recipes: RecipeRepository
) -> None:
    recipes.plain("base", install="raise InstallError('never')\n")
    recipes.plain("base-more", install="raise InstallError('never')\n")
    spack.fails("install", "base")
    spack.fails("install", "base-more")
    assert "/base@1.0-" in spack("logs", "--path", "base@1").out
    assert "/base-more@1.0-" in spack("logs", "--path", "base-more").out
    assert "no build log" in spack.fails("logs", "base@2").err


def test_a_timeline_shows_what_ran(spack: Command, work: Path, tmp_path: Path) -> None:
    page = tmp_path / "timeline.html"
    spack("-e", work, "install", "--timeline", page)
    text = page.read_text()
    assert "<title>spack -e work install</title>" in text
    assert "3 of 3 packages installed in" in text
    assert len(re.findall(r'<g class="row', text)) == 3
    base, top = (spack("find", "--format", "{hash}", x).out.strip() for x in ("base", "top"))
    assert f'id="{top}" data-requires="{base}"' in text
    result = spack.fails("install", "--timeline", tmp_path / "absent" / "x.html", "top", code=2)
    assert "cannot write" in result.err and "--timeline FILE" in result.err
