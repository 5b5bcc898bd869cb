"""Stand-alone tests of packages that fail, skip, or cannot run."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from kits.command import Command
from kits.recipe_repository import RecipeRepository

TESTS = '''
def test_good(self):
    """all is well"""
    with open("made-here", "w") as stream:
        stream.write("x")

def test_bad(self):
    """something is wrong"""
    raise RuntimeError("it leaks")

def test_parts(self):
    """two parts"""
    with test_part(self, "test_parts_one", purpose="one"):
        pass
    with test_part(self, "test_parts_two", purpose="two"):
        raise SkipTest("not on this machine")

@when("@2:")
def test_later(self):
    """not for this version"""
'''


@pytest.fixture
def leaky(spack: Command, recipes: RecipeRepository) -> Command:
    recipes.plain("sound")
    path = recipes.plain("leaky")
    with path.open("a") as stream:
        stream.write("".join(f"    {x}\n" if x else "\n" for x in TESTS.splitlines()))
    spack("install", "leaky", "sound")
    return spack


def test_each_test_has_its_outcome(leaky: Command) -> None:
    done = leaky("test", "run", "--alias", "one", check=False)
    assert done.code == 1
    for row in (
        "failed   test_bad",
        "passed   test_good",
        "skipped  test_later",
        "passed   test_parts_one",
        "skipped  test_parts_two",
    ):
        assert f"    {row}\n" in done.out
    assert "leaky@1.0/" in done.out and "FAILED" in done.out and "NO-TESTS" in done.out
    assert "test suite one: 1 failed, 1 without tests of 2 packages" in done.out
    log = leaky("test", "results", "-l", "--failed", "one").out
    assert "it leaks" in log and "not on this machine" in log and "sound" not in log


def test_stages_are_kept_where_that_is_asked(leaky: Command) -> None:
    leaky("test", "run", "--alias", "kept", "--keep-stage", "leaky", check=False)
    leaky("test", "run", "--alias", "dropped", "leaky", check=False)
    root = leaky.home.config / "test"
    assert list((root / "kept").rglob("made-here"))
    assert not list((root / "dropped").rglob("made-here"))


def test_one_failure_is_enough(leaky: Command, tmp_path: Path) -> None:
    where = f"config:test_stage:{tmp_path}/suites"
    done = leaky("-c", where, "test", "run", "--fail-fast", "--alias", "x", check=False).out
    assert "of 1 package" in done
    assert (tmp_path / "suites" / "x" / "results.json").is_file()


def test_a_recipe_that_is_missing(leaky: Command, recipes: RecipeRepository) -> None:
    recipes.path("leaky").unlink()
    done = leaky("test", "run", "leaky", check=False)
    assert done.code == 1
    assert "FAILED: there is no recipe for leaky" in done.out


def test_a_report_for_other_programs(leaky: Command, tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    leaky("test", "run", "--log-format", "junit", "--log-file", report, check=False)
    (suites,) = [ElementTree.parse(report).getroot()]
    found = {suite.get("name", "").split("@")[0]: suite for suite in suites}
    assert found["leaky"].get("failures") == "1" and found["leaky"].get("skipped") == "2"
    assert found["leaky"].find("testcase/failure") is not None
    assert "it leaks" in (found["leaky"].findtext("system-out") or "")
    assert found["sound"].get("tests") == "0"


def test_tests_that_take_too_long(spack: Command, recipes: RecipeRepository) -> None:
    path = recipes.plain("slow")
    with path.open("a") as stream:
        stream.write('    def test_it(self):\n        which("sleep")("60")\n')
    spack("install", "slow")
    done = spack("test", "run", "--timeout", "3", check=False)
    assert done.code == 1 and done.seconds < 50
    assert "FAILED: not finished after 3 seconds" in done.out
