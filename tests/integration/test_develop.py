"""``develop``, ``undevelop`` and ``dev-build``: packages that are built from a directory."""

from __future__ import annotations

import base64
import csv
import hashlib
import os
import shutil
import subprocess
import textwrap
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from kits.command import Command, TakeSnapshot
from kits.recipe_repository import RecipeRepository


class Work(NamedTuple):
    """An environment with py-sweet as its only root, and a directory with its sources."""

    spack: Any
    folder: Path
    source: Path

    def __call__(self, *words: object, **options: Any) -> Any:
        return self.spack("-e", self.folder, *words, **options)

    def fails(self, *words: object, **options: Any) -> Any:
        return self.spack.fails("-e", self.folder, *words, **options)

    def develop(self, *words: object) -> Any:
        return self("develop", "-p", self.source, *words, "py-sweet@1.0")

    def sweet(self) -> str:
        """Return what the module in the view says, and the file that it was read from."""
        python = self.folder / ".spack-env" / "view" / "bin" / "python3"
        code = "import sweet; print(sweet.TASTE, sweet.__file__)"
        return subprocess.run(
            [python, "-B", "-c", code], check=True, capture_output=True, text=True
        ).stdout.strip()


@pytest.fixture
def work(spack: Command, recipes: RecipeRepository, tmp_path: Path) -> Work:
    recipes.python_project("sweet", {"sweet.py": "TASTE = 'sweet'\n"})
    folder = tmp_path / "env"
    folder.mkdir()
    (folder / "spack.yaml").write_text("# mine\nspack:\n  specs: [py-sweet]  # roots\n")
    source = tmp_path / "source of sweet"
    shutil.unpack_archive(recipes.archives / "sweet-1.0.tar.gz", tmp_path / "unpacked")
    (tmp_path / "unpacked" / "sweet-1.0").rename(source)
    return Work(spack, folder, source)


def test_it_is_built_from_the_directory_and_again_when_that_changes(
    work: Work, tree_of: TakeSnapshot
) -> None:
    (work.source / "sweet.py").write_text("TASTE = 'mine'\n")
    (work.source / "cache" / "__pycache__").mkdir(parents=True)
    before = tree_of(work.source)
    work.develop()
    text = (work.folder / "spack.yaml").read_text()
    assert text.startswith("# mine\nspack:\n  specs: [py-sweet]  # roots\n")
    assert f"spec: py-sweet@=1.0\n      path: {work.source}\n" in text
    work("install")
    assert work.sweet().startswith("mine " + str(work.folder))
    shown = work("spec", "py-sweet").out
    assert f"dev_path='{work.source}'" in shown
    assert tree_of(work.source) == before

    # What tools leave behind is not a change.
    (work.source / "__pycache__").mkdir()
    (work.source / "__pycache__" / "x.pyc").write_text("")
    (work.source / ".git").mkdir()
    assert "to build" not in work("install").text
    # Another file is one, also when it is older; and so is one less.
    (work.source / "bitter.py").write_text("")
    os.utime(work.source / "bitter.py", (1, 1))
    assert f"{work.source} has changed" in work("install").text
    (work.source / "bitter.py").unlink()
    (work.source / "sweet.py").write_text("TASTE = 'other'\n")
    assert "1 package to build" in work("install").text
    assert work.sweet().startswith("other ")


def test_undevelop_takes_the_released_sources_again(work: Work) -> None:
    (work.source / "sweet.py").write_text("TASTE = 'mine'\n")
    work.develop()
    work("install")
    assert work.sweet().startswith("mine")
    work("undevelop", "py-sweet")
    assert (work.folder / "spack.yaml").read_text() == (
        "# mine\nspack:\n  specs: [py-sweet]  # roots\n"
    )
    work("install")
    assert work.sweet().startswith("sweet")
    assert (work.source / "sweet.py").read_text() == "TASTE = 'mine'\n"
    result = work.fails("undevelop", "py-sweet")
    assert "py-sweet is not developed" in result.err


def test_an_install_from_a_directory_is_no_other_users(work: Work) -> None:
    """Reuse takes released packages only, also below other ones."""
    (work.source / "sweet.py").write_text("TASTE = 'mine'\n")
    work.develop()
    work("install")
    assert "dev_path" not in work.spack("-E", "spec", "py-sweet").out


def test_the_sources_are_fetched(work: Work) -> None:
    work("develop", "py-sweet")
    assert (work.folder / "py-sweet" / "sweet.py").read_text() == "TASTE = 'sweet'\n"
    assert "path:" not in (work.folder / "spack.yaml").read_text()
    work("install")
    # Directory and environment move together.
    moved = work._replace(folder=work.folder.with_name("moved"))
    work.folder.rename(moved.folder)
    (moved.folder / "py-sweet" / "sweet.py").write_text("TASTE = 'moved'\n")
    moved("develop", "py-sweet")  # it is there already
    moved("install")
    assert moved.sweet().startswith("moved")
    moved("develop", "--force", "py-sweet")
    assert (moved.folder / "py-sweet" / "sweet.py").read_text() == "TASTE = 'sweet'\n"
    shutil.rmtree(moved.folder / "py-sweet")
    moved("develop")  # all of spack.yaml
    assert (moved.folder / "py-sweet" / "sweet.py").exists()


