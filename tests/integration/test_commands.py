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

from spack.cli.main import COMMANDS, main

SWEET = "def main():\n    print('sweet')\n"


@pytest.fixture(scope="module")
def small(make_spack, make_recipes, tmp_path_factory):
    """``base``, ``top`` that needs it, ``prog`` in C and ``py-sweet``; tests leave it as it is."""
    home = tmp_path_factory.mktemp("small")
    spack = make_spack(home)
    recipes = make_recipes(spack, home / "tiny")
    recipes.plain("base")
    recipes.plain("top", "base")
    recipes.c_program("prog", "int main(void) { return 0; }\n", "base")
    recipes.python_project("sweet", {"sweet.py": SWEET})
    spack("install", "top", "prog", "py-sweet")
    return spack


#: What is installed in ``small`` beside externals.
INSTALLED = {"base", "top", "prog", "py-sweet", "python-venv", "compiler-wrapper"}
EXPLICIT = ["prog", "py-sweet", "top"]


# -- help --------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "help"])
def test_help_tells_what_it_is_for(command, capsys):
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


def test_the_overview_names_every_command(small):
    shown = small("help").out
    for command, (group, text) in COMMANDS.items():
        assert re.search(rf"^  {command} +{re.escape(text)}$", shown, re.M), command
        assert f"\n{group}:\n" in shown
    assert small("--help").out == shown
    assert small("help", "find").out == small("find", "--help").out
    assert small(check=False).code == 2


def test_version(small):
    assert small("--version").out == small("-V").out
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*\n", small("--version").out)


def test_an_unknown_command_and_option(small):
    assert "did you mean: find" in small.fails("fnid", code=2).err
    assert "spack find --help" in small.fails("find", "--wrong", code=2).err


# -- queries -----------------------------------------------------------------------------------


def test_find(small):
    assert set(small.names()) >= INSTALLED
    assert small.names("--explicit") == EXPLICIT
    assert set(small.names("--implicit")).isdisjoint(EXPLICIT)
    assert small.names("py-sweet") == ["py-sweet"]
    assert small.names("^base") == ["prog", "top"]
    assert "python" not in small.names("--no-externals")
    missing = small("find", "py-sour", check=False)
    assert (missing.code, missing.lines) == (1, ["==> no installed packages"])


def test_find_shows_more(small):
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


def test_spec(small):
    lines = small("spec", "-I", "-l", "-t", "-N", "top").lines
    assert re.match(r"\[\+]  \w{7}  \[ +]  tiny\.top@1\.0 build_system=generic", lines[0])
    assert re.match(r"\[\+]  \w{7}  \[b r ]  {5,}\^tiny\.base@1\.0", lines[1])
    assert small("spec", "--format", "{name}@{version}", "top").out == "top@1.0\n"
    data = json.loads(small("spec", "--json", "top").out)
    assert {node["name"] for node in data["nodes"].values()} == {"top", "base"}
    assert small("spec", "--yaml", "top").out.startswith("nodes:")
    fresh = small("spec", "-U", "top prog").lines
    assert len([line for line in fresh if not line.startswith(" ")]) >= 1
    assert " - " in small("spec", "-I", "py-click").out


def test_solve(small):
    shown = small("solve", "top").out
    assert re.search(r"^packages expanded: +\d+ of \d+ possible$", shown, re.M)
    assert re.search(r"^optimal: +yes$", shown, re.M)
    assert re.search(r"^seconds: +\d+\.\d+  \w+", shown, re.M)
    assert "^base@1.0" in shown


def test_info(small):
    shown = small("info", "py-click").out
    assert shown.startswith("py-click  (venv)\n")
    for heading in ("Homepage:", "Recipe:", "Versions:", "Variants:", "Dependencies (build):"):
        assert heading in shown
    assert "python@3.10:" in shown
    assert "Conflicts:" not in shown
    everything = small("info", "--all", "py-click").out
    assert len(everything) > len(shown)


