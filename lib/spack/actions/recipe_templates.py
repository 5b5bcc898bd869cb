"""Recipes for sources of other languages: what the archive shows, and what is left to the user.

A row of :data:`TEMPLATES` is one build system: its base class, the files by which an archive shows
it, and what a recipe of it usually defines.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from spack.actions.recipe_text import directive, quoted
from spack.recipe.package_names import class_name

__all__ = ["TEMPLATES", "RecipeTemplate", "guessed_template", "package_name_for", "template_text"]


class Method(NamedTuple):
    """The head of a method and the lines of its body."""

    head: str
    body: tuple[str, ...]


class RecipeTemplate(NamedTuple):
    """One build system.

    :ivar module: of ``spack_repo.builtin.build_systems``.
    :ivar files: regular expressions of file names; the files nearest to the top decide.
    :ivar needs: names of build dependencies that the base class does not declare.
    :ivar method: what recipes usually define.
    :ivar prefix: of the names of packages.
    """

    module: str
    base: str
    files: str = ""
    needs: Sequence[str] = ()
    method: Method | None = None
    prefix: str = ""


def _arguments(name: str, what: str) -> Method:
    return Method(f"{name}(self)", (f"# {what}", "return []"))


_INSTALL = "install(self, spec, prefix)"
_CONFIGURE = ("configure_args", "Arguments of configure besides --prefix.")

#: In the order in which archives are asked: the first whose file is nearest to the top.
TEMPLATES: Mapping[str, RecipeTemplate] = {
    "cmake": RecipeTemplate(
        "cmake",
        "CMakePackage",
        r"CMakeLists\.txt",
        method=_arguments(
            "cmake_args", "Arguments besides CMAKE_INSTALL_PREFIX and CMAKE_BUILD_TYPE."
        ),
    ),
    "r": RecipeTemplate(
        "r",
        "RPackage",
        "NAMESPACE",
        prefix="r-",
        method=_arguments("configure_args", _CONFIGURE[1]),
    ),
    "cargo": RecipeTemplate("cargo", "CargoPackage", r"Cargo\.toml"),
    "go": RecipeTemplate("go", "GoPackage", r"go\.mod"),
    "autotools": RecipeTemplate(
        "autotools", "AutotoolsPackage", "configure", method=_arguments(*_CONFIGURE)
    ),
    "autoreconf": RecipeTemplate(
        "autotools",
        "AutotoolsPackage",
        r"configure\.(in|ac)|Makefile\.am",
        ("autoconf", "automake", "libtool", "m4"),
        method=_arguments(*_CONFIGURE),
    ),
    "maven": RecipeTemplate("maven", "MavenPackage", r"pom\.xml"),
    "scons": RecipeTemplate(
        "scons",
        "SConsPackage",
        "SConstruct",
        method=_arguments("build_args", "Arguments of scons."),
    ),
    "waf": RecipeTemplate("waf", "WafPackage", "waf"),
    "python": RecipeTemplate(
        "python", "PythonPackage", r"pyproject\.toml|setup\.(py|cfg)", prefix="py-"
    ),
    "bazel": RecipeTemplate(
        "generic",
        "Package",
        "WORKSPACE|MODULE.bazel",
        ("bazel",),
        method=Method(_INSTALL, ("# How its files get into the prefix is not known.", "bazel()")),
    ),
    "perlbuild": RecipeTemplate(
        "perl", "PerlPackage", r"Build\.PL", ("perl-module-build",), prefix="perl-"
    ),
    "perlmake": RecipeTemplate("perl", "PerlPackage", r"Makefile\.PL", prefix="perl-"),
    "ruby": RecipeTemplate(
        "ruby", "RubyPackage", r".*\.gemspec|Rakefile|setup\.rb", prefix="ruby-"
    ),
    "qmake": RecipeTemplate(
        "qmake", "QMakePackage", r".*\.pro", method=_arguments("qmake_args", "Arguments of qmake.")
    ),
    "lua": RecipeTemplate("lua", "LuaPackage", r".*\.rockspec", prefix="lua-"),
    "makefile": RecipeTemplate(
        "makefile",
        "MakefilePackage",
        "(GNU)?[Mm]akefile",
        method=Method(
            "edit(self, spec, prefix)",
            (
                "# What has to be changed in the Makefile, such as:",
                '# filter_file(r"^prefix\\s*=.*", f"prefix = {prefix}", "Makefile")',
                "pass",
            ),
        ),
    ),
    "octave": RecipeTemplate("octave", "OctavePackage", "DESCRIPTION", prefix="octave-"),
    "meson": RecipeTemplate(
        "meson",
        "MesonPackage",
        r"meson\.build",
        method=_arguments("meson_args", "Arguments besides --prefix, --libdir and --buildtype."),
    ),
    "sip": RecipeTemplate("sip", "SIPPackage", r"configure\.py", prefix="py-"),
    "racket": RecipeTemplate("racket", "RacketPackage", r"info\.rkt", prefix="rkt-"),
    "intel": RecipeTemplate("oneapi", "IntelOneApiPackage"),
    "bundle": RecipeTemplate("bundle", "BundlePackage"),
    "generic": RecipeTemplate(
        "generic",
        "Package",
        method=Method(
            _INSTALL, ("# How it is built and installed is not known.", "make()", 'make("install")')
        ),
    ),
}

#: Endings of URLs that show a build system by themselves.
_ENDINGS = {".gem": "ruby", ".whl": "python", ".rock": "lua"}

#: Languages whose compilers recipes ask for.
_COMPILED = ("c", "cxx", "fortran")


def guessed_template(url: str, names: Sequence[str]) -> str:
    """Return the build system of an archive, ``generic`` if nothing shows it.

    :param names: of its files, relative to its directory.
    """
    for ending, template in _ENDINGS.items():
        if url.endswith(ending):
            return template
    for name in sorted(names, key=lambda text: text.count("/")):
        for template, row in TEMPLATES.items():
            if row.files and re.fullmatch(row.files, name.rpartition("/")[2]):
                return template
    return "generic"


def package_name_for(text: str, template: str) -> str:
    """Return the name of the package for the name of a project: ``Foo_bar`` is ``foo-bar``."""
    name = text.lower().replace("_", "-").replace(".", "-")
    name = name.replace("++", "pp").replace("+", "-plus")
    prefix = TEMPLATES[template].prefix
    return name if name.startswith(prefix) else prefix + name


def template_text(
    name: str,
    template: str,
    url: str | None,
    versions: Sequence[tuple[str, str]],
    languages: Sequence[str],
) -> str:
    """Return a recipe to be completed: what is not known is a comment.

    :param versions: with the sha256 of each, newest first.
    """
    row = TEMPLATES[template]
    lines = [
        f"from spack_repo.builtin.build_systems.{row.module} import {row.base}",
        "",
        "from spack.package import *",
        "",
        "",
        f"class {class_name(name)}({row.base}):",
        f'    """FIXME: what {name} is, in a sentence."""',
        "",
        '    # homepage = "https://..."',
    ]
    if url is not None:
        lines += [f"    url = {quoted(url)}"]
    lines += ["", '    # license("SPDX-EXPRESSION")', ""]
    for version, sha256 in versions:
        lines += directive("version", [quoted(version), f"sha256={quoted(sha256)}"])
    if not versions:
        lines += ['    # version("1.0"' + (', sha256="...")' if url else ")")]
    lines += [""]
    for need in [*(x for x in _COMPILED if x in languages), *row.needs]:
        lines += directive("depends_on", [quoted(need), 'type="build"'])
    lines += ['    # depends_on("NAME@VERSIONS", type=("build", "link", "run"))']
    if row.method is not None:
        body = (f"        {line}" for line in row.method.body)
        lines += ["", f"    def {row.method.head}:", *body]
    return "\n".join(lines) + "\n"
