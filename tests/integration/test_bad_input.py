"""Bad input of every sort: a clear message with a hint, a status, and nothing changed on disk."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import textwrap
from pathlib import Path

import pytest

MODULE = "int main(void) { return 0; }\n"


@pytest.fixture
def unchanged(spack, recipes, tree_of):
    """Compares the install tree and the configuration before and after the test."""
    places = (spack.place.store, spack.place.config)
    caches = ("cache", "bootstrap")
    before = [tree_of(place, *caches) for place in places]
    yield
    assert [tree_of(place, *caches) for place in places] == before


@pytest.fixture
def unprivileged() -> tuple[str, ...]:
    """Words before a command that make permissions count, also for root."""
    if os.getuid() != 0:
        return ()
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv is missing, and root may write everywhere")
    drop = "-dac_override,-dac_read_search,-fowner"
    return ("setpriv", f"--bounding-set={drop}", f"--inh-caps={drop}")


# -- specs and configuration -------------------------------------------------------------------


@pytest.mark.usefixtures("unchanged")
def test_an_unknown_package_has_near_names(spack):
    for command in ("spec", "install", "info", "versions", "fetch"):
        result = spack.fails(command, "py-blakc")
        assert "py-blakc" in result.err
        assert "py-black" in result.err.partition("hint:")[2]


@pytest.mark.usefixtures("unchanged")
def test_several_unknown_packages_are_told_at_once(spack):
    result = spack.fails("install", "py-blakc", "py-isrot ^py-numbers")
    for name in ("py-blakc", "py-isrot", "py-numbers"):
        assert name in result.err


@pytest.mark.usefixtures("unchanged")
def test_an_unknown_dependency_in_a_recipe_has_its_place(spack, recipes):
    path = recipes.plain("top", "no-such-thing")
    result = spack.fails("install", "top")
    assert "no-such-thing" in result.err
    assert re.search(re.escape(str(path)) + r":\d+", result.err)


@pytest.mark.usefixtures("unchanged")
def test_an_impossible_version_names_near_ones(spack):
    result = spack.fails("install", "py-click@99")
    assert "py-click has no version 99" in result.err
    assert re.search(r"hint: .*\b8\.\d+\.\d+", result.err)


@pytest.mark.usefixtures("unchanged")
def test_clashing_constraints_name_both_sides(spack, recipes):
    one = recipes.plain("one", "base@1")
    two = recipes.plain("two", "base@2")
    top = recipes.plain("top", "one", "two")
    recipes.add("base", 'has_code = False\nversion("2")\nversion("1")\n')
    result = spack.fails("install", "top")
    for path in (one, two):
        assert re.search(re.escape(str(path)) + r":\d+", result.err), result.err
    assert "base@1" in result.err and "base@2" in result.err
    assert top.exists()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("py-black@@3", "@"),
        ("py-black@1:2:3", ":"),
        ("py-black %", "%"),
        ("py-black +", "+"),
        ("py-black ^", "^"),
        ("py-black $", "$"),
        ('py-black cflags="-O2', "="),
    ],
)
@pytest.mark.usefixtures("unchanged")
def test_a_malformed_spec_has_a_caret(spack, text, place):
    result = spack.fails("install", text)
    lines = result.err.splitlines()
    (number,) = [n for n, line in enumerate(lines) if set(line.strip()) == {"^"} and n > 1]
    column = lines[number].index("^")
    shown = lines[number - 1]
    assert text in shown
    assert column == len(shown) or shown[column] == place or shown[column - 1] == place


@pytest.mark.usefixtures("unchanged")
def test_wrong_usage_has_its_own_status(spack):
    assert "did you mean: install" in spack.fails("instal", code=2).err
    assert "--no-such" in spack.fails("find", "--no-such", code=2).err
    assert "-e" in spack.fails("install", code=2).err
    assert "confg" in spack.fails("-c", "confg:build_jobs:2", "find", code=2).err


def test_malformed_yaml_has_file_and_line(spack, tree_of):
    file = spack.place.config / "packages.yaml"
    file.write_text("packages:\n  all:\n    providers: [gcc\n  python: {}\n")
    before = tree_of(spack.place.home, "cache")
    result = spack.fails("install", "py-click")
    assert re.search(re.escape(str(file)) + r":\d+: ", result.err)
    assert tree_of(spack.place.home, "cache") == before


def test_all_mistakes_of_the_configuration_are_told_at_once(spack, tree_of):
    file = spack.place.config / "packages.yaml"
    file.write_text("packages:\n  python:\n    buildabel: false\n  gcc:\n    version: 12\n")
    other = spack.place.config / "concretizer.yaml"
    other.write_text("concretizer:\n  unify: perhaps\n")
    before = tree_of(spack.place.home, "cache")
    result = spack.fails("install", "py-click")
    assert f"{file}:3: " in result.err
    assert "buildable" in result.err, "a near name"
    assert f"{other}:2: " in result.err
    assert tree_of(spack.place.home, "cache") == before


def test_a_malformed_environment_has_file_and_line(spack, tree_of):
    folder = spack.place.home / "work"
    folder.mkdir()
    manifest = folder / "spack.yaml"
    for text, line in (
        ("spack:\n  specs: [py-click\n", r"\d+"),
        ("spack:\n  specs:\n  - py-click@@2\n", "3"),
        ("spack:\n  spesc:\n  - py-click\n", "2"),
        ("spack:\n  specs:\n  - py-clack\n", "3"),
    ):
        manifest.write_text(text)
        before = tree_of(spack.place.home, "cache", ".spack-env", ".spack-db")
        result = spack.fails("-e", folder, "install")
        assert re.search(re.escape(str(manifest)) + rf":{line}\b", result.err), result.err
        assert tree_of(spack.place.home, "cache", ".spack-env", ".spack-db") == before


@pytest.mark.usefixtures("unchanged")
def test_an_environment_that_is_not_there(spack, tmp_path):
    assert "nowhere" in spack.fails("-e", "nowhere", "install").err
    assert str(tmp_path) in spack.fails("-e", tmp_path, "install").err


IMPORTS = """\
from spack_repo.builtin.build_systems.generic import Package
from spack.package import *