def test_list(small):
    names = small("list").lines
    assert {"top", "py-click", "python"} <= set(names)
    assert names == sorted(names)
    assert small("list", "py-clic").lines == ["py-click"]
    assert set(small("list", "py-hatch*", "top").lines) >= {"py-hatchling", "top"}
    assert int(small("list", "--count").out) == len(names)
    assert "py-click" in small("list", "-d", "composable command line").lines
    assert small("list", "no-such-*", check=False).code == 1


def test_versions(small):
    from packaging.version import Version

    versions = [Version(line) for line in small("versions", "py-click").lines]
    assert len(versions) > 2
    assert versions == sorted(versions, reverse=True)
    assert small("versions", "--safe", "base").lines == []


def test_providers(small):
    assert {"c", "cxx", "fortran"} <= set(small("providers").lines)
    assert small("providers", "c").lines[0] == "gcc"
    assert small("providers", "c", "cxx").lines[0] == "c:"
    assert "not a virtual package" in small.fails("providers", "base").err


def test_location(small):
    top = small.prefix("top")
    assert (top / "bin" / "top").is_file()
    assert small("location", "top").out.strip() == str(top)
    assert small("location", "--store").out.strip() == str(small.place.store)
    recipe = Path(small("location", "-p", "py-click").out.strip())
    assert recipe == small.root / "packages" / "py_click"
    assert Path(small("location", "-r").out.strip()) == small.root
    assert small("location", "-b").out.startswith(str(small.place.stages))
    assert "no installed package matches" in small.fails("location", "-i", "py-click").err
    digest = small("find", "--format", "{hash:7}", "top").out.strip()
    assert small.prefix(f"/{digest}") == top


def test_logs(small):
    assert "prog" in small("logs", "prog").out
    path = Path(small("logs", "--path", "prog").out.strip())
    assert path == small.prefix("prog") / ".spack" / "spack-build-out.txt"
    assert "no build log" in small.fails("logs", "gcc").err


def test_arch(small):
    whole = small("arch").out.strip()
    parts = [small("arch", option).out.strip() for option in ("-p", "-o", "-t")]
    assert whole == "-".join(parts)
    assert parts[2] in small("arch", "--known-targets").lines
    assert small("arch", "-g").out.strip() in small("arch", "--known-targets").lines


def test_compilers(small):
    shown = small("compilers").out
    assert re.search(r"^gcc@\d+", shown, re.M)
    assert re.search(r"^    c +/\S+/\S*gcc\S*$", shown, re.M)
    assert small("compilers", "list").out == shown
    assert small("compiler").out == shown


# -- configuration -----------------------------------------------------------------------------


def test_config_get_and_blame(small):
    shown = small("config", "get", "config").out
    assert f"    root: {small.place.store}\n" in shown
    data = json.loads(small("config", "get", "--json", "config").out)
    assert data["config"]["install_tree"]["root"] == str(small.place.store)
    blamed = small("config", "blame", "config").out
    own = re.escape(str(small.place.config / "config.yaml"))
    assert re.search(rf"^{own}:3 +config:install_tree:root: ", blamed, re.M)
    assert re.search(r"^/\S+/etc/config.yaml:\d+ +config:build_jobs: \d+$", blamed, re.M)
    assert len(small("config", "blame").lines) > len(blamed.splitlines())
    over = small("-c", "config:build_jobs:3", "config", "blame", "config").out
    assert re.search(r"^command line\S* +config:build_jobs: 3$", over, re.M)


def test_config_get_reads_back(small, tmp_path):
    """What it prints is a file that says the same."""
    for section in small("config", "list").lines:
        shown = small("config", "get", section).out
        if shown:
            folder = tmp_path / section
            folder.mkdir()
            (folder / f"{section}.yaml").write_text(shown)
            assert small("-C", folder, "config", "get", section).code == 0, section
    assert "packages" in small("config", "list").lines
    names = [line.split()[0] for line in small("config", "scopes").lines]
    assert names[0] == "defaults" and "user" in names
    assert "sections: " in small.fails("config", "get", "confg", code=2).err


