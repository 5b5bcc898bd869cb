"""CONTRIBUTING's table "Where a new ... goes" is true: one of each is added to a copy of the tree.

Each change is what the table says and nothing more; what is seen is what a user would see.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from kits.command import poor_environment
from kits.recipe_repository import RecipeRepository


class Tree:
    """A copy of the tree that may be changed.

    :ivar spack: its command; own dependencies are those of the interpreter that runs the tests.
    """

    def __init__(self, root: Path, home: Path, temporary: Path) -> None:
        self.root = root
        self.home = home
        home.mkdir()
        self.environ = poor_environment(home, temporary)

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace the first *old* in a file by *new*, in which ``<old>`` is *old*."""
        file = self.root / path
        text = file.read_text(encoding="utf-8")
        assert old in text, f"{path} has no {old!r}"
        file.write_text(text.replace(old, new.replace("<old>", old), 1), encoding="utf-8")

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")

    def python(self, code: str, environ: Mapping[str, str] | None = None, check: int = 0) -> str:
        """Run *code* with the copy's engine; gives what it prints, errors too."""
        start = f"import sys; sys.path.insert(0, {str(self.root / 'lib')!r})\n"
        done = subprocess.run(
            [sys.executable, "-c", start + textwrap.dedent(code)],
            env={**self.environ, **(environ or {})},
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )
        assert done.returncode == check, done.stdout
        return done.stdout

    def spack(self, *words: object, check: int = 0, **environ: str) -> str:
        """Run a command of the copy."""
        arguments = [str(word) for word in words]
        code = f"from spack.cli.main import main\nsys.exit(main({arguments!r}))"
        return self.python(code, environ, check)


@pytest.fixture
def tree(copy_tree: Callable[[Path], Path], tmp_path: Path) -> Tree:
    (tmp_path / "tmp").mkdir()
    return Tree(copy_tree(tmp_path / "tree"), tmp_path / "home", tmp_path / "tmp")


@pytest.fixture
def bakery(tree: Tree, tmp_path: Path) -> RecipeRepository:
    """Return a small repository of recipes that the copy knows."""
    recipes = RecipeRepository(tmp_path / "bakery")
    (tree.home / ".spack").mkdir()
    (tree.home / ".spack" / "repos.yaml").write_text(f"repos:\n  tiny: {recipes.root}\n")
    return recipes


def test_a_command(tree: Tree) -> None:
    tree.edit(
        "lib/spack/cli/main.py", '    "find": (', '    "greet": ("query packages", "greet"),\n<old>'
    )
    tree.write(
        "lib/spack/cli/commands/greet.py",
        """
        DESCRIPTION = "greet a package"

        def add_arguments(parser):
            parser.add_argument("package")

        def run(session, args):
            print(f"hello {args.package}")
        """,
    )
    assert tree.spack("greet", "py-black") == "hello py-black\n"
    assert "greet a package" in tree.spack("greet", "--help")
    assert "  greet        greet\n" in tree.spack("help")


def test_a_directive(tree: Tree, bakery: RecipeRepository) -> None:
    tree.edit(
        "lib/spack/recipe/records.py",
        "@dataclass(frozen=True)\nclass LicenseRecord",
        "@dataclass(frozen=True)\nclass FlavorRecord:\n    name: str\n    when: str = ''\n"
        "    line: int = 0\n\n\n<old>",
    )
    tree.edit(
        "lib/spack/recipe/records.py",
        "    licenses: tuple[LicenseRecord, ...] = ()\n",
        "<old>    flavors: tuple[FlavorRecord, ...] = ()\n",
    )
    tree.edit(
        "lib/spack/recipe/records.py",
        '    "licenses": LicenseRecord,\n',
        '<old>    "flavors": FlavorRecord,\n',
    )
    tree.edit(
        "lib/spack/api/directives.py",
        "@directive\ndef license(",
        "@directive\ndef flavor(definition, name, when=None):\n"
        "    from spack.recipe.records import FlavorRecord\n"
        "    record = FlavorRecord(name, definition.condition(when), definition.line())\n"
        "    definition.declared.append(record)\n"
        "    return record\n\n\n<old>",
    )
    tree.edit("lib/spack/package.py", "    license,\n", "    flavor,\n<old>")
    tree.edit("lib/spack/package.py", '\n    "license",\n', '\n    "flavor",<old>')
    bakery.plain("cake")
    path = bakery.path("cake")
    path.write_text(
        path.read_text().replace("has_code", 'flavor("sweet", when="@1:")\n    has_code')
    )
    out = tree.python(
        """
        from argparse import Namespace
        from spack.session import make_session
        print(make_session(Namespace(), None).recipes.get("cake").flavors)
        """
    )
    assert "FlavorRecord(name='sweet', when='@1:', line=" in out


