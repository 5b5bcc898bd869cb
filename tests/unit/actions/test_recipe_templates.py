"""The build system that an archive shows, and the recipe of it."""

from __future__ import annotations

import ast

import pytest

from spack.actions.recipe_templates import (
    TEMPLATES,
    guessed_template,
    package_name_for,
    template_text,
)


@pytest.mark.parametrize(
    ("names", "template"),
    [
        (["CMakeLists.txt", "configure"], "cmake"),
        (["configure", "src/CMakeLists.txt"], "autotools"),
        (["configure.ac", "Makefile.am"], "autoreconf"),
        (["lib/Makefile", "meson.build"], "meson"),
        (["Makefile"], "makefile"),
        (["setup.py"], "python"),
        (["NAMESPACE", "DESCRIPTION"], "r"),
        (["Cargo.toml"], "cargo"),
        (["go.mod", "Makefile"], "go"),
        (["Makefile.PL"], "perlmake"),
        (["README"], "generic"),
    ],
)
def test_guess(names: list[str], template: str) -> None:
    assert guessed_template("https://example.org/x-1.tar.gz", names) == template


def test_guess_by_the_url() -> None:
    assert guessed_template("https://example.org/x-1.gem", []) == "ruby"


def test_names() -> None:
    assert package_name_for("GTK+", "generic") == "gtk-plus"
    assert package_name_for("voro++", "cmake") == "voropp"
    assert package_name_for("Foo.bar_baz", "python") == "py-foo-bar-baz"
    assert package_name_for("py-foo", "python") == "py-foo"


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_template_is_python(template: str) -> None:
    text = template_text("foo", template, "https://example.org/foo-1.tar.gz", [("1", "a")], ["c"])
    ast.parse(text)
    assert 'version("1", sha256="a")' in text and 'depends_on("c", type="build")' in text