def test_repo(spack, recipes, tmp_path):
    recipes.plain("mine")
    rows = spack("repo", "list").lines
    assert [row.split()[0] for row in rows] == ["tiny", "venv"]
    other = tmp_path / "other-recipes"
    assert "other_recipes" in spack("repo", "create", other).out
    assert (other / "repo.yaml").is_file()
    spack("repo", "add", other)
    assert [row.split()[0] for row in spack("repo", "list").lines] == [
        *("other_recipes", "tiny", "venv"),
    ]
    assert spack("list", "mine").lines == ["mine"]
    spack("repo", "remove", "tiny")
    assert spack("list", "mine", check=False).code == 1
    spack("repo", "remove", other)
    assert [row.split()[0] for row in spack("repo", "list").lines] == ["venv"]
    assert (other / "repo.yaml").is_file(), "its files stay"
    assert recipes.path("mine").is_file()
    spack.fails("repo", "remove", "tiny", code=2)
    spack.fails("repo", "add", tmp_path / "nowhere")


def test_external_find(spack):
    shown = spack("external", "find", "--dry-run").out
    assert re.search(r"^    python@3\.\d+\.\d+\S* +/usr/bin/python3", shown, re.M)
    file = spack.place.config / "packages.yaml"
    assert not file.exists()
    spack("external", "find", "python", "gcc")
    text = file.read_text()
    assert text.count("spec: python@") >= 1 and "spec: gcc@" in text
    assert "has everything that was found" in spack("external", "find", "python", "gcc").out
    assert file.read_text() == text
    assert "python" in spack("external", "list").lines
    assert "cannot detect" in spack.fails("external", "find", "py-click", code=2).err
    nothing = spack("external", "find", "--path", spack.place.stages, "cmake", check=False)
    assert nothing.code == 1


# -- what changes the install tree -------------------------------------------------------------


@pytest.fixture
def tower(spack, recipes):
    """``top`` over ``middle`` over ``base``, and ``aside``; installed."""
    recipes.plain("base")
    recipes.plain("middle", "base")
    recipes.plain("top", "middle")
    recipes.plain("aside")
    spack("install", "top", "aside")
    return spack


def test_uninstall_refuses_while_something_needs_it(tower, packages_of):
    before = packages_of(tower.place.store)
    refused = tower.fails("uninstall", "-y", "base")
    assert "is needed by middle@1.0/" in refused.err
    assert "--dependents" in refused.err
    tower.fails("uninstall", "top", code=2)  # nobody is there to be asked
    assert packages_of(tower.place.store) == before

    gone = tower("uninstall", "-y", "--dependents", "middle").out
    assert "==> 2 packages removed" in gone
    assert set(tower.names()) == {"base", "aside"}
    left = {
        path.split("/")[1].split("-")[0] for path in packages_of(tower.place.store) if "/" in path
    }
    assert left == {"base", "aside"}
    assert "no installed package matches" in tower.fails("uninstall", "-y", "top").err


def test_uninstall_by_force_is_told_by_verify(tower):
    tower("uninstall", "-y", "--force", "base")
    assert set(tower.names()) == {"middle", "top", "aside"}
    tower("install", "top")
    assert set(tower.names()) == {"base", "middle", "top", "aside"}


def test_uninstall_needs_one_of_several(spack, recipes):
    recipes.add(
        "two",
        'has_code = False\nversion("2")\nversion("1")\n'
        "def install(self, spec, prefix):\n    mkdirp(prefix.bin)\n",
    )
    spack("install", "two@1")
    spack("install", "-U", "two@2")
    refused = spack.fails("uninstall", "-y", "two")
    assert "two@1" in refused.err and "two@2" in refused.err
    spack("uninstall", "-y", "two@1")
    assert spack("find", "--format", "{version}", "two").out == "2\n"
    spack("uninstall", "-y", "--all", "two")
    assert spack.names() == []


