"""Keys of the configuration: each has its effect, or says that it has none."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from kits.command import Command
from kits.recipe_repository import RecipeRepository

LIBRARY = "int answer(void) { return 42; }\n"
MAIN = "int answer(void);\nint main(void) { return answer() != 42; }\n"
MAKEFILE = """\
all:
\t$(CC) -Werror -Werror=unused-variable -c main.c
\t$(CC) -o main main.o -lm
install:
\tmkdir -p $(prefix)/bin
\tcp main $(prefix)/bin
"""
UNUSED = "int main(void) { int unused; return 0; }\n"
DIVIDES = "#warning old\nint main(void) { return 0; }\n"


@pytest.fixture
def compiled(recipes: RecipeRepository) -> Callable[..., None]:
    """``compiled("name", "int main…")``: a program that is compiled with -Werror."""

    def make(name: str, source: str, body: str = "") -> None:
        archive = recipes.archive(f"{name}-1.0", {"main.c": source, "Makefile": MAKEFILE})
        recipes.add(
            name,
            f'version("1.0", {archive})\ndepends_on("c", type="build")\n{body}'
            "@property\ndef install_targets(self):\n"
            '    return ["install", "prefix=" + self.prefix]\n',
            base="MakefilePackage",
        )

    return make


def tags(program: Path) -> str:
    shown = subprocess.run(["readelf", "-d", program], capture_output=True, text=True, check=True)
    return " ".join(re.findall(r"\((RPATH|RUNPATH)\)", shown.stdout))


def test_shared_linking_and_werror(spack: Command, compiled: Callable[..., None]) -> None:
    compiled("prog", UNUSED.replace("int unused;", ""))
    compiled("old", DIVIDES)
    compiled("strict", DIVIDES, 'keep_werror = "all"\n')
    spack("install", "prog", "old")
    assert tags(spack.prefix("prog") / "bin" / "main") == "RPATH"
    for setting in ("runpath", "{type: runpath, missing_library_policy: ignore}"):
        spack("-c", f"config:shared_linking:{setting}", "install", "--overwrite", "prog")
        assert tags(spack.prefix("prog") / "bin" / "main") == "RUNPATH"
    kept = "config:flags:keep_werror:all"
    assert "main.c:1:2: error: #warning old" in spack.fails("-c", kept, "install", "strict").err
    assert "#warning old" in spack.fails("install", "strict").err, "the recipe says so"
    spack("uninstall", "-y", "old")
    spack("-c", "config:flags:keep_werror:specific", "install", "old")


def test_ccache(spack: Command, compiled: Callable[..., None], tmp_path: Path) -> None:
    compiled("prog", "int main(void) { return 0; }\n")
    asked = ("-c", "config:ccache:true", "install", "prog")
    result = spack.fails(*asked)
    assert "there is no program ccache on PATH" in result.err
    program = tmp_path / "bin" / "ccache"
    program.parent.mkdir()
    program.write_text(
        '#!/bin/sh\nmkdir -p "$CCACHE_DIR"\necho "$@" >>"$CCACHE_DIR/used"\nexec "$@"\n'
    )
    program.chmod(0o755)
    spack(*asked, environ={"PATH": f"{program.parent}:/usr/bin:/bin"})
    used = (_misc(spack) / "ccache" / "used").read_text()
    assert len(used.splitlines()) == 1 and used.endswith("-c main.c\n")


def _misc(spack: Command) -> Path:
    text = (spack.home.config / "config.yaml").read_text()
    (path,) = re.findall(r"misc_cache: (.*)", text)
    return Path(path)


def test_locations_and_names(spack: Command, recipes: RecipeRepository) -> None:
    """Padding, short hashes, names of stages, the language of builds."""
    recipes.plain(
        "one",
        install='import os\nopen(os.path.join(prefix, "seen"), "w").write('
        'os.getcwd() + " " + os.environ["LC_ALL"])\n',
    )
    settings = (
        "install_tree:padded_length:180",
        "install_hash_length:7",
        "stage_name:'my-{name}-{hash:5}'",
        "build_language:C",
    )
    words = [word for text in settings for word in ("-c", f"config:{text}")]
    spack(*words, "install", "one")
    prefix = spack.prefix("one")
    assert len(str(prefix.parent.parent)) in (179, 180)
    assert re.fullmatch(r"one-1\.0-[a-z0-9]{7}", prefix.name)
    stage, language = (prefix / "seen").read_text().split()
    assert re.search(r"/my-one-[a-z0-9]{5}/", stage)
    assert language == "C"
    (spack.home.store / ".spack-db" / "index.sqlite").unlink()
    spack(*words, "reindex")
    assert spack.names() == ["one"]
    spack("uninstall", "-y", "one")
    assert not list(spack.home.store.glob("__spack*"))


def test_aliases(spack: Command, recipes: RecipeRepository) -> None:
    recipes.plain("one")
    file = spack.home.config / "config.yaml"
    file.write_text(
        file.read_text() + "  aliases:\n    there: find --format '{name}'\n    i: install\n"
    )
    spack("i", "one")
    assert spack("there").lines == ["one"]
    assert "unknown command: nope" in spack.fails("nope", code=2).err


def test_reuse(spack: Command, recipes: RecipeRepository) -> None:
    recipes.plain("base", version="1.0")
    spack("install", "base")
    path = recipes.path("base")
    path.write_text(
        path.read_text().replace(
            'version("1.0")', 'version("2.0")\nversion("1.0")'.replace("\n", "\n    ")
        )
    )
    recipes.plain("top", "base")
    assert "base@1.0" in spack("spec", "top").out
    without = ("-c", "concretizer:reuse:{exclude: [base@1.0]}")
    assert "base@2.0" in spack(*without, "spec", "top").out


def test_keys_without_effect_are_reported(spack: Command, recipes: RecipeRepository) -> None:
    recipes.plain("one")
    file = spack.home.config / "concretizer.yaml"
    file.write_text("concretizer:\n  unify: true\n  splice:\n    automatic: true\n")
    first = spack("spec", "one")
    reported = f"==> Warning: {file}:3: concretizer:splice has no effect in this spack"
    assert reported in first.err
    assert "one@1.0" in first.out and "splice" not in first.out


def test_a_search_path_of_the_configuration(spack: Command, tmp_path: Path) -> None:
    program = tmp_path / "tools" / "bin" / "cmake"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho cmake version 3.99.1\n")
    program.chmod(0o755)
    setting = f"config:additional_external_search_paths:[{program.parent.parent}]"
    assert "cmake@3.99.1" in spack("-c", setting, "external", "find", "cmake").text


# -- what a lock follows -----------------------------------------------------------------------


@pytest.fixture
def locked(spack: Command, recipes: RecipeRepository) -> Path:
    """Return an installed environment with ``one`` in version 2.0."""
    recipes.add(
        "one",
        'has_code = False\nversion("2.0")\nversion("1.0")\n\n'
        "def install(self, spec, prefix):\n    mkdirp(prefix.bin)\n    touch(prefix.bin.one)\n",
    )
    directory = spack.home.path / "locked"
    directory.mkdir()
    (directory / "more.yaml").write_text("packages: {}\n")
    (directory / "spack.yaml").write_text(
        "spack:\n  include: [more.yaml]\n  specs: [one]\n  view: false\n"
    )
    spack("-e", directory, "install")
    assert '"version": "2.0"' in (directory / "spack.lock").read_text()
    return directory


def test_a_lock_does_not_follow_other_scopes(spack: Command, locked: Path) -> None:
    before = (locked / "spack.lock").read_bytes()
    spack("-c", "packages:other:buildable:false", "-e", locked, "install")
    assert (locked / "spack.lock").read_bytes() == before
    (spack.home.config / "packages.yaml").write_text("packages:\n  one:\n    require: '@1.0'\n")
    for words in (("install",), ("concretize",), ("add", "one"), ("env", "status")):
        spack("-e", locked, *words)
        assert (locked / "spack.lock").read_bytes() == before, words
    spack("-e", locked, "concretize", "--force")
    assert '"version": "1.0"' in (locked / "spack.lock").read_text()


@pytest.mark.parametrize("file", ["spack.yaml", "more.yaml"])
def test_a_lock_follows_the_environments_own_configuration(
    spack: Command, locked: Path, file: str
) -> None:
    text = (locked / "spack.yaml").read_text()
    if file == "spack.yaml":
        (locked / file).write_text(f"{text}  packages:\n    one:\n      require: '@1.0'\n")
    else:
        (locked / file).write_text("packages:\n  one:\n    require: '@1.0'\n")
    spack("-e", locked, "install")
    assert '"version": "1.0"' in (locked / "spack.lock").read_text()