def test_a_build_system(tree: Tree, bakery: RecipeRepository) -> None:
    tree.write(
        "lib/spack/build_systems/oven.py",
        """
        from spack.package import (
            BuilderWithDefaults, PackageBase, build_system, register_builder
        )

        class OvenPackage(PackageBase):
            build_system_class = "OvenPackage"
            default_buildsystem = "oven"
            build_system("oven")

        @register_builder("oven")
        class OvenBuilder(BuilderWithDefaults):
            phases = ("bake",)

            def bake(self, pkg, spec, prefix):
                with open(f"{pkg.prefix}/bread", "w") as file:
                    file.write("baked")
        """,
    )
    bakery.write(
        "bread",
        "from spack_repo.builtin.build_systems.oven import OvenPackage\n\n"
        "from spack.package import *\n\n\n"
        'class Bread(OvenPackage):\n    has_code = False\n    version("1")\n',
    )
    assert "build_system=oven" in tree.spack("spec", "bread")
    tree.spack("install", "bread")
    prefix = Path(tree.spack("location", "-i", "bread").strip())
    assert (prefix / "bread").read_text() == "baked"


def test_a_configuration_key(tree: Tree) -> None:
    tree.edit(
        "lib/spack/config/config_keys.py",
        "    aliases = _plain(",
        '    oven = _plain(Integer(0), 180, "kitchen:oven")\n<old>',
    )
    tree.edit("etc/config.yaml", "config:\n", "<old>  # Degrees.\n  kitchen: {oven: 180}\n")
    assert "oven: 180" in tree.spack("config", "get", "config")
    code = """
        from argparse import Namespace
        from spack.session import make_session
        print(make_session(Namespace(config=CONFIG), None).settings.config.oven)
        """
    assert tree.python(code.replace("CONFIG", "()")) == "180\n"
    assert tree.python(code.replace("CONFIG", "('config:kitchen:oven:220',)")) == "220\n"
    failed = tree.spack("-c", "config:kitchen:oven:hot", "config", "get", "config", check=1)
    assert "config:kitchen:oven: expected a whole number of at least 0, found 'hot'" in failed


def test_a_link_type(tree: Tree, bakery: RecipeRepository) -> None:
    tree.edit(
        "lib/spack/config/link_types.py",
        '    LinkType("hardlink"',
        '    LinkType("clone", ("reflink",), "show packages in a directory by clones"),\n<old>',
    )
    tree.edit(
        "lib/spack/view/materialize.py",
        '    "copy": Maker.copy,\n',
        '<old>    "clone": Maker.copy,\n',
    )
    bakery.plain("cake")
    tree.spack("install", "cake")
    view = tree.home / "view"
    tree.spack("view", "reflink", view, "cake")
    assert (view / "bin" / "cake").is_file() and not (view / "bin" / "cake").is_symlink()
    status = json.loads(tree.spack("view", "status", "--json", view))
    assert status["link_type"] == "clone"
    assert "all as they were made" in tree.spack("view", "verify", view)
    (view / "bin" / "cake").write_text("eaten")
    assert "1 modified" in tree.spack("view", "verify", view, check=1)


def test_a_shell(tree: Tree, bakery: RecipeRepository) -> None:
    shells = tree.root / "lib/spack/util/shells"
    text = (shells / "fish.py").read_text()
    (shells / "elvish.py").write_text(
        text.replace('name="fish"', 'name="elvish"')
        .replace('"activate.fish"', '"activate.elv"')
        .replace('{"fish": _FISH}', '{"elvish": "# completion\\n"}')
        .replace('set="set -gx {name} {value};\\n"', 'set="set E:{name} = {value};\\n"')
    )
    tree.edit("lib/spack/util/shell.py", "import csh, fish,", "import csh, elvish, fish,")
    tree.edit(
        "lib/spack/util/shell.py", "csh.SHELL, fish.SHELL", "csh.SHELL, elvish.SHELL, fish.SHELL"
    )
    template = tree.root / "share/activate/activate.fish"
    (tree.root / "share/activate/activate.elv").write_text(template.read_text())
    assert tree.spack("completion", "elvish") == "# completion\n"
    bakery.plain("cake")
    tree.spack("install", "cake")
    assert "set E:PATH = " in tree.spack("load", "--elvish", "cake")
    tree.spack("env", "create", "kitchen")
    assert "set -gx SPACK_ENV " in tree.spack("env", "activate", "--elvish", "kitchen")