def test_gc(tower):
    assert "nothing to remove" in tower("gc", "-y").out
    tower("uninstall", "-y", "top")
    shown = tower("gc", "--dry-run").out
    assert "middle@1.0" in shown and "base@1.0" in shown and "aside" not in shown
    assert set(tower.names()) == {"base", "middle", "aside"}
    assert "==> 2 packages removed" in tower("gc", "-y").out
    assert tower.names() == ["aside"]


def test_gc_keeps_what_environments_need(tower):
    tower("env", "create", "keeper")
    tower("-e", "keeper", "add", "middle")
    tower("-e", "keeper", "install")
    tower("uninstall", "-y", "top")
    assert "middle" not in tower("gc", "-y").out
    assert set(tower.names()) == {"base", "middle", "aside"}
    tower("env", "remove", "-y", "keeper")
    tower("uninstall", "-y", "middle")
    tower("gc", "-y")
    assert tower.names() == ["aside"]


def test_gc_removes_build_dependencies(spack, recipes):
    recipes.c_program("prog", "int main(void) { return 0; }\n")
    spack("install", "prog")
    assert "compiler-wrapper" in spack.names()
    assert "nothing to remove" in spack("gc", "-y", "--keep-build").out
    spack("gc", "-y")
    assert set(spack.names("--no-externals")) == {"prog"}


def test_reindex_after_the_database_is_lost(tower):
    before = tower("find", "--json").out
    for file in (tower.place.store / ".spack-db").glob("index.sqlite*"):
        file.unlink()
    assert "4 packages are in the database" in tower("reindex").out
    assert tower("find", "--json").out == before


def test_a_damaged_database_is_told_of_and_mended(tower):
    file = tower.place.store / ".spack-db" / "index.sqlite"
    file.write_bytes(b"no database" * 1000)
    assert "spack reindex" in tower.fails("find").err
    assert "4 packages are in the database" in tower("reindex").out
    assert set(tower.names()) == {"base", "middle", "top", "aside"}


def test_verify_finds_what_was_changed(tower):
    assert tower("verify").out == "==> 4 packages checked, 0 with differences\n"
    prefix = tower.prefix("base")
    (prefix / "bin" / "base").write_text("changed\n")
    (prefix / "bin" / "new").write_text("")
    (tower.prefix("aside") / "bin" / "aside").unlink()
    result = tower("verify", check=False)
    assert result.code == 1
    assert "==> 4 packages checked, 2 with differences" in result.out
    assert re.search(r"^    bin/base: ", result.out, re.M)
    assert re.search(r"^    bin/new: ", result.out, re.M)
    assert re.search(r"^    bin/aside: ", result.out, re.M)
    assert tower("verify", "top").code == 0


def test_install_shows_where_it_is(spack, recipes):
    recipes.plain("one")
    shown = spack("install", "one").out
    assert f"is in {spack.prefix('one')}" in shown
    again = spack("install", "one").out
    assert "Installing" not in again and f"is in {spack.prefix('one')}" in again
    assert "one" in spack("install", "--dry-run", "one").out


def test_install_only_and_overwrite(spack, recipes):
    recipes.plain("base")
    recipes.plain("top", "base")
    spack("install", "--only", "dependencies", "top")
    assert spack.names() == ["base"]
    spack("install", "--only", "package", "top")
    assert set(spack.names()) == {"base", "top"}
    first = json.loads(spack("find", "--json", "top").out)[0]["installed_at"]
    assert "Installing top" in spack("install", "--overwrite", "top").out
    assert json.loads(spack("find", "--json", "top").out)[0]["installed_at"] != first
    recipes.plain("over", "missing-here")
    recipes.plain("missing-here")
    result = spack.fails("install", "--only", "package", "over")
    assert "missing-here" in result.err


# -- sources and builds ------------------------------------------------------------------------


def test_fetch_then_install_without_the_source(spack, recipes):
    recipes.c_program("prog", "int main(void) { return 0; }\n")
    own = ("-c", f"config:source_cache:{spack.place.sources}")
    assert "prog@1.0" in spack(*own, "fetch", "prog").out
    for archive in recipes.archives.iterdir():
        archive.unlink()
    spack(*own, "install", "prog")