"""


# -- recipes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("class Odd(Package):\n    version('1.0'\n", 5, "was never closed"),
        ("class Odd(Package):\n    version(number)\n", 5, "name 'number' is not defined"),
        ("class Odd(Package):\n    depends_on('aa@@')\n", 5, "unexpected"),
        ("class Odd(Package):\n    version('1.0', sha265='0')\n", 5, "sha265"),
        ("import nowhere_to_be_found\n", 4, "nowhere_to_be_found"),
        ("class Even(Package):\n    pass\n", 0, "defines no class Odd"),
    ],
)
@pytest.mark.usefixtures("unchanged")
def test_a_recipe_with_an_error_has_file_and_line(spack, recipes, text, line, message):
    path = recipes.write("odd", IMPORTS + text)
    result = spack.fails("install", "odd")
    assert message in result.err
    assert (f"{path}:{line}: " if line else f"{path}: ") in result.err


def test_a_broken_recipe_is_only_its_own_problem(spack, recipes):
    recipes.write("odd", "this is no Python\n")
    recipes.plain("good")
    assert spack("install", "good").code == 0
    assert "good" in spack("list", "good").lines


def test_an_error_in_install_has_file_and_line(spack, recipes, packages_of):
    path = recipes.plain("odd", install="raise_no_such_thing()\n")
    result = spack.fails("install", "odd")
    line = 1 + path.read_text()[: path.read_text().index("raise_no_such")].count("\n")
    assert f"{path}:{line}" in result.err
    assert "NameError: name 'raise_no_such_thing' is not defined" in result.err
    assert packages_of(spack.place.store) == {} or "odd" not in str(packages_of(spack.place.store))


# -- sources -----------------------------------------------------------------------------------


@pytest.fixture
def sources(spack) -> Path:
    """A source cache of its own for ``spack``."""
    file = spack.place.config / "config.yaml"
    file.write_text(
        re.sub(r"source_cache: .*", f"source_cache: {spack.place.sources}", file.read_text())
    )
    return spack.place.sources


def cached(sources: Path) -> list[str]:
    return [path.name for path in sources.rglob("*") if path.is_file()]


def test_a_wrong_checksum(spack, recipes, sources, packages_of):
    path = recipes.c_program("wrong", MODULE)
    true = re.search(r"[0-9a-f]{64}", path.read_text()).group()
    expected = "0123456789abcdef" * 4
    path.write_text(path.read_text().replace(true, expected))
    result = spack.fails("install", "wrong")
    assert expected in result.err and true in result.err, "both sums are shown"
    assert cached(sources) == [], "the file is deleted"
    assert not [name for name in packages_of(spack.place.store) if "/wrong-" in name]
    assert list(spack.place.stages.rglob("main.c")) == [], "nothing was unpacked"

    path.write_text(path.read_text().replace(expected, true))
    assert spack("install", "wrong").code == 0


def test_a_damaged_file_in_the_cache_is_fetched_again(spack, recipes, sources):
    recipes.c_program("plain", MODULE)
    spack("fetch", "plain")
    (file,) = [path for path in sources.rglob("*.tar.gz") if path.is_file()]
    file.chmod(0o644)
    file.write_bytes(file.read_bytes()[:100])
    assert spack("install", "plain").code == 0


@pytest.mark.parametrize(
    "damage", ["cut off", "not an archive", "escapes", "absolute", "bomb of links"]
)
def test_a_bad_archive(spack, recipes, sources, damage, packages_of):
    path = recipes.c_program("bad", MODULE)
    archive = recipes.archives / "bad-1.0.tar.gz"
    if damage == "cut off":
        archive.write_bytes(archive.read_bytes()[:-60])
    elif damage == "not an archive":
        archive.write_bytes(b"<html>please log in</html>\n")
    else:
        spoil(archive, damage)
    path.write_text(re.sub(r"[0-9a-f]{64}", recipes.checksum(archive), path.read_text()))
    before = set(recipes.root.parent.rglob("*escaped*"))
    result = spack.fails("install", "bad")
    assert "bad-1.0.tar.gz" in result.err
    assert not [name for name in packages_of(spack.place.store) if "/bad-" in name]
    assert set(recipes.root.parent.rglob("*escaped*")) == before
    assert not Path("/tmp/escaped-absolute").exists()


def spoil(archive: Path, how: str) -> None:
    """An archive with a member that leads out of it."""
    import tarfile

    with tarfile.open(archive, "w:gz") as file:
        if how == "bomb of links":
            link = tarfile.TarInfo("bad-1.0/out")
            link.type = tarfile.SYMTYPE
            link.linkname = "../../.."
            file.addfile(link)
        name = {
            "escapes": "bad-1.0/../../../escaped",
            "absolute": "/tmp/escaped-absolute",
            "bomb of links": "bad-1.0/out/escaped",
        }[how]
        file.addfile(tarfile.TarInfo(name))


def test_a_source_that_is_not_there(spack, recipes, sources):
    recipes.c_program("gone", MODULE)
    (recipes.archives / "gone-1.0.tar.gz").unlink()
    result = spack.fails("install", "gone")
    assert "gone-1.0.tar.gz" in result.err
    assert cached(sources) == []


def closed_port() -> int:
    """A port of this machine at which nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]


