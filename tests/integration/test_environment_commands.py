"""Commands that change shells and environments."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from kits.command import Command
from kits.recipe_repository import RecipeRepository

# -- shells ------------------------------------------------------------------------------------


def in_shell(spack: Command, script: str, shell: str = "sh") -> list[str]:
    """Return the lines that a script prints; ``$spack`` is the command."""
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
def test_load_and_unload(small: Command, shell: str) -> None:
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


def test_load_of_a_python_package(small: Command) -> None:
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


def test_load_of_another_version(spack: Command, recipes: RecipeRepository) -> None:
    """It replaces the one that is loaded; what clashes in another way is refused."""
    recipes.plain("two", version="1.0")
    spack("install", "two")
    recipes.plain("two", version="2.0")
    spack("install", "two@2.0")
    recipes.plain("other", install='touch(mkdirp(prefix.bin) or prefix.bin.join("two"))\n')
    spack("install", "other")
    lines = in_shell(
        spack,
        """
        . "${spack%/bin/spack}/share/setup-env.sh"
        spack load two@1.0
        two
        spack load two@2.0
        two
        spack load --list
        spack load other 2>&1 || two
        spack load two@1.0 two@2.0
        two
        spack unload two
        command -v two || echo none
        """,
    )
    assert lines[:2] == ["two 1.0", "two 2.0"]
    assert lines[2].startswith("two@2.0/") and lines[-2:] == ["two 2.0", "none"]
    text = "\n".join(lines)
    assert "bin/two: other@1.0/" in text and "unload one of them: spack unload NAME" in text
    notes = spack("load", "--sh", "two@1.0", "two@2.0").err
    assert re.search(r"two@1.0/\w+ is unloaded: two@2.0/\w+ is loaded instead", notes)


def test_load_needs_a_shell(small: Command) -> None:
    assert "setup-env.sh" in small.fails("load", "top", code=2).err
    assert "no installed package" in small.fails("load", "--sh", "py-click").err
    assert "not loaded" in small.fails("unload", "--sh", "top", code=2).err


def test_python(small: Command, tmp_path: Path) -> None:
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


def test_the_life_of_a_named_environment(spack: Command, recipes: RecipeRepository) -> None:
    recipes.plain("base")
    recipes.plain("top", "base")
    recipes.plain("other")
    assert spack("env", "list").lines == []
    spack("env", "create", "work")
    assert spack("env", "list").lines == ["work"]
    folder = spack.home.path / "environments" / "work"
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
    (path,) = re.findall(r"^view default: (\S+)$", status, re.M)
    view = Path(path)
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


def test_a_view_is_made_again(spack: Command, recipes: RecipeRepository) -> None:
    recipes.plain("one")
    folder = spack.home.path / "here"
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


def test_activate_and_deactivate(spack: Command, recipes: RecipeRepository) -> None:
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
    folder = spack.home.path / "environments" / "work"
    assert lines == [
        *("one 1.0", f"==> in environment work ({folder})", "one"),
        *("none", "unset", "same"),
    ]
    assert "no environment is active" in spack("env", "status").text
    assert "no environment is active" in spack.fails("env", "deactivate", "--sh", code=2).err


def test_the_shell_function(spack: Command, recipes: RecipeRepository) -> None:
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


SOURCING = {
    "bash": ('. "{root}/share/setup-env.sh"', 'test "$PATH" = "{path}"'),
    "dash": ('. "{root}/share/setup-env.sh"', 'test "$PATH" = "{path}"'),
    "zsh": ('. "{root}/share/setup-env.sh"', 'test "$PATH" = "{path}"'),
    "fish": ('source "{root}/share/setup-env.fish"', 'test (string join : $PATH) = "{path}"'),
    "tcsh": ('source "{root}/share/setup-env.csh"', 'test "$PATH" = "{path}"'),
}


@pytest.mark.parametrize("shell", SOURCING)
def test_an_environment_whose_python_does_not_run_spack(
    spack: Command, recipes: RecipeRepository, shell: str
) -> None:
    """The tool runs with the Python of the shell's set-up, and can be left."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is missing")
    recipes.python_project("sweet", {"sweet.py": ""})
    spack("env", "create", "stack")
    spack("-e", "stack", "add", "py-sweet")
    spack("-e", "stack", "install")
    view = spack.home.path / "environments/stack/.spack-env/view"
    for program in view.glob("bin/python*"):
        program.unlink()
        program.write_text("#!/bin/sh\necho the Python of the view; exit 3\n")
        program.chmod(0o755)
    source, same = SOURCING[shell]
    path = f"{spack.root}/bin:{spack.environ['PATH']}"
    script = "\n".join(
        [
            source.format(root=spack.root),
            "spack env activate stack; python3; spack env status",
            "spack env deactivate",
            same.format(path=path) + " && echo left",
        ]
    )
    done = subprocess.run(
        [shell, "-c", script], env=spack.variables(), cwd=spack.cwd, capture_output=True, text=True
    )
    assert done.stdout.splitlines()[0] == "the Python of the view", done
    assert "in environment stack" in done.stdout and done.stdout.endswith("left\n"), done
    without_setup = {**spack.variables(), "PATH": f"{view}/bin:{spack.environ['PATH']}"}
    argv = [str(spack.root / "bin/spack"), "--version"]
    found = subprocess.check_output(argv, env=without_setup, text=True)
    assert "Python" not in found


