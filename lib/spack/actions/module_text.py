"""The text of module files: one table of statements for each kind.

Values are quoted so that the module's language reads them as they are: Tcl's braces, Lua's long
brackets or escapes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Callable, NamedTuple

from spack.actions.module_layout import UnlockedDirectory
from spack.config.module_settings import ModuleKind
from spack.util.environment_modifications import Change

__all__ = ["DIALECTS", "ModuleContent", "ModuleDialect", "module_text"]


class ModuleContent(NamedTuple):
    """What a module file says and does.

    :ivar facts: lines of its help: name, version, target.
    :ivar autoload: names of modules that are loaded first.
    :ivar provides: virtual packages of which only one module may be loaded at a time (Lmod).
    :ivar provider: name and version by which other modules find the provider (Lmod).
    """

    summary: str
    description: str
    facts: Mapping[str, str]
    changes: Sequence[Change]
    autoload: Sequence[str] = ()
    prerequisites: Sequence[str] = ()
    conflicts: Sequence[str] = ()
    provides: Sequence[str] = ()
    provider: tuple[str, str] = ("", "")
    unlocked: Sequence[UnlockedDirectory] = ()


class ModuleDialect(NamedTuple):
    """How module files of one kind are written.

    :ivar hidden: file beside modules that hides some of them from ``module avail``.
    :ivar hide: its line for a module, with ``{name}``. :ivar hidden_head: its first line.
    """

    hidden: str
    hidden_head: str
    hide: str
    text: Callable[[ModuleContent], Iterator[str]]


def module_text(kind: ModuleKind, content: ModuleContent) -> str:
    """Return the text of a module file."""
    return "\n".join(DIALECTS[kind].text(content)) + "\n"


#: Statements by what is done to the environment: of Tcl, of Lua. The fields are name and value.
_STATEMENTS: Mapping[str, tuple[str, str]] = {
    "set": ("setenv {n} {v}", "setenv({n}, {v})"),
    "set_path": ("setenv {n} {v}", "setenv({n}, {v})"),
    "unset": ("unsetenv {n}", "unsetenv({n})"),
    "prepend_path": ("prepend-path{d} {n} {v}", "prepend_path({n}, {v}{d})"),
    "append_path": ("append-path{d} {n} {v}", "append_path({n}, {v}{d})"),
    "append_flags": ("append-path{d} {n} {v}", "append_path({n}, {v}{d})"),
    "remove_path": ("remove-path{d} {n} {v}", "remove_path({n}, {v}{d})"),
    "remove_first_path": ("remove-path{d} {n} {v}", "remove_path({n}, {v}{d})"),
    "remove_last_path": ("remove-path{d} {n} {v}", "remove_path({n}, {v}{d})"),
    "remove_flags": ("remove-path{d} {n} {v}", "remove_path({n}, {v}{d})"),
}


def _adds_manual_pages(changes: Sequence[Change]) -> bool:
    """Return whether the end of ``MANPATH`` must be empty, so that the system's pages are found."""
    return any(
        change.name == "MANPATH" and change.action in ("prepend_path", "append_path")
        for change in changes
    )


# -- Tcl ----------------------------------------------------------------------------------------


def _tcl(text: str) -> str:
    """Return *text* as a word of Tcl."""
    depth = 0
    for character in text:
        depth += (character == "{") - (character == "}")
        if depth < 0:
            break
    if depth == 0 and "\\" not in text and "\n" not in text:
        return "{" + text + "}"
    return '"' + "".join(_TCL_ESCAPES.get(character, character) for character in text) + '"'


_TCL_ESCAPES = {
    **{character: f"\\{character}" for character in '\\"$[]{};'},
    "\n": "\\n",
}