def test_a_fetch_protocol(tree: Tree, bakery: RecipeRepository) -> None:
    tree.write(
        "lib/spack/fetch/attic_opener.py",
        """
        import io

        class AtticOpener:
            status = 200

            def __init__(self, settings):
                self.headers = {}

            def open(self, url, headers):
                self.url = url
                self.body = io.BytesIO(b"from the attic")
                return self

            def read(self, size):
                return self.body.read(size)

            def close(self):
                pass
        """,
    )
    file = "lib/spack/fetch/transport.py"
    tree.edit(
        file,
        "from spack.fetch.file_opener",
        "from spack.fetch.attic_opener import AtticOpener\n<old>",
    )
    tree.edit(file, '    "file": FileOpener,\n', '<old>    "attic": AtticOpener,\n')
    bakery.add(
        "box",
        'version("1", url="attic://box/box-1.txt", expand=False,\n'
        '        sha256="e51ce5d2b5f55f2a7cf6e1a7a9ad79ed8c5f4f9a9e0a7b1e0b0a0b0a0b0a0b0a")\n',
    )
    tree.spack("fetch", "-n", "box")
    (found,) = [
        x for x in (tree.root / "var/spack/cache").rglob("*") if x.is_file() and x.name != ".lock"
    ]
    assert found.read_text() == "from the attic"


def test_an_archive_format(tree: Tree) -> None:
    tree.edit(
        "lib/spack/fetch/archive_kinds.py",
        '    "zip": ArchiveKind(',
        '    "odd": ArchiveKind(b"ODD!", 0, (".odd",), "spack.fetch.odd"),\n<old>',
    )
    tree.write(
        "lib/spack/fetch/odd.py",
        """
        import io

        def open(path, mode):
            return io.BytesIO(path.read_bytes()[4:])
        """,
    )
    inner = tree.home / "inner.tar"
    with tarfile.open(inner, "w") as tar:
        (tree.home / "x").write_text("words")
        tar.add(tree.home / "x", "top/x")
    (tree.home / "a.tar.odd").write_bytes(b"ODD!" + inner.read_bytes())
    code = """
        from pathlib import Path
        from spack.fetch.extract import unpack
        print((unpack(Path("a.tar.odd"), Path("out")) / "x").read_text())
        """
    assert tree.python(code) == "words\n"


def test_an_output_format(tree: Tree) -> None:
    tree.edit(
        "lib/spack/cli/output.py",
        "DATA_FORMATS = (\n",
        '<old>    DataFormat("repr", "r", "print a literal of Python", repr),\n',
    )
    assert tree.spack("find", "--repr") == "[]\n"
    assert "'build_jobs': 16" in tree.spack("config", "get", "--repr", "config")
    assert "--repr" in tree.spack("view", "status", "--help")


def test_an_engine(tree: Tree, bakery: RecipeRepository) -> None:
    tree.write(
        "lib/spack/engines/words_format.py",
        """
        def words(graph, options):
            return " ".join(node.name for node in graph.nodes)
        """,
    )
    tree.edit(
        "lib/spack/engines/formats.py",
        "\n__all__ =",
        "from spack.engines.words_format import words\n<old>",
    )
    tree.edit(
        "lib/spack/engines/formats.py", '    "json": plan_json,\n', '<old>    "words": words,\n'
    )
    tree.edit("lib/spack/engines/format_names.py", '"json")', '"json", "words")')
    bakery.plain("cake")
    (tree.home / "spack.yaml").write_text("spack:\n  specs: [cake]\n  view: false\n")
    tree.spack("-e", ".", "concretize")
    assert "cake" in tree.spack("-e", ".", "env", "depfile", "--format", "words")


