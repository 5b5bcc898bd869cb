"""Bad input of every sort: a clear message with a hint, a status, and nothing changed on disk."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kits.command import Command, Snapshot, TakeSnapshot
from kits.recipe_repository import RecipeRepository

MODULE = "int main(void) { return 0; }\n"


@pytest.fixture
def unchanged(spack: Command, recipes: RecipeRepository, tree_of: TakeSnapshot) -> Iterator[None]:
    """Compare the install tree and the configuration before and after the test."""
    locations = (spack.home.store, spack.home.config)
    caches = ("cache", "bootstrap")
    before = [tree_of(location, *caches) for location in locations]
    yield
    assert [tree_of(location, *caches) for location in locations] == before


# -- specs and configuration -------------------------------------------------------------------


@pytest.mark.usefixtures("unchanged")
def test_an_unknown_package_has_suggestions(spack: Command) -> None:
    for command in ("spec", "install", "info", "versions", "fetch"):
        result = spack.fails(command, "py-blakc")
        assert "py-blakc" in result.err
        assert "py-black" in result.err.partition("hint:")[2]


@pytest.mark.usefixtures("unchanged")
def test_several_unknown_packages_are_reported_at_once(spack: Command) -> None:
    result = spack.fails("install", "py-blakc", "py-isrot ^py-numbers")
    for name in ("py-blakc", "py-isrot", "py-numbers"):
        assert name in result.err


@pytest.mark.usefixtures("unchanged")
def test_an_unknown_dependency_in_a_recipe_has_its_location(
    spack: Command, recipes: RecipeRepository
) -> None:
    path = recipes.plain("top", "no-such-thing")
    result = spack.fails("install", "top")
    assert "no-such-thing" in result.err
    assert re.search(re.escape(str(path)) + r":\d+", result.err)


@pytest.mark.usefixtures("unchanged")
def test_an_impossible_version_names_suggestions(spack: Command) -> None:
    result = spack.fails("install", "py-click@99")
    assert "py-click has no version 99" in result.err
    assert re.search(r"hint: .*\b8\.\d+\.\d+", result.err)


@pytest.mark.usefixtures("unchanged")
def test_clashing_constraints_name_both_sides(spack: Command, recipes: RecipeRepository) -> None:
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
    ("text", "location"),
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
def test_a_malformed_spec_has_a_caret(spack: Command, text: str, location: str) -> None:
    result = spack.fails("install", text)
    lines = result.err.splitlines()
    (number,) = [n for n, line in enumerate(lines) if set(line.strip()) == {"^"} and n > 1]
    column = lines[number].index("^")
    shown = lines[number - 1]
    assert text in shown
    assert column == len(shown) or shown[column] == location or shown[column - 1] == location


@pytest.mark.usefixtures("unchanged")
def test_wrong_usage_has_its_own_status(spack: Command) -> None:
    assert "did you mean: install" in spack.fails("instal", code=2).err
    assert "--no-such" in spack.fails("find", "--no-such", code=2).err
    assert "-e" in spack.fails("install", code=2).err
    assert "confg" in spack.fails("-c", "confg:build_jobs:2", "find", code=2).err


def test_malformed_yaml_has_file_and_line(spack: Command, tree_of: TakeSnapshot) -> None:
    file = spack.home.config / "packages.yaml"
    file.write_text("packages:\n  all:\n    providers: [gcc\n  python: {}\n")
    before = tree_of(spack.home.path, "cache")
    result = spack.fails("install", "py-click")
    assert re.search(re.escape(str(file)) + r":\d+: ", result.err)
    assert tree_of(spack.home.path, "cache") == before


def test_all_mistakes_of_the_configuration_are_reported_at_once(
    spack: Command, tree_of: TakeSnapshot
) -> None:
    file = spack.home.config / "packages.yaml"
    file.write_text("packages:\n  python:\n    buildabel: false\n  gcc:\n    version: 12\n")
    other = spack.home.config / "concretizer.yaml"
    other.write_text("concretizer:\n  unify: perhaps\n")
    before = tree_of(spack.home.path, "cache")
    result = spack.fails("install", "py-click")
    assert f"{file}:3: " in result.err
    assert "buildable" in result.err, "a near name"
    assert f"{other}:2: " in result.err
    assert tree_of(spack.home.path, "cache") == before


def test_a_malformed_environment_has_file_and_line(spack: Command, tree_of: TakeSnapshot) -> None:
    folder = spack.home.path / "work"
    folder.mkdir()
    manifest = folder / "spack.yaml"
    for text, line in (
        ("spack:\n  specs: [py-click\n", r"\d+"),
        ("spack:\n  specs:\n  - py-click@@2\n", "3"),
        ("spack:\n  spesc:\n  - py-click\n", "2"),
        ("spack:\n  specs:\n  - py-clack\n", "3"),
    ):
        manifest.write_text(text)
        before = tree_of(spack.home.path, "cache", ".spack-env", ".spack-db")
        result = spack.fails("-e", folder, "install")
        assert re.search(re.escape(str(manifest)) + rf":{line}\b", result.err), result.err
        assert tree_of(spack.home.path, "cache", ".spack-env", ".spack-db") == before


@pytest.mark.usefixtures("unchanged")
def test_an_environment_that_is_not_there(spack: Command, tmp_path: Path) -> None:
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
def test_a_recipe_with_an_error_has_file_and_line(
    spack: Command, recipes: RecipeRepository, text: str, line: str, message: str
) -> None:
    path = recipes.write("odd", IMPORTS + text)
    result = spack.fails("install", "odd")
    assert message in result.err
    assert (f"{path}:{line}: " if line else f"{path}: ") in result.err


def test_a_broken_recipe_is_only_its_own_problem(spack: Command, recipes: RecipeRepository) -> None:
    recipes.write("odd", "this is no Python\n")
    recipes.plain("good")
    assert spack("install", "good").code == 0
    assert "good" in spack("list", "good").lines


def test_an_error_in_install_has_file_and_line(
    spack: Command, recipes: RecipeRepository, packages_of: Callable[[Path], Snapshot]
) -> None:
    path = recipes.plain("odd", install="raise_no_such_thing()\n")
    result = spack.fails("install", "odd")
    line = 1 + path.read_text()[: path.read_text().index("raise_no_such")].count("\n")
    assert f"{path}:{line}" in result.err
    assert "NameError: name 'raise_no_such_thing' is not defined" in result.err
    assert packages_of(spack.home.store) == {} or "odd" not in str(packages_of(spack.home.store))


# -- sources -----------------------------------------------------------------------------------


@pytest.fixture
def sources(spack: Command) -> Path:
    """Return a source cache of its own for ``spack``."""
    file = spack.home.config / "config.yaml"
    file.write_text(
        re.sub(r"source_cache: .*", f"source_cache: {spack.home.sources}", file.read_text())
    )
    return spack.home.sources


def cached(sources: Path) -> list[str]:
    return [path.name for path in sources.rglob("*") if path.is_file()]


def test_a_wrong_checksum(
    spack: Command,
    recipes: RecipeRepository,
    sources: Path,
    packages_of: Callable[[Path], Snapshot],
) -> None:
    path = recipes.c_program("wrong", MODULE)
    (true,) = re.findall(r"[0-9a-f]{64}", path.read_text())
    expected = "0123456789abcdef" * 4
    path.write_text(path.read_text().replace(true, expected))
    result = spack.fails("install", "wrong")
    assert expected in result.err and true in result.err, "both sums are shown"
    assert cached(sources) == [], "the file is deleted"
    assert not [name for name in packages_of(spack.home.store) if "/wrong-" in name]
    assert list(spack.home.stages.rglob("main.c")) == [], "nothing was unpacked"

    path.write_text(path.read_text().replace(expected, true))
    assert spack("install", "wrong").code == 0


def test_a_damaged_file_in_the_cache_is_fetched_again(
    spack: Command, recipes: RecipeRepository, sources: Path
) -> None:
    recipes.c_program("plain", MODULE)
    spack("fetch", "plain")
    (file,) = [path for path in sources.rglob("*.tar.gz") if path.is_file()]
    file.chmod(0o644)
    file.write_bytes(file.read_bytes()[:100])
    assert spack("install", "plain").code == 0


@pytest.mark.parametrize(
    "damage", ["cut off", "not an archive", "escapes", "absolute", "bomb of links"]
)
def test_a_bad_archive(
    spack: Command,
    recipes: RecipeRepository,
    sources: Path,
    damage: str,
    packages_of: Callable[[Path], Snapshot],
) -> None:
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
    assert not [name for name in packages_of(spack.home.store) if "/bad-" in name]
    assert set(recipes.root.parent.rglob("*escaped*")) == before
    assert not Path("/tmp/escaped-absolute").exists()


def spoil(archive: Path, how: str) -> None:
    """Return an archive with a member that leads out of it."""
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


def test_a_source_that_is_not_there(
    spack: Command, recipes: RecipeRepository, sources: Path
) -> None:
    recipes.c_program("gone", MODULE)
    (recipes.archives / "gone-1.0.tar.gz").unlink()
    result = spack.fails("install", "gone")
    assert "gone-1.0.tar.gz" in result.err
    assert cached(sources) == []


def closed_port() -> int:
    """Return a port of this machine at which nothing listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port: int = unused.getsockname()[1]
        return port


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