def test_stage_and_clean(spack, recipes):
    recipes.c_program("prog", "int main(void) { return 0; }\n")
    shown = spack("stage", "prog").out
    source = Path(re.search(r"is in (\S+)$", shown.strip()).group(1))
    assert (source / "main.c").is_file()
    assert source.is_relative_to(spack.place.stages)
    assert "stage: 1 removed" in spack("clean").out
    assert not source.exists()
    assert "stage: 0 removed" in spack("clean", "--stage").out


def test_clean_all(spack, recipes):
    own = (
        *("-c", f"config:source_cache:{spack.place.sources}"),
        *("-c", f"config:misc_cache:{spack.place.home}/misc"),
    )
    recipes.c_program("prog", "int main(void) { return undeclared; }\n")
    spack(*own, "install", "prog", check=False)
    assert list(spack.place.sources.rglob("*.tar.gz"))
    assert list(spack.place.stages.rglob("main.c")), "the stage of a failed build stays"
    shown = spack(*own, "clean", "--all").out
    for what in ("stage", "downloads", "misc cache", "failures"):
        assert re.search(rf"{what}: [1-9]\d* removed", shown), what
    assert not list(spack.place.sources.rglob("*.tar.gz"))
    assert not list(spack.place.stages.rglob("main.c"))
    recipes.c_program("prog", "int main(void) { return 0; }\n")
    assert spack(*own, "install", "prog").code == 0


def test_build_env(small):
    shown = small("build-env", "prog").out
    assert re.search(r"^CC=/\S+/compiler-wrapper-\S+; export CC$", shown, re.M)
    assert not re.search(r"^(PYTHONPATH|VIRTUAL_ENV)=", shown, re.M)
    ran = small("build-env", "prog", "--", "sh", "-c", 'echo "[$CC]"')
    assert re.fullmatch(r"\[/\S+/compiler-wrapper-\S+]\n", ran.out)
    code = small("build-env", "prog", "--", "sh", "-c", "exit 7", check=False).code
    assert code == 7
    missing = small.fails("build-env", "py-click").err
    assert re.search(r"py-click@\S+ needs what is not installed: .*py-flit-core@", missing)
    assert "hint: spack install --only dependencies py-click" in missing


# -- shells ------------------------------------------------------------------------------------


