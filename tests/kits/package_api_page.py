"""The pages of what recipes import, from its docstrings: the package API and the build systems.

Written by ``tests/kits/reference_pages.py --write``. Only what no Python version changes is in it:
signatures have no annotations.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import textwrap
from collections.abc import Container, Iterable, Iterator
from types import ModuleType
from typing import Any, NamedTuple

__all__ = ["build_systems_page", "package_api_page"]


_BUILD_SYSTEMS = """\
Recipes derive their class from one of these:
`from spack_repo.builtin.build_systems.cmake import CMakePackage`. The phases of a build are methods
of its builder; a recipe that defines one replaces it. A builder looks up the methods and attributes
below on the recipe first. All of them have what [`PackageBase`](package-api.md#packagebase) and
[`Builder`](package-api.md#builder) have."""


def build_systems_page(note: str) -> str:
    """Return the page; *note* is its second line."""
    import spack.build_systems

    package = importlib.import_module("spack.package")
    lines = ["# Build systems", note, "", _BUILD_SYSTEMS]
    names = sorted(x.name for x in pkgutil.iter_modules(spack.build_systems.__path__))
    for module in (importlib.import_module(f"spack.build_systems.{x}") for x in names):
        name = module.__name__.rpartition(".")[2]
        classes = [
            x
            for x in (getattr(module, y) for y in getattr(module, "__all__", ()))
            if inspect.isclass(x) and x.__module__ == module.__name__
        ]
        if name.startswith("_") or not classes:
            continue
        lines += ["", f"## {name}", "", *markdown(inspect.getdoc(module) or "")]
        for kind in classes:
            lines += ["", f"### {kind.__name__}", "", *markdown(inspect.getdoc(kind) or "")]
            phases = vars(kind).get("phases", ())
            if phases:
                lines += ["", f"Phases: {', '.join(f'`{x}`' for x in phases)}."]
            lines += _members(kind, {*_classes(package), *classes[: classes.index(kind)]})
    return "\n".join(lines) + "\n"


class Topic(NamedTuple):
    """One section: the names of these modules, in the order of the modules' own ``__all__``."""

    title: str
    modules: tuple[str, ...]


TOPICS = (
    Topic("Directives", ("spack.api.directives", "spack.api.runtime.filter_compiler_wrappers")),
    Topic("Conditions and values", ("spack.api.when", "spack.api.variants", "spack.api.callbacks")),
    Topic("Packages", ("spack.api.package_base",)),
    Topic("Builders", ("spack.api.builder",)),
    Topic("Specs and versions", ("spack.spec",)),
    Topic("Programs", ("spack.api.executable",)),
    Topic("Files", ("spack.api.files", "spack.api.filters", "spack.api.prefix", "spack.api.links")),
    Topic("Finding files", ("spack.api.file_search", "spack.api.libraries")),
    Topic("Environment variables", ("spack.util.environment_modifications",)),
    Topic("Tests", ("spack.api.tests",)),
    Topic("Compilers and platforms", ("spack.api.platforms", "spack.api.runtime", "spack.api.elf")),
    Topic("URLs", ("spack.api.urls",)),
    Topic("Errors", ("spack.errors", "spack.api.compiler_view")),
    Topic("Helpers", ("spack.api.lang", "spack.api.module")),
)

_HEAD = """\
Recipes begin with `from spack.package import *`, which gives the names of this page, and import
the classes of their build systems, such as
`from spack_repo.builtin.build_systems.python import PythonPackage`
([Build systems](build-systems.md)).
The API is Spack's package API; the number after a name is the version that added it.

`packages/py_click/package.py` is a short recipe;
[Recipes from the package index](../recipes.md) says how one is written from the
metadata of a project."""


def package_api_page(note: str) -> str:
    """Return the page; *note* is its second line."""
    package = importlib.import_module("spack.package")
    since = {name: version for version, names in package.api.items() for name in names}
    lines = ["# Package API", note, "", _HEAD]
    rest = dict(since)
    documented = _classes(package)
    for topic in TOPICS:
        names = [name for name in since if name in rest and _belongs(package, name, topic)]
        lines += ["", f"## {topic.title}"]
        for name in names:
            lines += _entry(name, getattr(package, name), rest.pop(name), documented)
    lines += ["", "## Names of Python", "", "| name | is |", "|---|---|"]
    lines += [f"| `{name}` | {_origin(package, name)} |" for name in rest]
    return "\n".join(lines) + "\n"


def _belongs(package: ModuleType, name: str, topic: Topic) -> bool:
    value = getattr(package, name)
    module = _module_of(name, value)
    names = (module, f"{module}.{name}")
    if topic.title != "Directives" and f"{module}.{name}" in TOPICS[0].modules:
        return False
    return any(x in names or module.startswith(f"{x}.") for x in topic.modules)


def _classes(module: ModuleType) -> frozenset[type]:
    """Return the public classes of a module."""
    values = (getattr(module, name) for name in module.__all__)
    return frozenset(x for x in values if inspect.isclass(x))


def _is_flag_handler(value: Any) -> bool:
    return type(value).__name__ == "_FlagHandler"


def _module_of(name: str, value: Any) -> str:
    if _is_flag_handler(value):
        return "spack.api.package_base"
    return str(getattr(value, "__module__", None) or "")


#: What is no function and no class.
_VALUES = {
    "LC_ID_DYLIB": "the number 13, of Mach-O files",
    "all_deptypes": "all dependency types: `build`, `link`, `run`, `test`",
    "env": "`os.environ`: the variables of the build",
    "library_extensions": "suffixes of libraries on this platform, without dots",
    "spack_script": "the path of the command `spack`",
    "tty": "messages: `tty.msg`, `tty.warn`, `tty.debug`, `tty.die`",
}


def _origin(package: ModuleType, name: str) -> str:
    if name in _VALUES:
        return _VALUES[name]
    value = getattr(package, name)
    module = {"posix": "os"}.get(value.__module__, value.__module__)
    own = getattr(value, "__name__", None) or getattr(value, "_name", name)
    return f"`{module}.{own}`"


def _entry(name: str, value: Any, version: str, documented: Container[type]) -> Iterator[str]:
    yield from ("", f"### {name}", "")
    if _is_flag_handler(value):
        yield f"`{name}`, {version}"
        yield from ("", _comments(_source_of(value.__class__))[name])
        return
    yield f"`{name}{_signature(value)}`, {version}"
    yield from ("", *markdown(inspect.getdoc(value) or ""))
    if inspect.isclass(value):
        yield from _members(value, documented)


def _signature(value: Any) -> str:
    """Return the parameters with their defaults; nothing for what cannot be called so."""
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):
        return "" if inspect.isclass(value) else "(...)"
    parameters = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in signature.parameters.values()
        if parameter.name not in ("self", "cls", "definition")
    ]
    text = str(signature.replace(parameters=parameters, return_annotation=inspect.Signature.empty))
    return re.sub(r"=<[^>]*>", "=…", text)