def test_dev_build_needs_no_environment(work: Work) -> None:
    (work.source / "sweet.py").write_text("TASTE = 'mine'\n")
    work.spack("dev-build", "py-sweet@1.0", cwd=work.source)
    prefix = work.spack.prefix("py-sweet")
    assert next(prefix.glob("lib/python3*/site-packages/sweet.py")).read_text() == (
        "TASTE = 'mine'\n"
    )
    assert "to build" not in work.spack("dev-build", "-d", work.source, "py-sweet@1.0").text
    work.spack("uninstall", "-y", "py-sweet")
    assert (work.source / "sweet.py").exists()
    assert "which version" in work.spack.fails("dev-build", "py-sweet", code=2).err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-p", "/nonexistent/x", "--no-clone", "py-sweet@1.0"], "no directory to develop"),
        (["-p", "/etc/hostname", "py-sweet@1.0"], "no directory to develop"),
        (["py-swet"], "there is no package 'py-swet'"),
        (["py-sweet@1:3"], "a range of versions"),
        (["py-sweet@1.0 ^python@3.11"], "only a version and variants"),
        (["-p", "x", "py-sweet", "base"], "-p names the directory of one package"),
        (["--force"], "--force replaces directories"),
    ],
)
def test_what_cannot_be_developed(work: Work, words: list[str], message: str) -> None:
    result = work("develop", *words, check=False)
    assert result.code in (1, 2)
    assert message in " ".join(result.err.split())
    assert "hint:" in result.err
    assert "develop" not in (work.folder / "spack.yaml").read_text()


def test_what_is_wrong_in_the_file_has_its_line(work: Work) -> None:
    start = "spack:\n  specs: [py-sweet]\n  develop:\n"
    for row, message in (
        ("py-sweet: {spec: py-sweet}", "does not say which version"),
        ("py-sweet: {spec: py-other@1}", "is not about py-sweet"),
    ):
        (work.folder / "spack.yaml").write_text(f"{start}    {row}\n")
        result = work.fails("install")
        assert "spack.yaml:4" in result.err and message in result.err
    (work.folder / "spack.yaml").write_text(
        f"{start}    py-sweet: {{spec: py-sweet@2.0, path: {work.source}}}\n"
        "  packages: {py-sweet: {require: '@1.0'}}\n"
    )
    result = work.fails("concretize")
    assert "py-sweet@=2.0" in result.err and "is developed" in result.err
    assert "spack undevelop py-sweet" in result.err


def test_a_directory_that_is_missing(work: Work) -> None:
    work.develop()
    work("install")
    staging = work.source.rename(work.source.with_name("aside"))
    result = work("install")
    assert "which is not there; it stays as it was installed" in " ".join(result.text.split())
    result = work.fails("install", "--overwrite")
    assert "which is not there" in result.err
    staging.rename(work.source)
    assert "to build" not in work("install").text


def test_editable_is_for_python_packages_with_a_directory(
    work: Work, recipes: RecipeRepository, tmp_path: Path
) -> None:
    result = work.spack.fails("-E", "install", "py-sweet +editable")
    assert "cannot be editable without a directory" in result.err
    recipes.plain("base")
    (tmp_path / "base").mkdir()
    work("develop", "-p", tmp_path / "base", "--editable", "base")
    assert "not built as a Python wheel" in work.fails("concretize").err
    work("undevelop", "base")
    work.develop("--editable")
    result = work.fails("install")
    assert "has no hook build_editable" in result.err


#: Name -> the files of a project that a backend of this repository's recipes builds.
PROJECTS = {
    # setuptools: a finder module for packages beside other ones, a plain path for src/
    "flat": {
        "pyproject.toml": """\
            [build-system]
            requires = ["setuptools>=64"]
            build-backend = "setuptools.build_meta"
            [project]
            name = "flat"
            version = "1.0"
            [project.scripts]
            flat = "flat:main"
            [tool.setuptools]
            packages = ["flat"]
            """,
        "flat/__init__.py": "from .taste import TASTE\ndef main():\n    print(TASTE)\n",
        "flat/taste.py": "TASTE = 'flat'\n",
    },
    "inner": {
        "pyproject.toml": """\
            [build-system]
            requires = ["setuptools>=64"]
            build-backend = "setuptools.build_meta"
            [project]
            name = "inner"
            version = "1.0"
            [project.scripts]
            inner = "inner:main"
            """,
        "src/inner/__init__.py": "from .taste import TASTE\ndef main():\n    print(TASTE)\n",
        "src/inner/taste.py": "TASTE = 'inner'\n",
    },
    "flitted": {
        "pyproject.toml": """\
            [build-system]
            requires = ["flit_core"]
            build-backend = "flit_core.buildapi"
            [project]
            name = "flitted"
            version = "1.0"
            description = "for tests"
            [project.scripts]
            flitted = "flitted:main"
            """,
        "flitted/__init__.py": "from .taste import TASTE\ndef main():\n    print(TASTE)\n",
        "flitted/taste.py": "TASTE = 'flitted'\n",
    },
    "hatched": {
        "pyproject.toml": """\
            [build-system]
            requires = ["hatchling"]
            build-backend = "hatchling.build"
            [project]
            name = "hatched"
            version = "1.0"
            [project.scripts]
            hatched = "hatched:main"
            """,
        "src/hatched/__init__.py": "from .taste import TASTE\ndef main():\n    print(TASTE)\n",
        "src/hatched/taste.py": "TASTE = 'hatched'\n",
    },
}