def test_a_criterion(tree: Tree, bakery: RecipeRepository) -> None:
    tree.edit(
        "lib/spack/solver/logic/optimize.lp",
        "#const p_nodes",
        '#const p_short = 22.\n#minimize { 1@p_short, P, I : node(P, I), P = "cake" }.\n\n<old>',
    )
    tree.edit("lib/spack/solver/concretize.py", "CRITERIA = {\n", '<old>    22: "no cake",\n')
    bakery.plain("cake")
    assert "cost:                    1  no cake" in tree.spack("solve", "cake")


def test_a_detected_tool(tree: Tree, bakery: RecipeRepository) -> None:
    tree.edit(
        "lib/spack/host/tools.py",
        '    DetectedTool("zip"',
        '    DetectedTool("whisk", "whisk", rf"whisk {_NUMBER}"),\n<old>',
    )
    bakery.plain("whisk")
    bin_directory = tree.home / "tools" / "bin"
    bin_directory.mkdir(parents=True)
    (bin_directory / "whisk").write_text("#!/bin/sh\necho whisk 3.2\n")
    (bin_directory / "whisk").chmod(0o755)
    assert "whisk" in tree.spack("external", "list").split()
    found = tree.spack("external", "find", "--dry-run", "--path", bin_directory, "whisk")
    assert "whisk@3.2" in found


def test_a_variable_passed_to_builds(tree: Tree, bakery: RecipeRepository) -> None:
    tree.edit(
        "lib/spack/build/clean_environment.py", '    "TZ": "UTC",\n', '<old>    "OVEN": "hot",\n'
    )
    bakery.plain("cake", install='print("oven:", __import__("os").environ["OVEN"])\n')
    tree.spack("install", "cake")
    assert "oven: hot" in tree.spack("logs", "cake")


def test_a_dependency_type(tree: Tree, bakery: RecipeRepository) -> None:
    tree.edit(
        "lib/spack/spec/deptypes.py",
        '    DependencyType("test"',
        '    DependencyType("taste", "a", usual=False),\n<old>',
    )
    tree.edit("lib/spack/spec/deptypes.py", 'Literal["build",', 'Literal["taste", "build",')
    bakery.plain("cake")
    bakery.add(
        "fork", 'version("1")\nhas_code = False\ndepends_on("cake", type=("run", "taste"))\n'
    )
    assert "Dependencies (taste)" in tree.spack("info", "fork")


def test_a_language(tree: Tree) -> None:
    tree.edit(
        "lib/spack/spec/languages.py",
        "LANGUAGES = (\n",
        '<old>    Language("cobol", "cobol", ("cob",), ("COB",), "LIBTOOL COBOL", "cobflags"),\n',
    )
    code = """
        from spack.api.compiler_view import _ATTRIBUTES
        from spack.build.setup import NOT_FROM_EXTERNALS
        from spack.build_systems.compiler import CompilerPackage, LANGUAGE_ATTRIBUTES
        print(_ATTRIBUTES["cob"], "COB" in NOT_FROM_EXTERNALS, LANGUAGE_ATTRIBUTES["cobol"],
              "cobol" in CompilerPackage.compiler_languages)
        """
    assert tree.python(code) == "('cobol', 'cobol') True cobol True\n"


def test_a_progress_event(tree: Tree) -> None:
    tree.edit(
        "lib/spack/install/events.py",
        "@frozen\nclass Queued",
        "@frozen\nclass Cooling(Event):\n    degrees: int\n\n\n<old>",
    )
    tree.edit(
        "lib/spack/cli/event_text.py",
        "        _row(events.Queued, ",
        '        _row(events.Cooling, lambda e: f"cool to {e.degrees}"),\n<old>',
    )
    code = """
        from spack.cli.event_text import phase_text
        from spack.install.events import Cooling
        print(phase_text(Cooling(20)))
        """
    assert tree.python(code) == "cool to 20\n"


def test_the_table_names_all_of_them(root: Path) -> None:
    """A row of the table without a test, or a test without a row, is a mistake."""
    text = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text[text.index("## Where a new ... goes") : text.index("## Style")]
    rows = {line.split("|")[1].strip() for line in table.splitlines() if line.startswith("| ")}
    assert rows - {"new"} == {
        "archive format",
        "build system",
        "command",
        "configuration key",
        "dependency type",
        "detected tool",
        "directive",
        "engine",
        "fetch protocol",
        "language of compilers",
        "link type of views",
        "optimization criterion",
        "output format",
        "page of documentation",  # tests/unit/test_docs.py
        "program that tests need",
        "progress event",
        "recipe",
        "shell",
        "variable passed to builds",
    }