def test_no_network(spack: Command, sources: Path, packages_of: Callable[[Path], Snapshot]) -> None:
    result = spack.fails("install", "py-click", environ=nowhere())
    assert "127.0.0.1" in result.err
    assert re.search(r"hint: .*(index|network|pip|proxy)", result.err)
    assert not [name for name in packages_of(spack.home.store) if "py-click" in name]
    assert cached(sources) == []


def test_no_network_at_the_first_start(
    copy_tree: Callable[[Path], Path], spack: Command, tmp_path: Path
) -> None:
    """The own dependencies cannot be fetched: nothing is left, and the next start tries again."""
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


DEEP = "[" * 100_000


@pytest.mark.parametrize(
    ("path", "words", "said"),
    [
        ("{prefix}/.spack/install_manifest.json", ("verify", "manifest", "-a"), "install_manifest"),
        ("{prefix}/.spack/install_manifest.json", ("view", "symlink", "v", "one"), "manifest"),
        ("{prefix}/.spack/spec.json", ("reindex",), "spec.json"),
        ("{prefix}/.spack/install_record.json", ("reindex",), "install_record.json"),
        ("{store}/.spack-db/pending/x.json", ("install", "two"), ""),
        ("{store}/.spack-db/environments.json", ("gc", "-n"), ""),
    ],
)
def test_records_that_are_nested_without_end(
    spack: Command, recipes: RecipeRepository, path: str, words: tuple[str, ...], said: str
) -> None:
    """The message names the file, and other packages are not kept from anything."""
    recipes.plain("one")
    recipes.plain("two")
    spack("install", "one")
    file = Path(path.format(prefix=spack.prefix("one"), store=spack.home.store))
    file.parent.mkdir(exist_ok=True)
    if file.exists():
        file.chmod(0o644)
    file.write_text(DEEP)
    result = spack(*words, check=False)
    assert said in result.text
    assert not said or "nested too deeply" in result.text
    assert said or result.code == 0
    spack("install", "two")


def test_definitions_that_double(spack: Command, tmp_path: Path) -> None:
    lines = ["spack:", "  specs: [$d39]", "  definitions:", "  - d0: [one]"]
    lines += [f"  - d{number + 1}: [$d{number}, $d{number}]" for number in range(39)]
    (tmp_path / "spack.yaml").write_text("\n".join(lines))
    result = spack.fails("-e", tmp_path, "concretize", timeout=60)
    assert re.search(r"spack.yaml:\d+: the list has more than \d+ specs", result.err)
