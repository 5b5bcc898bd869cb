"""README's first command, and what it leaves: a view that is a virtual environment."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import textwrap
from pathlib import Path

import pytest

from kits.command import Style, TakeSnapshot
from kits.transcripts import compared, page_steps, run_page

pytestmark = pytest.mark.slow

TOOLS = ("black", "isort", "flake8", "mypy")


def run(
    *words: object, cwd: Path, home: Path, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Return a program as a user runs it that has nothing set."""
    done = subprocess.run(
        [str(word) for word in words],
        env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


def test_readme_names_the_command(style: Style) -> None:
    readme = (style.spack.root / "README.md").read_text()
    commands = re.findall(r"^\$ (.*)", readme, re.M)
    assert commands[0] == "bin/spack -e share/environments/style install"
    assert commands[1] == "share/environments/style/view/bin/black --version"


def test_the_command_takes_the_user_through(style: Style) -> None:
    out = style.result.text
    assert "Fetching spack's own dependencies, once" in out
    assert re.search(r"==> concretized 4 specs, \d+ packages in all", out)
    assert re.search(r"==> \d+ packages to build, 0 present, \d+ external", out)
    for tool in TOOLS:
        assert re.search(rf"==> Installing py-{tool}@\S+/\w{{7}}\n", out), tool
        assert re.search(rf"==> py-{tool}@\S+: /\S+ \([\dms .]+\)\n", out), tool
    assert f"==> the view {style.view} shows" in out
    assert "Warning" not in out


def test_a_second_run_does_nothing(style: Style, tree_of: TakeSnapshot) -> None:
    looked = "checked.json"  # what a look at the view found; it spares the next one
    before = tree_of(style.view, looked)
    again = style("-e", "share/environments/style", "install")
    assert "Installing" not in again.text
    assert "dependencies" not in again.text
    assert tree_of(style.view, looked) == before


@pytest.mark.parametrize("tool", TOOLS)
def test_each_tool_reports_its_version(style: Style, tool: str, tmp_path: Path) -> None:
    version = style("find", "--format", "{version}", f"py-{tool}").out.strip()
    assert (
        version in run(style.view / "bin" / tool, "--version", cwd=tmp_path, home=tmp_path).stdout
    )


def test_the_tools_work_on_a_real_file(style: Style, tmp_path: Path) -> None:
    file = tmp_path / "sample.py"
    file.write_text("import sys\nimport os\ndef f( a:int )->str:\n  return a\n")
    programs = style.view / "bin"

    def tool(name: str, *words: str) -> subprocess.CompletedProcess[str]:
        return run(programs / name, *words, file, cwd=tmp_path, home=tmp_path, check=False)

    assert tool("isort").returncode == 0
    assert file.read_text().startswith("import os\nimport sys\n")
    assert tool("black").returncode == 0
    assert "def f(a: int) -> str:\n    return a\n" in file.read_text()

    reported = tool("flake8")
    assert reported.returncode == 1
    assert "F401 'os' imported but unused" in reported.stdout

    checked = tool("mypy", "--strict")
    assert checked.returncode == 1
    assert 'Incompatible return value type (got "int", expected "str")' in checked.stdout

    file.write_text('def f(a: int) -> str:\n    return f"{a}"\n')
    for name in ("flake8", "mypy"):
        assert tool(name).returncode == 0, name


@pytest.mark.parametrize("shell", ["bash", "dash"])
def test_activate_makes_it_the_python_of_the_shell(
    style: Style, shell: str, tmp_path: Path
) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is missing")
    script = textwrap.dedent(
        """\
        set -eu
        . "$1/bin/activate"
        python -c '
        import black, isort, flake8, mypy, sys, os
        assert sys.prefix != sys.base_prefix, (sys.prefix, sys.base_prefix)
        assert os.path.samefile(sys.prefix, sys.argv[1])
        assert "PYTHONPATH" not in os.environ
        ' "$1"
        command -v black
        test -z "${PYTHONPATH+set}"
        deactivate
        command -v black || echo none
        """
    )
    done = run(shell, "-c", script, shell, style.view, cwd=tmp_path, home=tmp_path)
    assert done.stdout.splitlines() == [str(style.view / "bin" / "black"), "none"]


def test_the_view_shows_its_packages_and_no_other_ones(style: Style, tmp_path: Path) -> None:
    """Not the base interpreter's, and no build tool of the packages in it."""
    listed = run(
        style.view / "bin" / "python3",
        "-c",
        "import importlib.metadata as m; print(*sorted(d.name for d in m.distributions()))",
        cwd=tmp_path,
        home=tmp_path,
    ).stdout.split()
    assert {"black", "isort", "flake8", "mypy", "click", "pyflakes"} <= set(listed)
    assert not {"pip", "flit_core", "hatchling", "setuptools", "wheel"} & set(listed)
    assert len(listed) == len(set(listed))


def test_find_lists_the_nodes(style: Style) -> None:
    found = style("find", "-lv")
    lines = found.lines
    rows = [line.split() for line in lines if re.match(r"\w{7} ", line)]
    names = {row[1].partition("@")[0] for row in rows}
    assert {"python", "python-venv", *(f"py-{tool}" for tool in TOOLS)} <= names
    assert len(rows) > 25
    assert lines[0].startswith("-- linux-")
    assert found.err == f"==> {len(rows)} installed packages\n"
    assert all(row[-1] == "[external]" for row in rows if row[1].startswith(("python@", "gcc@")))
    assert any(
        row[1:] == ["python-venv@1.0~system_packages", "build_system=generic"] for row in rows
    )


def test_every_extension_keeps_the_scheme(style: Style) -> None:
    """On Debian the interpreter's own default is local/lib/python3.X/dist-packages."""
    rows = json.loads(style("find", "--json", "--no-externals").out)
    extensions = [row for row in rows if row["name"].startswith("py-")]
    assert len(extensions) > 20
    for row in extensions:
        prefix = Path(row["prefix"])
        (library,) = (prefix / "lib").iterdir()
        assert re.fullmatch(r"python3\.\d+t?", library.name)
        assert [entry.name for entry in library.iterdir()] == ["site-packages"], prefix
        assert {entry.name for entry in prefix.iterdir()} <= {
            ".spack", "bin", "lib", "lib64", "include", "share", "man", "etc",
        }  # fmt: skip
        files = [Path(folder, name) for folder, _, names in os.walk(prefix) for name in names]
        parts = {part for file in files for part in file.relative_to(prefix).parts[:-1]}
        assert not parts & {"local", "dist-packages"}, prefix
        assert list((library / "site-packages").glob("*.dist-info")), prefix
        for program in (prefix / "bin").glob("*"):
            assert not program.name.startswith("python"), program
            assert os.access(program, os.X_OK), program


def test_nothing_names_the_stage(style: Style) -> None:
    """What is installed says nothing of where it was built."""
    stages = style.spack("location", "-S").out.strip().encode()
    for folder, _, names in os.walk(style.store):
        if ".spack" in Path(folder).parts or ".spack-db" in Path(folder).parts:
            continue
        for name in names:
            file = Path(folder, name)
            if file.is_file() and not file.is_symlink() and not name.endswith((".pyc", ".so")):
                assert stages not in file.read_bytes(), file


def test_files_are_as_recorded(style: Style) -> None:
    assert style("verify").lines[-1].endswith(" packages checked, 0 with differences")
    metadata = next(style.store.glob("*/py-click-*/lib/python3*/site-packages/click-*.dist-info"))
    assert (metadata / "INSTALLER").read_text() == "spack\n"
    assert not (metadata / "direct_url.json").exists()


def test_spec_as_a_tree(style: Style) -> None:
    lines = style("spec", "-Il", "py-black").lines
    assert re.match(
        r"\[\+]  \w{7}  py-black@\S+ build_system=python_wheel platform=linux", lines[0]
    )
    nodes = {line.split("^")[1].split("@")[0] for line in lines[1:]}
    assert {"py-click", "python", "python-venv"} <= nodes
    assert all(line.startswith(("[+]", "[e]")) for line in lines), "all of it is installed"
    assert len(lines) == len({re.sub(r"^.{14}\s*\^?", "", line) for line in lines})


def test_spec_as_json_says_the_same(style: Style) -> None:
    shown = style("spec", "-L", "py-black").lines
    nodes = json.loads(style("spec", "--json", "py-black").out)["spec"]["nodes"]
    assert (nodes[0]["name"], nodes[0]["hash"]) == ("py-black", shown[0].split()[0])
    assert {node["hash"] for node in nodes} == {line.split()[0] for line in shown}


def test_spec_is_quick_once_warm(style: Style) -> None:
    """The goal is half a second; a shared machine gets room, and the best of five counts."""
    times = [style("spec", "py-black").seconds for _ in range(5)]
    assert min(times) < 1.5, times


def test_an_impossible_spec_is_explained(style: Style) -> None:
    result = style.spack.fails("spec", "py-black ^python@3.8")
    assert "python@3.8 is asked for (command line)" in result.err
    assert "there is only" in result.err
    assert "packages/py_black/package.py:" in result.err
    assert "spack external find python" in result.err


def test_contradicting_constraints_are_explained(style: Style) -> None:
    result = style.spack.fails("spec", "py-black@24: ^py-click@:7")
    assert "py-click" in result.err


def test_a_view_can_be_moved(style: Style, tmp_path: Path) -> None:
    """With links into the store; moved, everything in it still runs."""
    moved = tmp_path / "else where"
    shutil.copytree(style.view, moved, symlinks=True)
    for tool in TOOLS:
        run(moved / "bin" / tool, "--version", cwd=tmp_path, home=tmp_path)
    prefix = run(
        moved / "bin" / "python", "-c", "import sys; print(sys.prefix)", cwd=tmp_path, home=tmp_path
    ).stdout.strip()
    assert prefix == str(moved)


def test_the_session_of_readme_is_a_real_one(style: Style) -> None:
    """Its first command was run in a fresh copy; the other commands follow it."""
    readme = (style.spack.root / "README.md").read_text(encoding="utf-8")
    home = style.spack.home.path
    names = {str(home): "~", str(style.spack.root): "~/spack-venv"}
    first, *rest = page_steps(readme)
    assert compared(first, style.result.out, style.result.code, names) is None
    text = readme.partition(first.command)[2].partition("\n$ ")[2]
    variables = {**style.spack.variables(), "SPACK_COLOR": "never"}
    problems = run_page(f"```console\n$ {text}", variables, home, names, cwd=style.spack.root)
    assert not problems, "\n\n".join(problems)
    assert len(rest) > 5