_BACKENDS = {"flitted": "py-flit-core", "hatched": "py-hatchling"}


@pytest.mark.slow
def test_an_editable_install_shows_changes_at_once(
    spack: Command, recipes: RecipeRepository, tmp_path: Path, tree_of: TakeSnapshot
) -> None:
    folder = tmp_path / "env"
    folder.mkdir()
    names = [f"py-{name}" for name in PROJECTS]
    (folder / "spack.yaml").write_text(f"spack:\n  specs: [py-pip, {', '.join(names)}]\n")
    for name, files in PROJECTS.items():
        for path, text in files.items():
            location = folder / name / path
            location.parent.mkdir(parents=True, exist_ok=True)
            location.write_text(textwrap.dedent(text))
        tool = _BACKENDS.get(name, "py-setuptools@64:")
        recipes.add(
            f"py-{name}",
            f'version("1.0")\ndepends_on("{tool}", type="build")\n',
            base="PythonPackage",
        )
        spack("-e", folder, "develop", "--editable", "-p", folder / name, f"py-{name}@1.0")
    sources = {name: tree_of(folder / name) for name in PROJECTS}
    spack("-e", folder, "install")
    assert {name: tree_of(folder / name) for name in PROJECTS} == sources, "the trees are clean"
    refused = spack.fails("-e", folder, "env", "pack", tmp_path / "packed.tar").err
    assert "cannot pack editable installs" in refused and f"({folder / 'flat'})" in refused
    assert "without --editable" in refused and not (tmp_path / "packed.tar").exists()

    view = folder / ".spack-env" / "view"

    def said(location: Path, program: str) -> str:
        return subprocess.run(
            [location / "bin" / program],
            check=True,
            capture_output=True,
            text=True,
            env={"PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"},
        ).stdout.strip()

    for name in PROJECTS:
        assert said(view, name) == name
        module = next((folder / name).rglob("taste.py"))
        module.write_text(f"TASTE = 'changed {name}'\n")
        assert said(view, name) == f"changed {name}"
    # Modules that change want no build; what the backend reads does.
    assert "to build" not in spack("-e", folder, "install").text
    project = folder / "inner" / "pyproject.toml"
    project.write_text(project.read_text().replace('inner = "inner:main"', 'other = "inner:main"'))
    assert "1 package to build" in spack("-e", folder, "install").text
    assert said(view, "other") == "changed inner"
    assert not (view / "bin" / "inner").exists()

    spack("-e", folder, "view", "verify")
    spack("verify")
    for name in PROJECTS:
        check_record(spack.prefix(f"py-{name}"))
    pip = [str(view / "bin" / "python3"), "-m", "pip", "--disable-pip-version-check"]
    shown = subprocess.run([*pip, "list", "-e"], check=True, capture_output=True, text=True).stdout
    assert all(f"{folder / name}" in shown for name in PROJECTS)
    moved = view.rename(tmp_path / "moved view")
    assert [said(moved, name) for name in ("flat", "other", "flitted", "hatched")] == [
        f"changed {name}" for name in PROJECTS
    ]
    moved.rename(view)
    sources = {name: tree_of(folder / name) for name in PROJECTS}
    # The environment wants them: only --force takes them from it.
    spack("uninstall", "-y", "--force", *names)
    assert {name: tree_of(folder / name) for name in PROJECTS} == sources


def check_record(prefix: Path) -> None:
    """Every row of RECORD is there with its digest, and nothing else is."""
    (record,) = prefix.glob("lib/python3*/site-packages/*.dist-info/RECORD")
    site = record.parent.parent
    with record.open(newline="") as stream:
        rows = {row[0]: row[1] for row in csv.reader(stream)}
    for path, said in rows.items():
        data = (site / path).read_bytes()
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        assert said in ("", f"sha256={digest}"), path
    there = {os.path.relpath(path, site) for path in prefix.rglob("*") if path.is_file()}
    there = {path for path in there if not path.startswith("../../../.spack/")}
    assert there == set(rows)
