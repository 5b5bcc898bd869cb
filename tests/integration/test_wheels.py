"""Wheels of a package index: chosen when a spec is concretized, and nothing else installed."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kits.command import Command
from kits.recipe_repository import RecipeRepository
from kits.wheel_index import Offer, WheelIndex


@pytest.fixture
def index(spack: Command, tmp_path: Path) -> WheelIndex:
    spack("arch")  # the tool's own dependencies are not in the index
    return WheelIndex(tmp_path / "index")


def add_recipe(recipes: RecipeRepository, name: str, *lines: str, version: str = "1.0") -> Path:
    """Add a recipe whose source no server has: what is installed was a wheel."""
    body = [
        f'pypi = "{name}/{name}-{version}.tar.gz"',
        f'version("{version}", sha256="{"0" * 64}")',
        *lines,
    ]
    return recipes.add(f"py-{name}", "\n".join(body) + "\n", base="PythonPackage")


def test_a_wheel_with_its_dependencies(
    spack: Command, recipes: RecipeRepository, index: WheelIndex
) -> None:
    add_recipe(
        recipes,
        "sweet",
        'depends_on("py-sour", type=("build", "run"))',
        'depends_on("py-flit-core", type="build")',
        'depends_on("gmake", type=("build", "link"))',
    )
    add_recipe(recipes, "sour")
    wheel = index.add("sweet", requires=["sour"], scripts={"sweet": "sweet:main"})
    index.add("sour")
    shown = spack("spec", "--wheels", "only", "--json", "py-sweet", environ=index.environ).out
    nodes = {node["name"]: node for node in json.loads(shown)["spec"]["nodes"]}
    assert set(nodes) == {"py-sweet", "py-sour", "python", "python-venv"}
    chosen = nodes["py-sweet"]["parameters"]
    assert chosen["build_system"] == "python_binary"
    assert chosen["wheel"] == wheel.name
    assert chosen["wheel_sha256"] == hashlib.sha256(wheel.read_bytes()).hexdigest()
    edges = nodes["py-sweet"]["dependencies"]
    types = {edge["name"]: edge["parameters"]["deptypes"] for edge in edges}
    assert types == {
        "py-sour": ["run"],
        "python": ["build", "run"],
        "python-venv": ["build", "run"],
    }
    spack("install", "--wheels", "only", "py-sweet", environ=index.environ)
    prefix = spack.prefix("py-sweet")
    info = next(prefix.glob("lib/python*/site-packages/sweet-1.0.dist-info"))
    assert (info / "INSTALLER").read_text() == "spack\n"
    assert "sweet.py,sha256=" in (info / "RECORD").read_text()
    assert (prefix / "bin" / "sweet").is_file()
    assert spack("verify", "manifest", "-a").code == 0


@pytest.fixture
def sweet(spack: Command, recipes: RecipeRepository, index: WheelIndex) -> WheelIndex:
    """Return an index with a wheel of ``py-sweet``."""
    add_recipe(recipes, "sweet")
    # a content of its own: the cache of sources is shared with other tests
    index.add("sweet", modules={"sweet.py": f"PLACE = {str(index.root)!r}\n"})
    return index


def test_what_is_a_wheel_is_said(spack: Command, sweet: WheelIndex) -> None:
    shown = spack("spec", "-I", "--wheels", "prefer", "py-sweet", environ=sweet.environ)
    assert "py-sweet@1.0 build_system=python_binary" in shown.lines[0]
    assert shown.lines[0].endswith("[wheel of the index]")
    planned = spack("install", "--dry-run", "--wheels", "only", "py-sweet", environ=sweet.environ)
    assert "[w] wheel    py-sweet@1.0/" in planned.text
    made = spack("install", "--wheels", "only", "py-sweet", environ=sweet.environ)
    assert "1 package to build, 1 from wheels of the index, 0 present, 1 external" in made.text
    assert "[wheel of the index]" in spack("find", "py-sweet").out


def test_only_the_file_that_was_chosen(spack: Command, sweet: WheelIndex, tmp_path: Path) -> None:
    """A lock names one file: another one under its name is refused, whatever the index says."""
    environment = tmp_path / "environment"
    environment.mkdir()
    (environment / "spack.yaml").write_text("spack: {specs: [py-sweet], view: false}\n")
    spack("-e", environment, "concretize", "--wheels", "only", environ=sweet.environ)
    locked = (environment / "spack.lock").read_text()
    digest = hashlib.sha256(sweet.file("sweet-1.0-py3-none-any.whl").read_bytes()).hexdigest()
    assert digest in locked
    sweet.add("sweet", modules={"sweet.py": "EVIL = True\n"})
    result = spack.fails("-e", environment, "install", environ=sweet.environ)
    assert "checksum mismatch" in result.err
    assert digest in result.err
    # an index that lies about it serves the other file under the right digest
    sweet.change("sweet-1.0-py3-none-any.whl", sha256=digest)
    result = spack.fails("-e", environment, "install", environ=sweet.environ)
    assert "checksum mismatch" in result.err or "size" in result.err
    # a lock that was changed
    (environment / "spack.lock").write_text(locked.replace(digest, "0" * 64))
    result = spack.fails("-e", environment, "install", environ=sweet.environ)
    assert "is not what its hash says" in result.err


def test_what_an_index_says_of_a_file(spack: Command, sweet: WheelIndex) -> None:
    name = "sweet-1.0-py3-none-any.whl"
    wrong: dict[str, dict[str, Any]] = {
        "was yanked": {"yanked": True},
        "Requires-Python of sweet 1.0 is <3": {"requires_python": "<3"},
        "gives no sha256 of": {"sha256": None},
    }
    for text, changes in wrong.items():
        whole = sweet.projects["sweet"][0]
        sweet.change(name, **changes)
        with sweet.served() as environ:
            result = spack.fails("spec", "py-sweet build_system=python_binary", environ=environ)
        assert "py-sweet cannot be a wheel of the index" in result.err
        assert text in result.err
        sweet.offer("sweet", whole)
    result = spack.fails("spec", "py-sweet@=2 build_system=python_binary", environ=sweet.environ)
    assert "the index has no wheel of sweet 2" in result.err


def test_an_index_that_lies_about_a_size(spack: Command, sweet: WheelIndex) -> None:
    name = "sweet-1.0-py3-none-any.whl"
    size = sweet.projects["sweet"][0].size
    assert size is not None
    for said, text in ((size + 5, f"has {size} bytes, not {size + 5}"), (size - 5, "longer than")):
        sweet.change(name, size=said)
        with sweet.served() as environ:
            result = spack.fails("install", "--wheels", "only", "py-sweet", environ=environ)
        assert text in result.err


def test_no_wheel_fits(spack: Command, recipes: RecipeRepository, index: WheelIndex) -> None:
    add_recipe(recipes, "sweet")
    index.add("sweet", tag="cp39-cp39-win_amd64")
    result = spack.fails("spec", "--wheels", "only", "py-sweet", environ=index.environ)
    assert "its wheels are for cp39-cp39-win_amd64; cp3" in result.err
    assert "and the like would do" in result.err
    add_recipe(recipes, "sour")
    result = spack.fails("spec", "--wheels", "only", "py-sour", environ=index.environ)
    assert "the index has no wheel of sour 1.0" in result.err
    recipes.add("py-bitter", 'version("1.0", sha256="' + "0" * 64 + '")\n', base="PythonPackage")
    result = spack.fails("spec", "--wheels", "only", "py-bitter", environ=index.environ)
    assert "the recipe of py-bitter names no project of the index" in result.err


def test_wheels_that_are_not_what_they_seem(
    spack: Command, recipes: RecipeRepository, index: WheelIndex
) -> None:
    for name in ("name", "release", "record"):
        add_recipe(recipes, name)
    index.add("name", name="other")
    index.add("record", record=False)
    path = index.add("release", "2.0")
    moved = index.file("release-1.0-py3-none-any.whl")
    moved.write_bytes(path.read_bytes())
    offer = index.projects["release"][0]
    index.offer("release", offer._replace(filename=moved.name))
    said = {
        "name": "its metadata is of other, not name",
        "release": "cannot be installed",
        "record": "record.py is not in RECORD",
    }
    for name, text in said.items():
        result = spack.fails("install", "--wheels", "only", f"py-{name}", environ=index.environ)
        assert text in result.err, name


def test_metadata_and_recipe_differ(
    spack: Command, recipes: RecipeRepository, index: WheelIndex
) -> None:
    add_recipe(recipes, "sweet")
    add_recipe(recipes, "sour")
    index.add("sweet", requires=["sour>=1", 'bitter; python_version < "3"'])
    result = spack("install", "--wheels", "only", "py-sweet", environ=index.environ)
    assert 'Requires-Dist requires sour>=1: add depends_on("py-sour@1:"' in result.text
    assert "bitter" not in result.text


def test_pages_are_kept_as_the_index_says(
    spack: Command, sweet: WheelIndex, tmp_path: Path
) -> None:
    words = ("-c", f"config:misc_cache:{tmp_path / 'misc'}", "spec", "--wheels", "only", "py-sweet")
    with sweet.served({"Cache-Control": "max-age=600", "ETag": '"1"'}) as environ:
        for _ in range(2):
            spack(*words, environ=environ)
        assert sweet.requests == [("/simple/sweet/", 200)]
    # without the index: what is kept serves
    spack(*words, environ=environ)
    sweet.requests.clear()
    with sweet.served({"ETag": '"1"'}) as environ:
        for _ in range(2):
            spack(*words, environ=environ)
        assert sweet.requests == [("/simple/sweet/", 200), ("/simple/sweet/", 304)]


def test_without_an_index(spack: Command, recipes: RecipeRepository, sweet: WheelIndex) -> None:
    """What may be built is built; that nothing but wheels is wanted cannot be helped."""
    with sweet.served() as environ:
        pass
    preferred = spack("spec", "--wheels", "prefer", "py-sweet", environ=environ)
    assert "build_system=python_wheel" in preferred.lines[0]
    result = spack.fails("spec", "--wheels", "only", "py-sweet", environ=environ)
    assert "127.0.0.1" in result.err


def nodes_of(spack: Command, *words: object, environ: dict[str, str]) -> dict[str, str]:
    """Return versions by package, of what words of `spack spec` become."""
    shown = spack("spec", "--json", *words, environ=environ).out
    return {node["name"]: node["version"] for node in json.loads(shown)["spec"]["nodes"]}


@pytest.fixture
def projects(spack: Command, index: WheelIndex) -> WheelIndex:
    """Return an index with projects that have no recipes."""
    add = index.add
    add("sweet", "2.0", requires=["sour>=2"], requires_python=">=3.99")
    add(
        "sweet",
        requires=["sour<2", "bitter; extra == 'full'", "sweet[full]; extra == 'all'"],
        extras=["full", "all"],
        scripts={"sweet": "sweet:main"},
        modules={"sweet.py": "import sour\n\n\ndef main():\n    print('sweet', sour.VERSION)\n"},
    )
    for version in ("1.0", "1.5", "2.0", "2.1"):
        add("sour", version)
    add("bitter", requires=["sour!=1.5"])
    return index


def test_projects_without_recipes(spack: Command, projects: WheelIndex, tmp_path: Path) -> None:
    environ = projects.environ
    found = nodes_of(spack, "pypi:Sweet", environ=environ)
    assert {key: found[key] for key in found if key.startswith("py-")} == {
        "py-sweet": "1.0",
        "py-sour": "1.5",
    }
    found = nodes_of(spack, "pypi:sweet[all]", environ=environ)
    assert (found["py-sour"], found["py-bitter"]) == ("1.0", "1.0")
    environment = tmp_path / "environment"
    environment.mkdir()
    (environment / "spack.yaml").write_text("spack: {specs: [], view: view}\n")
    spack("-e", environment, "add", "pypi:sweet[full]", environ=environ)
    assert "pypi.py-sweet+full" in (environment / "spack.yaml").read_text()
    spack("-e", environment, "install", environ=environ)
    program = [str(environment / "view" / "bin" / "sweet")]
    assert subprocess.check_output(program, text=True) == "sweet 1.0\n"
    # it is locked, and the index is not needed any more
    (environment / "spack.lock").read_text().index('"namespace": "pypi"')
    nothing = WheelIndex(tmp_path / "nothing").environ
    assert "is up to date" in spack("-e", environment, "concretize", environ=nothing).text
    spack("uninstall", "-fy", "--dependents", "py-sour", environ=nothing)
    spack("-e", environment, "install", environ=nothing)
    assert subprocess.check_output(program, text=True) == "sweet 1.0\n"
    assert spack("verify", "manifest", "-a", environ=nothing).code == 0


def test_new_releases_are_seen(spack: Command, projects: WheelIndex) -> None:
    """Answers that the index has given are not kept."""
    environ = projects.environ
    assert nodes_of(spack, "pypi:sour", environ=environ)["py-sour"] == "2.1"
    projects.add("sour", "2.2")
    assert nodes_of(spack, "pypi:sour", environ=environ)["py-sour"] == "2.2"


def test_a_recipe_is_taken_before_its_project(
    spack: Command, recipes: RecipeRepository, projects: WheelIndex
) -> None:
    recipes.plain("py-sour", version="1.2")
    shown = spack("spec", "--json", "pypi:sweet", environ=projects.environ).out
    nodes = {node["name"]: node for node in json.loads(shown)["spec"]["nodes"]}
    assert (nodes["py-sour"]["namespace"], nodes["py-sour"]["version"]) == ("tiny", "1.2")
    assert nodes["py-sweet"]["namespace"] == "pypi"
    asked = spack("spec", "--json", "pypi:sour", environ=projects.environ).out
    assert json.loads(asked)["spec"]["nodes"][0]["namespace"] == "tiny"


def test_a_recipe_of_another_name_is_the_project_that_it_names(
    spack: Command, recipes: RecipeRepository, projects: WheelIndex
) -> None:
    """``pypi =`` in the recipe says which project it is, not its name."""
    body = 'pypi = "Sour/sour-1.2.tar.gz"\nversion("1.2", sha256="' + "0" * 64 + '")\n'
    recipes.add("lemon", body, base="PythonPackage")
    recipes.add("py-bitter", body.replace("Sour/sour", "other/other"), base="PythonPackage")
    found = nodes_of(spack, "pypi:sweet", environ=projects.environ)
    assert found["lemon"] == "1.2"
    assert "py-sour" not in found
    asked = spack("spec", "--json", "pypi:sour", environ=projects.environ).out
    assert json.loads(asked)["spec"]["nodes"][0]["name"] == "lemon"


def test_projects_that_cannot_be_used(spack: Command, projects: WheelIndex) -> None:
    environ = projects.environ
    result = spack.fails("spec", "pypi:nothing", environ=environ, code=2)
    assert "cannot use the project nothing of the package index: it has no wheel" in result.err
    result = spack.fails("spec", "pypi:sweet[most]", environ=environ, code=2)
    assert "the project sweet has no extra most" in result.err
    assert "its extras are all, full" in result.err
    projects.add("odd", requires=["sour @ https://host.invalid/sour.whl"])
    result = spack.fails("spec", "pypi:odd", environ=environ, code=2)
    assert "no recipe can say what it needs: sour @ https" in result.err
    projects.add("asking", requires=["sour>=3"])
    result = spack.fails("spec", "pypi:asking", environ=environ)
    assert "py-asking depends on py-sour@3:" in result.err
    projects.file("broken-1.0-py3-none-any.whl").write_bytes(b"no zip")
    digest = hashlib.sha256(b"no zip").hexdigest()
    projects.offer("broken", Offer("broken-1.0-py3-none-any.whl", digest, 6))
    result = spack.fails("spec", "pypi:broken", environ=environ, code=2)
    assert "broken-1.0-py3-none-any.whl has no metadata" in result.err


def test_metadata_beside_a_wheel(spack: Command, projects: WheelIndex) -> None:
    """They are read where the index serves them; a wheel that needs more says so."""
    name = projects.add("lying", requires=["sour<2"]).name
    projects.metadata[name] = "Metadata-Version: 2.1\nName: lying\nVersion: 1.0\n"
    with projects.served() as environ:
        assert "py-sour" not in nodes_of(spack, "pypi:lying", environ=environ)
        assert (f"/files/{name}.metadata", 200) in projects.requests
        assert (f"/files/{name}", 200) not in projects.requests
        result = spack("install", "pypi:lying", environ=environ)
        assert "its wheel requires sour<2, the metadata of the index do not" in result.text


def test_an_index_without_digests(spack: Command, sweet: WheelIndex) -> None:
    """Refused, unless files without checksums are taken: then they are computed, and hold."""
    name = "sweet-1.0-py3-none-any.whl"
    digest, size = sweet.projects["sweet"][0].sha256, sweet.projects["sweet"][0].size
    sweet.change(name, sha256=None, size=None)
    with sweet.served() as environ:
        result = spack.fails("install", "--wheels", "only", "py-sweet", environ=environ)
        assert f"gives no sha256 of {name}, and config:checksum does not let" in result.err
        words = ("-c", "config:checksum:false", "spec", "--json", "--wheels", "only", "py-sweet")
        shown = spack(*words, environ=environ).out
        chosen = json.loads(shown)["spec"]["nodes"][0]["parameters"]
        assert (chosen["wheel_sha256"], chosen["wheel_size"]) == (digest, str(size))


def test_a_mirror_of_wheels(
    spack: Command, sweet: WheelIndex, tmp_path: Path, make_spack: Callable[[Path], Command]
) -> None:
    mirror = tmp_path / "mirror"
    words = ("mirror", "create", "-d", mirror, "--wheels", "only", "-D", "py-sweet")
    spack(*words, environ=sweet.environ)
    (file,) = [path for path in mirror.rglob("*.whl") if path.is_file()]
    assert file.read_bytes() == sweet.file("sweet-1.0-py3-none-any.whl").read_bytes()