def _members(kind: type, documented: Container[type]) -> Iterator[str]:
    """Yield a list of the public attributes and methods.

    :param documented: bases with a list of their own, which is referred to.
    """
    rows: dict[str, str] = {}
    above = next((x for x in kind.__mro__[1:] if x in documented), None)
    if above is not None:
        yield from ("", f"It has all that `{above.__name__}` has.")
    for base in kind.__mro__:
        if not base.__module__.startswith("spack.") or (above and issubclass(above, base)):
            continue
        comments = _comments(_source_of(base), base.__name__)
        for name, value in vars(base).items():
            if name.startswith("_") or name in rows or _is_flag_handler(value):
                continue
            text = comments.get(name, "")
            called = _unwrapped(value)
            if not text and callable(called):
                text = _first_paragraph(inspect.getdoc(called) or "")
            if text:
                shown = name if isinstance(value, property) else name + _called(called)
                rows[name] = f"* `{shown}`: {text}"
    if rows:
        yield from ("", "Attributes and methods:", "", *(rows[name] for name in sorted(rows)))


def _called(value: Any) -> str:
    return _signature(value) if inspect.isroutine(value) else ""


def _unwrapped(value: Any) -> Any:
    """Return the function behind a property, a class method, a static method."""
    for name in ("fget", "__func__", "callback"):
        inner = getattr(value, name, None)
        if inner is not None and inspect.isfunction(inner):
            return inner
    return value


def _source_of(kind: type) -> str:
    return inspect.getsource(inspect.getmodule(kind) or kind)


def _comments(source: str, kind: str = "") -> dict[str, str]:
    """Return the ``#:`` comments above assignments, of a module or of the class *kind* in it."""
    tree = ast.parse(source)
    lines = source.splitlines()
    body: Iterable[ast.stmt] = tree.body
    if kind:
        classes = [x for x in ast.walk(tree) if isinstance(x, ast.ClassDef) and x.name == kind]
        body = classes[0].body if classes else ()
    found = {}
    for statement in body:
        target = (
            getattr(statement, "target", None) or (getattr(statement, "targets", None) or [0])[0]
        )
        if not isinstance(target, ast.Name):
            continue
        above: list[str] = []
        number = statement.lineno - 2
        while number >= 0 and lines[number].strip().startswith("#:"):
            above.insert(0, lines[number].strip()[2:].strip())
            number -= 1
        if above:
            found[target.id] = _inline(" ".join(above))
    return found


def _first_paragraph(text: str) -> str:
    return _inline(" ".join(text.split("\n\n")[0].split())).partition(" :raises")[0]


_FIELD = re.compile(r":(?P<kind>param|ivar|cvar|raises|return|returns)(?: (?P<name>[^:]+))?:\s*")


def markdown(text: str) -> list[str]:
    """Return a docstring as Markdown: fields become a list, literal blocks code."""
    lines: list[str] = []
    parts = re.split(r"\n\s*\n", textwrap.dedent(text).strip())
    code = False
    for part in parts:
        if code and part.startswith(" "):
            lines += ["```python", *textwrap.dedent(part).splitlines(), "```", ""]
            continue
        code = part.endswith("::")
        if _FIELD.match(part):
            lines += [*_fields(part), ""]
        else:
            lines += [*_inline(part.removesuffix("::") + (":" if code else "")).splitlines(), ""]
    return lines[:-1]


def _fields(text: str) -> Iterator[str]:
    words = {"raises": "raises ", "return": "returns", "returns": "returns"}
    for field in re.split(r"\n(?=:)", text):
        match = _FIELD.match(field)
        assert match is not None, text
        name = f"`{match['name']}`" if match["name"] else ""
        rest = _inline(" ".join(field[match.end() :].split()))
        yield f"* {words.get(match['kind'], '')}{name}: {rest}"


def _inline(text: str) -> str:
    """Return text with roles and literals as Markdown's code."""
    text = re.sub(r":\w+:`~?([^`]+)`", r"`\1`", text)
    return text.replace("``", "`")