def nowhere() -> dict[str, str]:
    """Variables that send every request for the index to a closed port."""
    return {
        "PIP_INDEX_URL": f"http://127.0.0.1:{closed_port()}/simple",
        "PIP_EXTRA_INDEX_URL": "",
        "PIP_FIND_LINKS": "",
        "PIP_RETRIES": "0",
        "PIP_CONFIG_FILE": os.devnull,
        "http_proxy": "",
        "https_proxy": "",
    }


def test_no_network(spack, sources, packages_of):
    result = spack.fails("install", "py-click", environ=nowhere())
    assert "127.0.0.1" in result.err
    assert re.search(r"hint: .*(index|network|pip|proxy)", result.err)
    assert not [name for name in packages_of(spack.place.store) if "py-click" in name]
    assert cached(sources) == []


def test_no_network_at_the_first_start(copy_tree, spack, tmp_path):
    """The own dependencies cannot be brought: nothing is left, and the next start tries again."""
    fresh = copy_tree(tmp_path / "fresh")
    command = [str(fresh / "bin" / "spack"), "find"]
    done = subprocess.run(
        command, env=spack.variables(nowhere()), capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "hint: " in done.stderr
    assert "127.0.0.1" in done.stderr
    left = [path for path in (fresh / "var").rglob("*") if path.is_file() and path.name != ".lock"]
    assert left == []


# -- the disk ----------------------------------------------------------------------------------

BIG = """\
with open(prefix.big, "wb") as stream:
    for _ in range(16):
        stream.write(b"x" * (1 << 20))
"""


@pytest.fixture
def namespace() -> tuple[str, ...]:
    """Words before a command that may then mount; the mounts end with the command."""
    words = ("unshare", "-m") if os.getuid() == 0 else ("unshare", "-rm")
    try:
        tried = subprocess.run(
            [*words, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False
        )
    except FileNotFoundError:
        pytest.skip("unshare is missing")
    if tried.returncode != 0:
        pytest.skip("mounts in a namespace of one's own are not permitted here")
    return words


@pytest.mark.parametrize("full", ["store", "stages"])
def test_a_full_disk(spack, recipes, namespace, full, tmp_path):
    """The error says so, nothing is left behind, and with more room the same command succeeds."""
    where = getattr(spack.place, full)
    where.mkdir(exist_ok=True)
    recipes.plain("base")
    if full == "store":
        recipes.plain("big", "base", install=BIG)
    else:
        recipes.plain("big", "base", install=BIG.replace("prefix.big", "'big'"))
    command = " ".join(spack.argv(["install", "big"]))
    report = tmp_path / "report"
    script = textwrap.dedent(
        f"""\
        mount -t tmpfs -o size=8m none {where}
        {command} >{report}.1 2>&1
        echo $? >{report}.code
        find {spack.place.store} -not -path '*/.spack-db/*' >{report}.tree
        {spack.argv(["find"])[0]} find --format '{{name}}' >{report}.found
        mount -o remount,size=64m {where}
        {command} >{report}.2 2>&1 && {spack.argv(["find"])[0]} verify >>{report}.2 2>&1
        """
    )
    done = subprocess.run(
        [*namespace, "sh", "-c", script], env=spack.variables(), capture_output=True, text=True
    )
    first = report.with_name("report.1").read_text()
    print(first)
    assert report.with_name("report.code").read_text() == "1\n", first
    assert "No space left on device" in first
    assert re.search(r"hint: .*space", first)
    assert report.with_name("report.found").read_text() == "base\n"
    assert "/big" not in report.with_name("report.tree").read_text()
    second = report.with_name("report.2").read_text()
    assert done.returncode == 0, second + done.stderr
    assert "Installing base" not in second
    assert "0 with differences" in second


def test_a_limit_on_the_size_of_files(spack, recipes, packages_of):
    """What `ulimit -f` or a quota of a batch system does."""
    recipes.plain("big", install=BIG)
    result = spack.fails("install", "big", under=("sh", "-c", 'ulimit -f 8192; exec "$@"', "sh"))
    assert "File too large" in result.err
    assert packages_of(spack.place.store).keys() <= {"linux-" + "*"} or not [
        name for name in packages_of(spack.place.store) if "/big" in name
    ]


def test_an_install_tree_that_cannot_be_written(spack, recipes, unprivileged, tree_of):
    recipes.plain("one")
    spack.place.store.mkdir()
    spack.place.store.chmod(0o555)
    try:
        result = spack.fails("install", "one", under=unprivileged)
        assert str(spack.place.store) in result.err
        assert re.search(r"hint: .*install_tree", result.err)
        assert tree_of(spack.place.store) == {}
        assert spack("find", under=unprivileged).lines[-1] == "==> no installed packages"
    finally:
        spack.place.store.chmod(0o755)


def test_somebody_elses_install_tree_can_be_read(spack, recipes, unprivileged, tree_of):
    recipes.plain("one")
    recipes.plain("two", "one")
    spack("install", "one")
    subprocess.run(["chmod", "-R", "a-w", spack.place.store], check=True)
    try:
        before = tree_of(spack.place.store)
        assert spack("find", "--format", "{name}", under=unprivileged).lines == ["one"]
        assert spack("location", "-i", "one", under=unprivileged).out.startswith("/")
        assert "[+]" in spack("spec", "-I", "one", under=unprivileged).out
        for words in (("install", "two"), ("uninstall", "-y", "one"), ("reindex",)):
            result = spack.fails(*words, under=unprivileged)
            assert str(spack.place.store) in result.err
        assert tree_of(spack.place.store) == before
    finally:
        subprocess.run(["chmod", "-R", "u+w", spack.place.store], check=True)


def test_a_stage_that_cannot_be_written(spack, recipes, unprivileged):
    recipes.plain("one")
    spack.place.stages.chmod(0o555)
    try:
        only = f"config:build_stage::[{spack.place.stages}]"
        result = spack.fails("-c", only, "install", "one", under=unprivileged)
        assert str(spack.place.stages) in result.err
        assert re.search(r"hint: .*build_stage", result.err)
    finally:
        spack.place.stages.chmod(0o755)


def test_a_home_that_cannot_be_written(spack, recipes, unprivileged):
    """Caches are a convenience."""
    recipes.plain("one")
    file = spack.place.config / "config.yaml"
    text = file.read_text()
    file.write_text(re.sub(r" *misc_cache: .*\n", "", text))
    spack.place.config.chmod(0o555)
    try:
        assert "one@1.0" in spack("spec", "one", under=unprivileged).out
    finally:
        spack.place.config.chmod(0o755)


# -- interpreters ------------------------------------------------------------------------------


class Interpreter:
    """A Python in a prefix of its own, made of links, that lacks some of its parts."""

    def __init__(self, prefix: Path, lacks: tuple[str, ...]) -> None:
        import json

        asked = (
            "import json, os, sys, sysconfig; print(json.dumps([sys.version_info[:3], "
            "os.path.realpath(sys.executable), os.path.dirname(os.__file__), "
            "sysconfig.get_config_var('LIBDIR')]))"
        )
        answer = subprocess.run(
            ["/usr/bin/env", "-i", "PATH=/usr/bin:/bin", "python3", "-I", "-S", "-c", asked],
            capture_output=True,
            check=True,
            text=True,
        )
        version, executable, stdlib, libdir = json.loads(answer.stdout)
        self.version = ".".join(map(str, version))
        self.prefix = prefix
        name = Path(stdlib).name
        library = prefix / "lib" / name
        library.mkdir(parents=True)
        for entry in Path(stdlib).iterdir():
            if entry.name not in lacks:
                (library / entry.name).symlink_to(entry)
        for built in library.glob("_sysconfigdata_*.py"):
            text = built.read_text()
            built.unlink()
            built.write_text(
                f"{text}\nbuild_time_vars['INCLUDEPY'] = '{prefix}/include/{name}'\n"
                "build_time_vars['CONFINCLUDEPY'] = build_time_vars['INCLUDEPY']\n"
            )
        for shared in Path(libdir).glob("libpython3*"):
            (prefix / "lib" / shared.name).symlink_to(shared)
        (prefix / "bin").mkdir()
        shutil.copy(executable, prefix / "bin" / name)
        (prefix / "bin" / "python3").symlink_to(name)


@pytest.fixture
def poor_python(spack, tmp_path) -> Interpreter:
    """The only Python that ``spack`` may use: without venv, ensurepip and headers."""
    python = Interpreter(tmp_path / "poor", lacks=("venv", "ensurepip", "distutils"))
    spack("external", "find", "--not-buildable", "--path", python.prefix / "bin", "python")
    written = (spack.place.config / "packages.yaml").read_text()
    assert str(python.prefix) in written
    return python


def test_an_interpreter_without_headers(spack, recipes, poor_python, packages_of):
    source = recipes.archive(
        "ext-1.0",
        {
            "main.c": "#include <Python.h>\n",
            "Makefile": "all:\n\t$(CC) $(PYFLAGS) -c main.c\ninstall:\n",
        },
    )
    recipes.add(
        "ext",
        f'version("1.0", {source})\n'
        'extends("python")\ndepends_on("c", type="build")\n'
        "def setup_build_environment(self, env):\n"
        '    env.set("PYFLAGS", self.spec["python"].headers.include_flags)\n',
        base="MakefilePackage",
    )
    result = spack.fails("install", "ext")
    assert "Python.h" in result.err or "headers" in result.err
    assert re.search(r"hint: .*(headers|python3-dev|development)", result.err)
    assert str(poor_python.prefix) in result.err
    assert not [name for name in packages_of(spack.place.store) if "/ext-" in name]


def test_an_interpreter_without_venv_is_enough(spack, recipes, poor_python):
    """Nothing here needs the module: environments are made without it, and say so."""
    recipes.python_project("sweet", {"sweet.py": "x = 1\n"})
    spack("install", "py-sweet")
    venv = spack.prefix("python-venv")
    ran = subprocess.run(
        [venv / "bin" / "python3", "-c", "import sys; print(sys.prefix, sys.base_prefix)"],
        capture_output=True,
        check=True,
        text=True,
        env={},
    )
    assert ran.stdout.split() == [str(venv), str(poor_python.prefix)]


def test_an_interpreter_that_does_not_run(spack, recipes, tmp_path):
    broken = tmp_path / "broken" / "bin" / "python3"
    broken.parent.mkdir(parents=True)
    broken.write_text("#!/bin/sh\necho no libpython >&2\nexit 127\n")
    broken.chmod(0o755)
    (spack.place.config / "packages.yaml").write_text(
        "packages:\n  python:\n    buildable: false\n    externals:\n"
        f"    - spec: python@3.11.2\n      prefix: {broken.parent.parent}\n"
    )
    recipes.python_project("sweet", {"sweet.py": "x = 1\n"})
    result = spack.fails("install", "py-sweet")
    assert str(broken.parent) in result.err
