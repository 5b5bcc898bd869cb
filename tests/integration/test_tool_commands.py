"""Commands beside the daily ones: Makefiles of environments, libraries, test environments, logs."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from kits.command import Command
from kits.recipe_repository import RecipeRepository


def test_make_builds_an_environment(
    spack: Command, recipes: RecipeRepository, tmp_path: Path
) -> None:
    make = shutil.which("make")
    if make is None:
        pytest.skip("make is missing")
    recipes.plain("base")
    recipes.plain("top", "base")
    recipes.plain("other")
    work = tmp_path / "work"
    spack("env", "create", "-d", work)
    refused = spack.fails("-D", work, "env", "depfile", code=2)
    assert "is not concretized" in refused.err
    spack("-D", work, "add", "top", "other")
    spack("-D", work, "concretize")
    text = spack("-D", work, "env", "depfile", "--make-prefix", "done/").out
    assert "done/all: done/env\n" in text and "\t+$(SPACK) -e" in text
    assert "\t$(SPACK)" in spack("-D", work, "env", "depfile", "--make-disable-jobserver").out
    only = spack("-D", work, "env", "depfile", "other").out
    assert "/other-1.0" in only and "top-1.0" not in only
    spack("install", "base")
    assert "/base-1.0" not in spack("-D", work, "env", "depfile").out
    assert "/base-1.0" in spack("-D", work, "env", "depfile", "-G", "make").out
    data = json.loads(spack("-D", work, "env", "depfile", "--format", "json").out)
    learned = {node["name"]: node["learned"] for node in data["nodes"]}
    assert learned == {"top": False, "other": False}
    spack("uninstall", "-y", "--force", "base")
    data = json.loads(spack("-D", work, "env", "depfile", "--format", "json").out)
    assert [node["learned"] for node in data["nodes"] if node["name"] == "base"] == [True]
    alone = spack("-D", work, "env", "depfile", "--format", "gitlab")
    assert "no mirror has autopush" in alone.err
    assert "no root of" in spack.fails("-D", work, "env", "depfile", "base", code=2).err

    spack("-D", work, "env", "depfile", "-o", tmp_path / "Makefile", "--make-prefix", "done")
    program = f"SPACK={spack.root / 'bin' / 'spack'}"
    for _ in range(2):
        done = subprocess.run(
            [make, "-C", str(tmp_path), "-j2", program],
            env=spack.variables(),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert "Nothing to be done" in done.stdout
    assert sorted(spack.names()) == ["base", "other", "top"]
    assert (work / ".spack-env" / "view" / "bin" / "top").exists()


def test_libraries_that_are_missing(spack: Command, recipes: RecipeRepository) -> None:
    if shutil.which("gcc", path="/usr/bin") is None:
        pytest.skip("gcc is missing")
    recipes.add(
        "lost",
        """\
        has_code = False
        version("1.0")

        def install(self, spec, prefix):
            mkdirp(prefix.lib)
            gcc = Executable("/usr/bin/gcc")
            with open("a.c", "w") as stream:
                stream.write("int a(void) { return 0; }\\n")
            gcc("-shared", "-fPIC", "a.c", "-o", prefix.lib.join("liba.so"))
            flags = ["-shared", "-fPIC", "a.c", "-Wl,--no-as-needed", "-L" + prefix.lib, "-la"]
            gcc(*flags, "-o", prefix.lib.join("libfound.so"), "-Wl,-rpath,$ORIGIN")
            gcc(*flags, "-o", prefix.lib.join("liblost.so"))
        """,
    )
    recipes.plain("plain")
    spack("install", "lost", "plain")
    found = spack("verify", "libraries", check=False)
    assert found.code == 1
    lines = [line.partition(": ")[2] for line in found.lines if line.startswith("lost")]
    assert lines == ["lib/liblost.so: liba.so is in none of its run paths"]
    assert "2 packages checked, 1 with missing libraries" in found.out
    assert "0 with missing libraries" in spack("verify", "libraries", "plain").out


def test_environments_of_builds_and_tests(
    spack: Command, recipes: RecipeRepository, tmp_path: Path
) -> None:
    recipes.plain("tester")
    recipes.add("tested", 'has_code = False\nversion("1.0")\ndepends_on("tester", type="test")\n')
    refused = spack.fails("test-env", "tested")
    assert "needs what is not installed: tester" in refused.err
    spack("install", "tester")
    assert "tester-1.0" in spack("test-env", "tested").out
    assert "tester-1.0" not in spack("build-env", "tested").out
    dump, data = tmp_path / "dump.sh", tmp_path / "dump.pickle"
    assert spack("build-env", "--dump", dump, "--pickle", data, "tested").out == ""
    variables = pickle.loads(data.read_bytes())
    assert f"PATH={variables['PATH']}; export PATH\n" in dump.read_text()
    refused = spack.fails("build-env", "--dump", tmp_path / "no" / "dump", "tested", code=2)
    assert "cannot write" in refused.err


def test_the_lines_of_a_log(spack: Command, tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    log.write_text("fine\n" * 50 + "x.c:1:2: error: no such thing\n" + "make: *** [x] Error 1\n")
    shown = spack("log-parse", log).out
    assert "x.c:1:2: error: no such thing" in shown and "make: ***" not in shown
    assert spack("log-parse", "-c", "1", "-w", "5", log).lines[0] in ("fine", "x.c:1")
    assert "cannot read" in spack.fails("log-parse", tmp_path / "no", code=2).err


def test_unit_tests_of_a_clone(spack: Command) -> None:
    (spack.root / "tests" / "run").rename(spack.root / "tests" / "run.away")
    try:
        refused = spack.fails("unit-test", "tests/unit/spec", code=2)
    finally:
        (spack.root / "tests" / "run.away").rename(spack.root / "tests" / "run")
    assert "there are no tests in" in refused.err
    script = spack.root / "tests" / "run"
    text = script.read_text()
    script.write_text('#!/bin/sh\necho "pytest $@"\n')
    try:
        words = spack("unit-test", "-k", "parser", "-l", "-n", "2", "tests/unit").out
        assert words == "pytest tests/unit --collect-only -qq -k parser -n 2\n"
        assert spack("unit-test", "-H").out == "pytest --help\n"
    finally:
        script.write_text(text)


def test_a_report_for_continuous_integration(
    spack: Command, recipes: RecipeRepository, tmp_path: Path
) -> None:
    recipes.plain("base")
    recipes.plain("broken", "base", install="raise InstallError('no\\x07 luck')\n")
    recipes.plain("top", "broken")
    report = tmp_path / "report.xml"
    failed = spack("install", "--log-format", "junit", "--log-file", report, "top", check=False)
    assert failed.code == 1
    suite = ElementTree.parse(report).getroot()[0]
    assert dict(suite.attrib) == {
        "name": "spack install",
        "tests": "3",
        "failures": "1",
        "skipped": "1",
    }
    cases = {case.get("classname"): case for case in suite}
    assert float(cases["base"].get("time") or 0) > 0
    failure = cases["broken"].find("failure")
    assert failure is not None and "broken" in str(failure.get("message"))
    assert "luck" in str(failure.text)
    assert cases["top"].find("skipped") is not None
    spack("install", "--log-format=junit", "base", cwd=tmp_path)
    assert 'tests="0"' in (tmp_path / "junit.xml").read_text()
    refused = spack.fails("install", "--log-file", tmp_path / "no" / "x.xml", "base", code=2)
    assert "cannot write" in refused.err