def in_shell(spack, script: str, shell: str = "sh") -> list[str]:
    """The lines that a script prints; ``$spack`` is the command."""
    done = subprocess.run(
        [shell, "-euc", script, shell],
        env={**spack.variables(), "spack": str(spack.root / "bin" / "spack")},
        cwd=spack.cwd,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_load_and_unload(small, shell):
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is missing")
    lines = in_shell(
        small,
        """
        before=$PATH
        eval "$("$spack" load --sh top)"
        top; base
        "$spack" load --list
        eval "$("$spack" load --sh prog)"
        prog; top
        eval "$("$spack" unload --sh prog)"
        command -v prog || echo none
        top
        eval "$("$spack" unload --sh --all)"
        command -v base || echo none
        test "$PATH" = "$before" && echo same
        test -z "${PYTHONPATH+set}" && echo unset
        """,
        shell,
    )
    top = small("find", "--format", "{hash:7}", "top").out.strip()
    assert lines == [
        *("top 1.0", "base 1.0", f"top@1.0/{top}", "top 1.0", "none", "top 1.0"),
        *("none", "same", "unset"),
    ]


def test_load_of_a_python_package(small):
    """Its modules are found by the python of the loaded view, without PYTHONPATH."""
    lines = in_shell(
        small,
        """
        eval "$("$spack" load --sh py-sweet)"
        python3 -c 'import sweet, sys; sweet.main(); print(sys.prefix != sys.base_prefix)'
        echo "${PYTHONPATH-unset}"
        """,
    )
    assert lines == ["sweet", "True", "unset"]


def test_load_needs_a_shell(small):
    assert "setup-env.sh" in small.fails("load", "top", code=2).err
    assert "no installed package" in small.fails("load", "--sh", "py-click").err
    assert "not loaded" in small.fails("unload", "--sh", "top", code=2).err


def test_python(small, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\nfrom spack.package import Spec\n"
        "from spack_repo.venv.packages.py_click.package import PyClick\n"
        "print(sys.argv[1:], Spec('a@1:2').versions, PyClick.__name__)\n"
    )
    assert small("python", script, "one", "--two").out == "['one', '--two'] 1:2 PyClick\n"
    out = small("python", "-c", "from spack.package import Version; print(Version('1.2').up_to(1))")
    assert out.out == "1\n"
    assert "usage" in small("python", "-m", "json.tool", "--help").out
    failed = subprocess.run(
        small.argv(["python", "-c", "raise SystemExit(5)"]), env=small.variables(), check=False
    )
    assert failed.returncode == 5


# -- environments ------------------------------------------------------------------------------


def test_the_life_of_a_named_environment(spack, recipes):
    recipes.plain("base")
    recipes.plain("top", "base")
    recipes.plain("other")
    assert spack("env", "list").lines == []
    spack("env", "create", "work")
    assert spack("env", "list").lines == ["work"]
    folder = spack.place.home / "environments" / "work"
    assert (folder / "spack.yaml").is_file()

    spack("-e", "work", "add", "top", "other")
    status = spack("-e", "work", "env", "status").out
    assert "in environment work" in status
    assert re.search(r"^ -   top  \(not concretized\)$", status, re.M)
    spack("-e", "work", "concretize")
    assert "up to date" in spack("-e", "work", "concretize").out
    lock = json.loads((folder / "spack.lock").read_text())
    assert lock
    assert re.search(r"^ - +top +\w{7}$", spack("-e", "work", "env", "status").out, re.M)

    spack("-e", "work", "install")
    status = spack("-e", "work", "env", "status").out
    assert re.search(r"^\[\+] +top +\w{7}$", status, re.M)
    view = Path(re.search(r"^view default: (\S+)$", status, re.M).group(1))
    assert (view / "bin" / "top").is_file() and (view / "bin" / "base").is_file()
    assert set(spack.names()) == set(spack("-e", "work", "find", "--format", "{name}").lines)

    spack("-e", "work", "remove", "other")
    spack("-e", "work", "install")
    assert not (view / "bin" / "other").exists()
    assert "other" in spack.names(), "nothing is uninstalled"
    assert "other" not in spack("-e", "work", "find", "--format", "{name}").lines
    assert "no-such" in spack.fails("-e", "work", "remove", "no-such").err

    refused = spack("env", "remove", "work", check=False)
    assert refused.code == 2 and "--yes-to-all" in refused.err
    spack("env", "remove", "-y", "work")
    assert spack("env", "list").lines == []
    assert not folder.exists()
    assert "work" in spack.fails("-e", "work", "find").err


def test_a_view_is_made_again(spack, recipes):
    recipes.plain("one")
    folder = spack.place.home / "here"
    spack("env", "create", "--dir", folder)
    spack("-e", folder, "add", "one")
    assert "not concretized" in spack.fails("-e", folder, "env", "view", "regenerate", code=2).err
    spack("-e", folder, "install")
    (program,) = [path for path in folder.rglob("one") if path.parent.name == "bin"]
    view = program.parent.parent
    program.unlink()
    spack("-e", folder, "env", "view", "regenerate", "--force")
    assert program.exists()
    assert "up to date" in spack("-e", folder, "env", "view", "regenerate").out
    spack("-e", folder, "env", "view", "disable")
    assert not view.exists()
    spack("-e", folder, "env", "view", "enable")
    assert program.exists()


def test_activate_and_deactivate(spack, recipes):
    recipes.plain("one")
    spack("env", "create", "work")
    spack("-e", "work", "add", "one")
    spack("-e", "work", "install")
    lines = in_shell(
        spack,
        """
        before=$PATH
        eval "$("$spack" env activate --sh work)"
        one
        "$spack" env status | head -n 1
        "$spack" find --format '{name}'
        eval "$("$spack" env deactivate --sh)"
        command -v one || echo none
        echo "${SPACK_ENV-unset}"
        test "$PATH" = "$before" && echo same
        """,
    )
    folder = spack.place.home / "environments" / "work"
    assert lines == [
        *("one 1.0", f"==> in environment work ({folder})", "one"),
        *("none", "unset", "same"),
    ]
    assert spack("env", "status", check=False).code == 1
    assert "no environment is active" in spack.fails("env", "deactivate", "--sh", code=2).err


def test_the_shell_function(spack, recipes):
    """With share/setup-env.sh the commands that change the shell do so without eval."""
    recipes.plain("one")
    spack("install", "one")
    lines = in_shell(
        spack,
        """
        . "${spack%/bin/spack}/share/setup-env.sh"
        spack load one
        one
        spack unload one
        command -v one || echo none
        spack env create work >/dev/null
        spack env activate work
        spack add one >/dev/null
        spack install >/dev/null
        spack env deactivate
        spack env activate work
        one
        """,
    )
    assert lines == ["one 1.0", "none", "one 1.0"]


def test_install_into_an_environment_adds_the_spec(spack, recipes):
    recipes.plain("one")
    recipes.plain("two")
    spack("env", "create", "work")
    spack("-e", "work", "install", "one")
    assert "- one" in (spack.place.home / "environments" / "work" / "spack.yaml").read_text()
    spack("-e", "work", "install", "--no-add", "two", check=False)
    assert "- two" not in (spack.place.home / "environments" / "work" / "spack.yaml").read_text()
    assert "needs an active environment" in spack.fails("add", "one", code=2).err


def test_create_from_a_file(spack, recipes, tmp_path):
    recipes.plain("one")
    spack("env", "create", "work")
    spack("-e", "work", "add", "one")
    spack("-e", "work", "concretize")
    folder = spack.place.home / "environments" / "work"
    spack("env", "create", "again", folder / "spack.lock")
    assert "up to date" in spack("-e", "again", "concretize").out
    spack("env", "create", "--without-view", "plain", folder / "spack.yaml")
    spack("-e", "plain", "install")
    assert "view" not in spack("-e", "plain", "env", "status").out
    assert "already an environment named 'work'" in spack.fails("env", "create", "work").err
    spack.fails("env", "create", "bad/../name", tmp_path / "no.yaml")


# -- output ------------------------------------------------------------------------------------


def test_output_ends_quietly_when_nobody_reads(small):
    done = subprocess.run(
        ["sh", "-c", '"$0" "$@" | head -n 1', *small.argv(["list"])],
        env=small.variables(),
        capture_output=True,
        text=True,
    )
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr == ""


def test_colour_only_when_asked(small):
    assert "\033[" not in small("find", "-l").text
    assert "\033[" in small("--color", "always", "find", "-l").out
    assert "\033[" in small("find", "-l", environ={"SPACK_COLOR": "always"}).out
    coloured = small("--color", "always", "find", "-lv").out
    assert re.sub(r"\033\[[\d;]*m", "", coloured) == small("find", "-lv").out


def test_quiet_and_debug(spack, recipes):
    recipes.plain("one")
    assert spack("-q", "install", "one").err == ""
    failed = subprocess.run(
        spack.argv(["-d", "spec", "onn"]), env=spack.variables(), capture_output=True, text=True
    )
    assert failed.returncode == 1
    assert "reference: " in failed.stderr and "Traceback" in failed.stderr


def test_the_tool_runs_from_anywhere(small, tmp_path):
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


def test_it_runs_under_this_interpreter(small):
    """Whatever Python the tests run with can run the tool."""
    out = small("python", "-c", "import sys; print(sys.executable)", environ=this_python())
    assert Path(out.out.strip()).resolve() == Path(sys.executable).resolve()


def this_python() -> dict[str, str]:
    return {"SPACK_PYTHON": sys.executable}
