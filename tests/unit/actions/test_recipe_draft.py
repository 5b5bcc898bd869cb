"""What releases say of themselves, in the words of a recipe."""

from __future__ import annotations

import ast
from email.message import Message

import pytest

from spack.actions.project_license import ProjectLicense, license_of
from spack.actions.python_releases import PythonRelease
from spack.actions.recipe_draft import draft_recipe, version_ranges
from spack.actions.recipe_text import recipe_text
from spack.recipe.records import Recipe

VERSIONS = ["3.0", "2.1", "2.0", "1.4.1", "1.4"]


def release(version: str, *lines: str) -> PythonRelease:
    """Return a release whose metadata have *lines*."""
    metadata = Message()
    for line in lines:
        name, _, value = line.partition(": ")
        metadata[name] = value
    return PythonRelease("thing", version, f"thing-{version}.tar.gz", "0" * 64, metadata=metadata)


def no_recipe(project: str) -> tuple[str, Recipe | None]:
    return f"py-{project}", None


@pytest.mark.parametrize(
    ("held", "expected"),
    [
        (VERSIONS, [""]),
        (["3.0"], ["@3.0:"]),
        (["3.0", "2.1"], ["@2.1:"]),
        (["2.1", "2.0"], ["@2.0:2.1"]),
        (["2.0"], ["@2.0"]),
        (["3.0", "2.0"], ["@3.0:", "@2.0"]),
        (["1.4.1", "1.4"], ["@:1.4.1"]),
        # :1.4 would include 1.4.1.
        (["1.4"], ["@:1.4.0"]),
    ],
)
def test_version_ranges(held: list[str], expected: list[str]) -> None:
    assert version_ranges(VERSIONS, held) == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["License-Expression: MIT OR Apache-2.0"], ProjectLicense("MIT OR Apache-2.0", "")),
        (["License: MIT License"], ProjectLicense("MIT", "")),
        (["License: Apache License, Version 2.0"], ProjectLicense("Apache-2.0", "")),
        (["License: BSD"], ProjectLicense("", "BSD")),
        (
            ["Classifier: License :: OSI Approved :: MIT License"],
            ProjectLicense("MIT", ""),
        ),
        (
            [
                "Classifier: License :: OSI Approved :: MIT License",
                "Classifier: License :: OSI Approved :: BSD License",
            ],
            ProjectLicense("", "MIT License and BSD License"),
        ),
        ([], ProjectLicense("", "")),
    ],
)
def test_licenses(lines: list[str], expected: ProjectLicense) -> None:
    assert license_of(release("1", *lines)) == expected


def test_what_releases_say_differently() -> None:
    releases = [
        release("2.0", "Requires-Dist: a>=2", "License-Expression: MIT", "Requires-Python: >=3.9"),
        release("1.0", "Requires-Dist: a", "License: Strange", "Requires-Python: >=3.9"),
    ]
    text = recipe_text(draft_recipe("py-thing", releases, no_recipe))
    assert '    license("MIT", when="@2.0:")\n' in text
    assert "    # license: Strange (no SPDX expression) (versions :1.0)\n" in text
    assert '    depends_on("python@3.9:", type=("build", "run"))\n' in text
    assert '    depends_on("py-a@2:", type="run", when="@2.0:")\n' in text
    assert '    depends_on("py-a", type="run", when="@:1.0")\n' in text


def test_what_metadata_do_not_say() -> None:
    text = recipe_text(
        draft_recipe("py-thing", [release("1.0", 'Summary: A "thing"\\')], no_recipe)
    )
    (recipe,) = [node for node in ast.parse(text).body if isinstance(node, ast.ClassDef)]
    assert ast.get_docstring(recipe) == 'A "thing"\\.'
    assert "# homepage: the metadata name none" in text
    assert "# license: the metadata name none" in text
    assert "# import_modules: the source archive does not show" in text


def test_long_lines_are_broken() -> None:
    extra = "a-long-name-of-an-extra-that-needs-something"
    marker = f'; extra == "{extra}" and python_version < "3.11" and sys_platform == "darwin"'
    lines = [f"Provides-Extra: {extra}", f"Requires-Dist: some-long-project-name>=1.2,<2{marker}"]
    text = recipe_text(draft_recipe("py-thing", [release("1.0", *lines)], no_recipe))
    assert max(map(len, text.splitlines())) <= 99
    ast.parse(text)