def _tcl_text(content: ModuleContent) -> Iterator[str]:
    yield "#%Module1.0"
    yield "# written by spack: `spack module tcl refresh` replaces changes"
    yield f"module-whatis {_tcl(content.summary)}"
    yield "proc ModulesHelp { } {"
    for key, value in content.facts.items():
        yield f"    puts stderr {_tcl(f'{key:<8}: {value}')}"
    for line in content.description.splitlines():
        yield f"    puts stderr {_tcl(line)}"
    yield "}"
    if content.autoload:
        # Lmod reads these files too: depends-on unloads what nothing needs any more.
        yield "if {![info exists ::env(LMOD_VERSION_MAJOR)]} {"
        yield from (f"    module load {_tcl(name)}" for name in content.autoload)
        yield "} else {"
        yield from (f"    depends-on {_tcl(name)}" for name in content.autoload)
        yield "}"
    yield from (f"prereq {_tcl(name)}" for name in content.prerequisites)
    yield from (f"conflict {_tcl(name)}" for name in content.conflicts)
    for change in content.changes:
        template = _STATEMENTS.get(change.action)
        if template is not None:
            delimiter = "" if change.separator == ":" else f" --delim {_tcl(change.separator)}"
            yield template[0].format(n=_tcl(change.name), v=_tcl(change.value), d=delimiter)
    if _adds_manual_pages(content.changes):
        yield "append-path MANPATH {}"


# -- Lua ----------------------------------------------------------------------------------------


def _lua(text: str) -> str:
    """Return *text* as a string of Lua."""
    return '"' + "".join(_LUA_ESCAPES.get(character, character) for character in text) + '"'


_LUA_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\0": "\\0"}


def _lua_text(content: ModuleContent) -> Iterator[str]:
    yield "-- -*- lua -*-"
    yield "-- written by spack: `spack module lmod refresh` replaces changes"
    for key, value in content.facts.items():
        yield f"whatis({_lua(f'{key}: {value}')})"
    yield f"whatis({_lua(f'Short description: {content.summary}')})"
    for key, value in content.facts.items():
        yield f"help({_lua(f'{key:<8}: {value}')})"
    yield from (f"help({_lua(line)})" for line in content.description.splitlines())
    yield from _lua_hierarchy(content)
    yield from (f"depends_on({_lua(name)})" for name in content.autoload)
    yield from (f"prereq({_lua(name)})" for name in content.prerequisites)
    yield from (f"conflict({_lua(name)})" for name in content.conflicts)
    for change in content.changes:
        template = _STATEMENTS.get(change.action)
        if template is not None:
            delimiter = f", {_lua(change.separator)}"
            yield template[1].format(n=_lua(change.name), v=_lua(change.value), d=delimiter)
    if _adds_manual_pages(content.changes):
        yield 'append_path("MANPATH", "", ":")'


def _lua_hierarchy(content: ModuleContent) -> Iterator[str]:
    """Yield what a provider does: it is one of a family, and opens directories of modules."""
    yield from (f"family({_lua(name)})" for name in content.provides)
    name, version = content.provider
    for virtual in content.provides:
        yield f"setenv({_lua(_variable(virtual, 'NAME'))}, {_lua(name)})"
        yield f"setenv({_lua(_variable(virtual, 'VERSION'))}, {_lua(version)})"
    for needs, parts in content.unlocked:
        path = ", ".join(_lua_part(part, needs) for part in parts)
        statement = f'prepend_path("MODULEPATH", pathJoin({path}))'
        if needs:
            loaded = (f"os.getenv({_lua(_variable(virtual, 'NAME'))})" for virtual in needs)
            statement = f"if {' and '.join(loaded)} then {statement} end"
        yield statement


def _lua_part(part: str, needs: Sequence[str]) -> str:
    """Return a part of a path; of what is needed, the one that its module says."""
    if part not in needs:
        return _lua(part)
    name, version = (f"os.getenv({_lua(_variable(part, end))})" for end in ("NAME", "VERSION"))
    return f"{name}, {version}"


def _variable(virtual: str, end: str) -> str:
    return f"LMOD_{virtual.upper().replace('-', '_')}_{end}"


DIALECTS: Mapping[ModuleKind, ModuleDialect] = {
    "tcl": ModuleDialect(
        ".modulerc",
        "#%Module4.7",
        "module-hide --soft --hidden-loaded {name}",
        _tcl_text,
    ),
    "lmod": ModuleDialect(
        ".modulerc.lua",
        "",
        'hide_version("{name}")',
        _lua_text,
    ),
}
