"""What metadata of the package index say, as records of recipes."""

from __future__ import annotations

from email.message import Message
from email.parser import Parser

from spack.recipe.index_recipes import (
    IndexRelease,
    bare_index_recipe,
    index_recipe,
    read_release_needs,
)
from spack.recipe.records import Recipe, VariantRecord

BARE = bare_index_recipe("py-sweet", "sweet", "packages/py_sweet/package.py", "0" * 64)


def metadata(*lines: str) -> Message:
    return Parser().parsestr("\n".join(("Name: sweet", "Version: 1.0", *lines, "")))


def release(*lines: str, version: str = "1.0", extras: tuple[str, ...] = ()) -> IndexRelease:
    return read_release_needs("sweet", version, metadata(*lines), extras, "linux")


def made(
    *releases: IndexRelease, extras: tuple[str, ...] = (), known: Recipe | None = None
) -> Recipe:
    return index_recipe(BARE, releases, extras, lambda name: (f"py-{name}", known))


def dependencies(recipe: Recipe) -> set[tuple[str, str]]:
    """Spec and condition of what is needed beside the interpreter."""
    return {(x.spec, x.when) for x in recipe.dependencies if x.types == ("run",)}


def test_requirements_of_several_releases() -> None:
    recipe = made(
        release("Requires-Dist: sour>=2,<3", "Requires-Dist: bitter", version="2.0"),
        release("Requires-Dist: sour (>=1.5)", "Requires-Dist: bitter"),
    )
    assert dependencies(recipe) == {
        ("py-sour@2", "@=2.0"),
        ("py-sour@1.5:", "@=1.0"),
        ("py-bitter", ""),
    }
    assert [row.version for row in recipe.versions] == ["2.0", "1.0"]
    assert recipe.namespace == "pypi"


def test_markers_are_conditions() -> None:
    recipe = made(
        release(
            'Requires-Dist: tomli; python_version < "3.11"',
            'Requires-Dist: pywin32; sys_platform == "win32"',
            'Requires-Dist: old; python_version < "3"',
        )
    )
    assert dependencies(recipe) == {("py-tomli", "%python@:3.10")}


def test_extras_are_variants() -> None:
    lines = (
        "Provides-Extra: Fast",
        "Provides-Extra: all",
        "Provides-Extra: unused",
        'Requires-Dist: quick[most]; extra == "fast"',
        'Requires-Dist: sweet[fast]; extra == "all"',
        'Requires-Dist: never; extra == "unused"',
    )
    extras = ("fast", "all")
    recipe = made(release(*lines, extras=extras), extras=extras)
    assert {row.name for row in recipe.variants} == {"build_system", "fast", "all"}
    assert dependencies(recipe) == {("py-quick+most", "+fast")}
    assert [(row.specs, row.when) for row in recipe.requirements] == [(("+fast",), "+all")]
    with_recipe = Recipe("py-quick", "builtin", "", "0")
    known = made(release(*lines, extras=extras), extras=extras, known=with_recipe)
    assert dependencies(known) == {("py-quick", "+fast")}, "its recipe has no such variant"
    variant = VariantRecord("most", "bool", ("false",), None)
    with_variant = with_recipe.with_variants((variant,))
    known = made(release(*lines, extras=extras), extras=extras, known=with_variant)
    assert dependencies(known) == {("py-quick+most", "+fast")}


def test_the_interpreter() -> None:
    recipe = made(release("Requires-Python: >=3.12", version="2"), release("Requires-Python: x"))
    assert dependencies(recipe) == {("python@3.12:", "@=2")}


def test_releases_that_cannot_be_said() -> None:
    reasons = {
        "Requires-Dist: @@@": "malformed requirement",
        "Requires-Dist: sour @ https://host.invalid/sour.whl": "no recipe can say what it needs",
        "Requires-Dist: sour==1.0+local": "no recipe can say what it needs",
        'Requires-Dist: sour; platform_release > "5"': "no recipe can say what it needs",
    }
    for line, reason in reasons.items():
        found = release(line)
        assert reason in found.reason
        assert made(found).versions == ()