def test_install_into_an_environment_adds_the_spec(
    spack: Command, recipes: RecipeRepository
) -> None:
    recipes.plain("one")
    recipes.plain("two")
    spack("env", "create", "work")
    spack("-e", "work", "install", "one")
    assert "- one" in (spack.home.path / "environments" / "work" / "spack.yaml").read_text()
    spack("-e", "work", "install", "--no-add", "two", check=False)
    assert "- two" not in (spack.home.path / "environments" / "work" / "spack.yaml").read_text()
    assert "needs an active environment" in spack.fails("add", "one", code=2).err


def test_create_from_a_file(spack: Command, recipes: RecipeRepository, tmp_path: Path) -> None:
    recipes.plain("one")
    spack("env", "create", "work")
    spack("-e", "work", "add", "one")
    spack("-e", "work", "concretize")
    folder = spack.home.path / "environments" / "work"
    spack("env", "create", "again", folder / "spack.lock")
    assert "up to date" in spack("-e", "again", "concretize").out
    spack("env", "create", "--without-view", "plain", folder / "spack.yaml")
    spack("-e", "plain", "install")
    assert "view" not in spack("-e", "plain", "env", "status").out
    assert "already an environment named 'work'" in spack.fails("env", "create", "work").err
    spack.fails("env", "create", "bad/../name", tmp_path / "no.yaml")


def test_what_an_environment_shows_stays(
    spack: Command, recipes: RecipeRepository, tmp_path: Path
) -> None:
    """Its view would lead nowhere; with --force it does, and says so."""
    recipes.plain("below")
    recipes.plain("shown", "below")
    location = tmp_path / "here"
    spack("env", "create", "--dir", location)
    spack("-e", location, "add", "shown")
    spack("-e", location, "install")
    for words in (("shown",), ("--dependents", "below")):
        refused = spack.fails("uninstall", "-y", *words).err
        assert re.search(rf"shown@1.0/\w+ is wanted by the environment {location}$", refused, re.M)
        assert "--force" in refused
    assert set(spack.names()) == {"below", "shown"}
    assert "all as they were made" in spack("-e", location, "view", "verify").out

    spack("uninstall", "-y", "--force", "shown")
    broken = spack("-e", location, "view", "verify", check=False).out
    assert re.search(r"^dangling  bin/shown  \(shown@", broken, re.M)
    assert "`spack install` installs again" in broken
    status = spack("view", "status", location / ".spack-env" / "view").out
    assert re.search(r"broken +0 missing, 0 modified, 1 dangling", status)
    spack("-e", location, "install")
    assert "all as they were made" in spack("-e", location, "view", "verify").out

    spack("-e", location, "remove", "shown")
    spack("-e", location, "install")
    spack("uninstall", "-y", "shown")


def test_a_damaged_archive_of_a_view(
    spack: Command, recipes: RecipeRepository, tmp_path: Path
) -> None:
    recipes.plain("packed")
    spack("env", "create", "--dir", tmp_path / "here")
    spack("-e", tmp_path / "here", "add", "packed")
    spack("-e", tmp_path / "here", "install")
    for kind in ("tar.gz", "tar.xz"):
        whole = tmp_path / f"whole.{kind}"
        spack("-e", tmp_path / "here", "env", "pack", whole)
        content = whole.read_bytes()
        for number, damaged in enumerate((content[:400], content[:300] + b"no" + content[302:])):
            broken = tmp_path / f"broken{number}.{kind}"
            broken.write_bytes(damaged)
            result = spack.fails("env", "unpack", broken, tmp_path / "there")
            assert "cannot be unpacked" in result.err and "Traceback" not in result.err
            assert not (tmp_path / "there").exists() and not list(tmp_path.glob(".there*"))


