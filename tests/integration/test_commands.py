"""What each command prints and does, on a small install tree."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from kits.command import Command
from kits.recipe_repository import RecipeRepository
from spack.cli.main import COMMANDS, main
from spack.util import yaml

#: What is installed in ``small`` beside externals.
INSTALLED = {"base", "top", "prog", "py-sweet", "python-venv", "compiler-wrapper"}
EXPLICIT = ["prog", "py-sweet", "top"]


# -- help --------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "help"])
def test_help_reports_what_it_is_for(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"usage: spack {command}")
    module = import_module(f"spack.cli.commands.{command.replace('-', '_')}")
    description = module.DESCRIPTION.strip().splitlines()
    assert description[0] in shown
    assert description[0][0].islower() and not description[0].endswith(".")
    for line in shown.partition("examples:\n")[2].splitlines():
        if line.startswith("  spack "):
            assert re.match(rf"  spack (-\S+ \S+ )?{command}\b", line), line


def test_the_overview_names_every_command(small: Command) -> None:
    shown = small("help").out
    for command, (group, text) in COMMANDS.items():
        assert re.search(rf"^  {command} +{re.escape(text)}$", shown, re.M), command
        assert f"\n{group}:\n" in shown
    assert small("--help").out == shown
    assert small("help", "find").out == small("find", "--help").out
    assert small(check=False).code == 2


def test_version(small: Command) -> None:
    assert small("--version").out == small("-V").out
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*\n", small("--version").out)


def test_an_unknown_command_and_option(small: Command) -> None:
    assert "did you mean: find" in small.fails("fnid", code=2).err
    assert "spack find --help" in small.fails("find", "--wrong", code=2).err


# -- queries -----------------------------------------------------------------------------------


def test_find(small: Command) -> None:
    assert set(small.names()) >= INSTALLED
    assert small.names("--explicit") == EXPLICIT
    assert set(small.names("--implicit")).isdisjoint(EXPLICIT)
    assert small.names("py-sweet") == ["py-sweet"]
    assert small.names("^base") == ["prog", "top"]
    assert "python" not in small.names("--no-externals")
    missing = small("find", "py-sour", check=False)
    assert (missing.code, missing.text) == (1, "==> no installed packages\n")


def test_find_shows_more(small: Command) -> None:
    (line,) = [line for line in small("find", "-lvp", "top").lines if "top@" in line]
    assert re.fullmatch(r"\w{7} top@1\.0 build_system=generic /\S+/top-1\.0-\w{32}", line)
    tree = small("find", "--deps", "top").lines
    assert [text.strip() for text in tree[1:3]] == ["top@1.0", "^base@1.0"]
    assert re.search(r"\w{32} tiny\.top@1\.0", small("find", "-LN", "top").out)
    assert small("find", "--format", "{name}-{version}", "top").out == "top-1.0\n"
    (row,) = json.loads(small("find", "--json", "top").out)
    assert (row["name"], row["version"], row["explicit"], row["external"]) == (
        *("top", "1.0"),
        *(True, False),
    )
    assert len(row["hash"]) == 32 and row["prefix"].endswith(row["hash"])
    # As in a spec file of Spack's.
    assert row["arch"]["platform_os"] == row["arch"]["os"]
    assert row["parameters"]["build_system"] == "generic"
    assert [edge["name"] for edge in row["dependencies"]] == ["base"]
    assert small.names("--install-tree", "upstream") == []
    assert small.names("--install-tree", "local") == small.names()
    assert small.names("--install-tree", str(small.home.store)) == small.names()
    names = small("find", "--no-groups", "--no-externals")
    assert len(names.lines) == int(names.err.split()[1])


def test_spec(small: Command) -> None:
    lines = small("spec", "-I", "-l", "-t", "-N", "top").lines
    assert re.match(r"\[\+]  \w{7}  \[ +]  tiny\.top@1\.0 build_system=generic", lines[0])
    assert re.match(r"\[\+]  \w{7}  \[b r ]  {5,}\^tiny\.base@1\.0", lines[1])
    assert small("spec", "--format", "{name}@{version}", "top").out == "top@1.0\n"
    data = json.loads(small("spec", "--json", "top").out)
    assert [node["name"] for node in data["spec"]["nodes"]] == ["top", "base"]
    written = yaml.load("x.yaml", small("spec", "--yaml", "top").out).data
    assert written == json.loads(small("spec", "--json", "top").out)
    fresh = small("spec", "-U", "top prog").lines
    assert len([line for line in fresh if not line.startswith(" ")]) >= 1
    assert " - " in small("spec", "-I", "py-click").out


def test_solve(small: Command) -> None:
    shown = small("solve", "top").out
    assert re.search(r"^packages expanded: +\d+ of \d+ possible$", shown, re.M)
    assert re.search(r"^optimal: +yes$", shown, re.M)
    assert re.search(r"^seconds: +\d+\.\d+  \w+", shown, re.M)
    assert "^base@1.0" in shown


def test_info(small: Command) -> None:
    shown = small("info", "py-click").out
    assert shown.startswith("py-click  (venv)\n")
    for heading in ("Homepage:", "Recipe:", "Versions:", "Variants:", "Dependencies (build):"):
        assert heading in shown
    assert "python@3.10:" in shown
    assert "Conflicts:" not in shown
    everything = small("info", "--all", "py-click").out
    assert len(everything) > len(shown)


def test_list(small: Command) -> None:
    names = small("list").lines
    assert {"top", "py-click", "python"} <= set(names)
    assert names == sorted(names)
    assert small("list", "py-clic").lines == ["py-click"]
    assert set(small("list", "py-hatch*", "top").lines) >= {"py-hatchling", "top"}
    assert int(small("list", "--count").out) == len(names)
    assert "py-click" in small("list", "-d", "composable command line").lines
    assert small("list", "no-such-*", check=False).code == 1


def test_versions(small: Command) -> None:
    from packaging.version import Version

    versions = [Version(line) for line in small("versions", "py-click").lines]
    assert len(versions) > 2
    assert versions == sorted(versions, reverse=True)
    assert small("versions", "--safe", "base").lines == []


def test_providers(small: Command) -> None:
    assert {"c", "cxx", "fortran"} <= set(small("providers").lines)
    assert small("providers", "c").lines[0] == "gcc"
    assert small("providers", "c", "cxx").lines[0] == "c:"
    assert "not a virtual package" in small.fails("providers", "base").err


def test_location(small: Command) -> None:
    top = small.prefix("top")
    assert (top / "bin" / "top").is_file()
    assert small("location", "top").out.strip() == str(top)
    assert small("location", "--store").out.strip() == str(small.home.store)
    recipe = Path(small("location", "-p", "py-click").out.strip())
    assert recipe == small.root / "packages" / "py_click"
    assert Path(small("location", "-r").out.strip()) == small.root
    assert small("location", "-S").out.startswith(str(small.home.stages))
    assert "no installed package matches" in small.fails("location", "-i", "py-click").err
    digest = small("find", "--format", "{hash:7}", "top").out.strip()
    assert small.prefix(f"/{digest}") == top


def test_a_spec_that_means_several(spack: Command, recipes: RecipeRepository) -> None:
    for version in ("1.0", "2.0"):
        recipes.plain("base", version=version)
        spack("install", f"base@{version}")
    result = spack.fails("location", "-i", "base")
    assert "base matches 2 installed packages" in result.err
    old, new = (spack.prefix(f"base@{version}") for version in ("1.0", "2.0"))
    assert f"/{old.name[-32:][:7]} base@1.0" in result.err
    assert spack("location", "-i", "--first", "base").out.strip() == str(new)
    assert "base matches 2 installed packages" in spack.fails("load", "--sh", "base").err
    assert new.name[-32:] in spack("load", "--sh", "--first", "base").out
    location = spack.home.config.parent / "work"
    spack("env", "create", "--dir", str(location))
    (location / "spack.yaml").write_text("spack:\n  specs: [base@1.0]\n  view: false\n")
    spack("-e", str(location), "concretize")
    assert spack("-e", str(location), "location", "-i", "base").out.strip() == str(old)
    assert old.name[-32:] in spack("-e", str(location), "load", "--sh", "base").out
    result = spack.fails("-e", str(location), "location", "-i", "base@2")
    assert "nothing that is installed of this environment matches base@2" in result.err
    assert spack("-E", "location", "-i", "base@2").out.strip() == str(new)


def test_logs(small: Command) -> None:
    assert "prog" in small("logs", "prog").out
    path = Path(small("logs", "--path", "prog").out.strip())
    assert path == small.prefix("prog") / ".spack" / "spack-build-out.txt"
    assert "no build log" in small.fails("logs", "gcc").err


def test_arch(small: Command) -> None:
    whole = small("arch").out.strip()
    parts = [small("arch", option).out.strip() for option in ("-p", "-o", "-t")]
    assert whole == "-".join(parts)
    assert parts[2] in small("arch", "--known-targets").lines
    assert small("arch", "-g").out.strip() in small("arch", "--known-targets").lines


def test_compilers(small: Command) -> None:
    shown = small("compilers").out
    assert re.search(r"^gcc@\d+", shown, re.M)
    assert re.search(r"^    c +/\S+/\S*gcc\S*$", shown, re.M)
    assert small("compiler", "list").out == shown


# -- configuration -----------------------------------------------------------------------------


def test_config_get_and_blame(small: Command) -> None:
    shown = small("config", "get", "config").out
    assert f"    root: {small.home.store}\n" in shown
    data = json.loads(small("config", "get", "--json", "config").out)
    assert data["config"]["install_tree"]["root"] == str(small.home.store)
    blamed = small("config", "blame", "config").out
    own = re.escape(str(small.home.config / "config.yaml"))
    assert re.search(rf"^{own}:3 +config:install_tree:root: ", blamed, re.M)
    assert re.search(r"^/\S+/etc/config.yaml:\d+ +config:build_jobs: \d+$", blamed, re.M)
    assert len(small("config", "blame").lines) > len(blamed.splitlines())
    over = small("-c", "config:build_jobs:3", "config", "blame", "config").out
    assert re.search(r"^command line\S* +config:build_jobs: 3$", over, re.M)


def test_config_get_reads_back(small: Command, tmp_path: Path) -> None:
    """What it prints is a file that says the same."""
    for section in small("config", "list").out.split():
        shown = small("config", "get", section).out
        if shown:
            folder = tmp_path / section
            folder.mkdir()
            (folder / f"{section}.yaml").write_text(shown)
            assert small("-C", folder, "config", "get", section).code == 0, section
    assert "packages" in small("config", "list").out.split()
    names = small("config", "scopes").lines
    assert names[-1] == "defaults" and "user" in names
    assert "sections: " in small.fails("config", "get", "confg", code=2).err


def test_repo(spack: Command, recipes: RecipeRepository, tmp_path: Path) -> None:
    recipes.plain("mine")
    rows = spack("repo", "list").lines
    assert [row.split()[0] for row in rows] == ["tiny", "venv"]
    other = tmp_path / "other-recipes"
    assert "other_recipes" in spack("repo", "create", other).out
    created = other / "spack_repo" / "other_recipes" / "repo.yaml"
    assert created.is_file()
    spack("repo", "add", other)
    assert [row.split()[0] for row in spack("repo", "list").lines] == [
        *("other_recipes", "tiny", "venv"),
    ]
    assert spack("list", "mine").lines == ["mine"]
    spack("repo", "remove", "tiny")
    assert spack("list", "mine", check=False).code == 1
    spack("repo", "remove", other)
    assert [row.split()[0] for row in spack("repo", "list").lines] == ["venv"]
    assert created.is_file(), "its files stay"
    assert recipes.path("mine").is_file()
    spack.fails("repo", "remove", "tiny", code=2)
    spack.fails("repo", "add", tmp_path / "nowhere")


def test_external_find(spack: Command) -> None:
    shown = spack("external", "find", "--dry-run").out
    assert re.search(r"^    python@3\.\d+\.\d+\S* +/usr/bin/python3", shown, re.M)
    file = spack.home.config / "packages.yaml"
    assert not file.exists()
    spack("external", "find", "python", "gcc")
    text = file.read_text()
    assert text.count("spec: python@") >= 1
    assert ("spec: gcc@" in text) is (shutil.which("gcc") is not None)
    assert "has everything that was found" in spack("external", "find", "python", "gcc").out
    assert file.read_text() == text
    assert "python" in spack("external", "list").lines
    assert "cannot detect" in spack.fails("external", "find", "py-click", code=2).err
    nothing = spack("external", "find", "--path", spack.home.stages, "cmake", check=False)
    assert nothing.code == 1


# -- output ------------------------------------------------------------------------------------


def test_output_ends_quietly_when_nothing_reads(small: Command) -> None:
    done = subprocess.run(
        ["sh", "-c", '"$0" "$@" | head -n 1', *small.argv(["list"])],
        env=small.variables(),
        capture_output=True,
        text=True,
    )
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr == ""


def test_colour_only_when_asked(small: Command) -> None:
    assert "\033[" not in small("find", "-l").text
    assert "\033[" in small("--color", "always", "find", "-l").out
    assert "\033[" in small("find", "-l", environ={"SPACK_COLOR": "always"}).out
    coloured = small("--color", "always", "find", "-lv").out
    assert re.sub(r"\033\[[\d;]*m", "", coloured) == small("find", "-lv").out


def test_quiet_and_debug(spack: Command, recipes: RecipeRepository) -> None:
    recipes.plain("one")
    assert spack("-q", "install", "one").err == ""
    failed = subprocess.run(
        spack.argv(["-d", "spec", "onn"]), env=spack.variables(), capture_output=True, text=True
    )
    assert failed.returncode == 1
    assert "reference: " in failed.stderr and "Traceback" in failed.stderr


def test_the_tool_runs_from_anywhere(small: Command, tmp_path: Path) -> None:
    """Through a link, with another directory as the current one, and with strange variables."""
    link = tmp_path / "spack link"
    link.symlink_to(small.root / "bin" / "spack")
    done = subprocess.run(
        [link, "find", "--format", "{name}", "top"],
        env={**small.variables(), "PYTHONPATH": "/nowhere", "PYTHONHOME": "/nowhere"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("top\n", "", 0)


def test_it_runs_under_this_interpreter(small: Command) -> None:
    """Whatever Python the tests run with can run the tool."""
    out = small("python", "-c", "import sys; print(sys.executable)", environ=this_python())
    assert Path(out.out.strip()).resolve() == Path(sys.executable).resolve()


def this_python() -> dict[str, str]:
    return {"SPACK_PYTHON": sys.executable}


def test_doctor(spack: Command) -> None:
    well = spack("doctor", "python", "headers", "compilers", "disk", "locks")
    assert "ok    locks" in well.out and "nothing is wrong" in well.out
    wrong = spack(
        "doctor", "-q", "variables", "certificates", check=False,
        environ={"PIP_CERT": "/no/such.pem", "PYTHONUSERBASE": "/x"},
    )  # fmt: skip
    assert wrong.code == 1
    assert "wrong certificates PIP_CERT names /no/such.pem" in wrong.out
    assert "mend: unset PIP_CERT" in wrong.out and "note  variables    PYTHONUSER" in wrong.out
    assert "there is no check teeth" in spack.fails("doctor", "teeth", code=2).err