@pytest.mark.parametrize(
    ("view", "said"),
    [
        ("{default: {root: x, projections: {all: '{nosuch}'}}}", "no attribute 'nosuch'"),
        ("{default: {root: x, projections: {all: '../{name}'}}}", "leads out of the view: ../base"),
        ("{default: {root: x, projections: {'base@@': '{name}'}}}", "unexpected '@@'"),
        ("{default: {root: x, projections: {all: .spack-view/x}}}", "a name of the view's own"),
        ("{default: {root: x, projections: {all: ./pyvenv.cfg}}}", "a name of the view's own"),
        ('{default: {root: x, projections: {all: "a\\tb"}}}', "that file names do not have"),
        ("{default: {root: x, projections: {all: $HOME/x}}}", "names a variable"),
        ("/", "holds the install tree"),
        ("''", "holds the environment"),
    ],
)
def test_a_view_that_cannot_be_is_refused_before_anything_is_built(
    spack: Command, recipes: RecipeRepository, tmp_path: Path, view: str, said: str
) -> None:
    recipes.plain("base")
    file = tmp_path / "here" / "spack.yaml"
    file.parent.mkdir()
    file.write_text(f"spack:\n  specs: [base]\n  view: {view}\n")
    refused = spack.fails("-e", file.parent, "install").err
    assert f"{file}:3: " in refused and said in refused
    assert spack.names() == [] and not list(file.parent.glob("*x*"))


def test_projections_are_folders_however_they_are_written(
    spack: Command, recipes: RecipeRepository, tmp_path: Path
) -> None:
    recipes.plain("base")
    file = tmp_path / "here" / "spack.yaml"
    file.parent.mkdir()
    for written, folder in {".": "", "./": "", "": "", "a//b/": "a/b", "{name}/.": "base"}.items():
        shown = f"  view: {{default: {{root: v, projections: {{all: '{written}'}}}}}}\n"
        file.write_text(f"spack:\n  specs: [base]\n{shown}")
        spack("-e", file.parent, "install")
        assert (file.parent / "v" / folder / "bin" / "base").exists(), written
        assert "all as they were made" in spack("-e", file.parent, "view", "verify").out


def test_what_is_used_is_not_removed(
    spack: Command, recipes: RecipeRepository, tmp_path: Path
) -> None:
    spack("env", "create", "work")
    spack("-e", "work", "concretize")
    active = {"SPACK_ENV": str(spack.home.path / "environments" / "work")}
    refused = spack.fails("env", "remove", "-y", "work", environ=active).err
    assert "cannot remove work: it is the active environment" in refused
    spack("env", "create", "user", "--include-concrete", "work")
    refused = spack.fails("env", "remove", "-y", "work").err
    assert "cannot remove work: it is included by user" in refused and "--force" in refused
    spack("env", "remove", "-y", "--force", "work")
    (spack.home.path / "environments" / "user" / "spack.yaml").write_text("spack: {view: [x]}\n")
    spack("env", "remove", "-y", "user")
    assert spack("env", "list").lines == []


def test_the_configuration_of_one_command_finds_environments(
    spack: Command, recipes: RecipeRepository, tmp_path: Path
) -> None:
    place = ("-c", f"config:environments_root:{tmp_path}")
    spack(*place, "env", "create", "work")
    assert (tmp_path / "work" / "spack.yaml").exists()
    assert spack(*place, "env", "list").lines == ["work"] and spack("env", "list").lines == []


def test_an_empty_name(spack: Command, recipes: RecipeRepository) -> None:
    spack.fails("env", "create", "", code=2)
    for command in (("-e", "", "find"), ("-D", "", "find"), ("env", "activate", "--sh", "")):
        refused = spack.fails(*command).err
        assert "the name of the environment is empty" in refused and "variable" in refused
    assert spack("env", "list").lines == []


def test_the_active_environment_was_moved(
    spack: Command, recipes: RecipeRepository, tmp_path: Path
) -> None:
    spack("env", "create", "--dir", tmp_path / "here")
    active = {"SPACK_ENV": str(tmp_path / "here")}
    (tmp_path / "here").rename(tmp_path / "there")
    refused = spack.fails("find", environ=active).err
    assert "the active environment is missing" in refused and "env deactivate" in refused
    assert "SPACK_ENV" in spack("env", "deactivate", "--sh", environ=active).out
