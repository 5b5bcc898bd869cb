"""The section ``modules``: which module files there are, what they are called and what they do.

A set of modules (``default``, or another name) has a directory and rules for each kind of module
file, Tcl and Lmod. Rules are written below specs; for a node those below ``all`` come first, then
those of every spec that it satisfies, in order: lists grow, all else is replaced.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from spack.config.config_keys import ENVIRONMENT_CHANGES, PATH, PROJECTIONS, TEXTS
from spack.config.schema import (
    BOOL,
    TEXT,
    Choice,
    Either,
    Integer,
    ListOf,
    MapOf,
    Record,
    strip,
)
from spack.config.section_reader import SectionReader

__all__ = [
    "MODULES",
    "MODULE_KINDS",
    "UPSTREAM_MODULES",
    "ModuleKind",
    "ModuleSet",
    "ModuleTree",
    "read_module_sets",
]

ModuleKind = Literal["tcl", "lmod"]
MODULE_KINDS: tuple[ModuleKind, ...] = get_args(ModuleKind)

_DEPENDENCIES = Choice("none", "run", "direct", "all")
_RULES = Record(
    {
        "filter": Record({"exclude_env_vars": TEXTS}),
        "template": TEXT,
        "autoload": _DEPENDENCIES,
        "prerequisites": _DEPENDENCIES,
        "conflict": TEXTS,
        "load": TEXTS,
        "suffixes": MapOf(TEXT),
        "environment": ENVIRONMENT_CHANGES,
    }
)
_TREE = {
    "verbose": BOOL,
    "hash_length": Integer(0),
    "include": TEXTS,
    "exclude": TEXTS,
    "exclude_implicits": BOOL,
    "hide_implicits": BOOL,
    "defaults": TEXTS,
    "naming_scheme": TEXT,
    "projections": PROJECTIONS,
}
_HIERARCHY = {
    "core_compilers": TEXTS,
    "hierarchy": TEXTS,
    "core_specs": TEXTS,
    "filter_hierarchy_specs": MapOf(TEXTS),
}
_INSPECTIONS = MapOf(TEXTS)

MODULES = MapOf(
    Record(
        {
            "use_view": Either(BOOL, TEXT),
            "arch_folder": BOOL,
            "roots": Record(dict.fromkeys(MODULE_KINDS, PATH)),
            "enable": ListOf(Choice(*MODULE_KINDS)),
            "tcl": MapOf(_RULES, _TREE),
            "lmod": MapOf(_RULES, {**_TREE, **_HIERARCHY}),
            "prefix_inspections": _INSPECTIONS,
        }
    ),
    {"prefix_inspections": _INSPECTIONS},
)

#: Of an upstream install tree: the directories of its module files by kind.
UPSTREAM_MODULES = Record(dict.fromkeys(MODULE_KINDS, PATH))

#: What a new set of modules is called like, where nothing is configured.
_PROJECTIONS: Mapping[ModuleKind, str] = {
    "tcl": "{name}/{version}-{compiler.name}-{compiler.version}",
    "lmod": "{name}/{version}",
}


_ROOTS: Mapping[ModuleKind, str] = {
    "tcl": "$data/share/spack/modules",
    "lmod": "$data/share/spack/lmod",
}


class ModuleTree(NamedTuple):
    """The module files of one kind in a set.

    :ivar root: their directory.
    :ivar projections: spec -> format of the name; ``all`` for the rest.
    :ivar rules: spec (or ``all``) -> what is written below it, in order.
    :ivar hierarchy: virtual packages whose provider is a level of the directories (Lmod).
    :ivar core_compilers: what is built with them needs no compiler's module (Lmod).
    :ivar without_levels: spec -> virtual packages that are not levels for it (Lmod).
    """

    kind: ModuleKind
    root: Path
    projections: Mapping[str, str]
    rules: Mapping[str, Mapping[str, Any]]
    hash_length: int = 7
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    exclude_implicits: bool = False
    hide_implicits: bool = False
    defaults: tuple[str, ...] = ()
    hierarchy: tuple[str, ...] = ()
    core_compilers: tuple[str, ...] = ()
    core_specs: tuple[str, ...] = ()
    without_levels: Mapping[str, tuple[str, ...]] = {}

    def rules_of(self, satisfied: Mapping[str, bool]) -> dict[str, Any]:
        """Return the rules of a node; *satisfied* says by spec whether it satisfies that."""
        merged: dict[str, Any] = {}
        for spec, rules in self.rules.items():
            if spec == "all" or satisfied[spec]:
                _extend(merged, rules)
        return merged


class ModuleSet(NamedTuple):
    """A named set of module files.

    :ivar use_view: the view whose paths they show: True is ``default``, False none.
    :ivar arch_folder: whether there is a directory for each architecture.
    :ivar enable: kinds that are written by installs.
    :ivar inspections: directory below a prefix -> variables that get it, if it is there.
    """

    name: str
    use_view: bool | str
    arch_folder: bool
    enable: tuple[ModuleKind, ...]
    inspections: Mapping[str, tuple[str, ...]]
    trees: Mapping[ModuleKind, ModuleTree]


def read_module_sets(reader: SectionReader) -> dict[str, ModuleSet]:
    """Return the sets of modules by name."""
    tree = reader.sections.get("modules")
    every: dict[str, Any] = {} if tree is None else strip(tree)
    common = every.get("prefix_inspections", {})
    names = [name for name in every if name != "prefix_inspections"]
    return {name: _read_set(reader, name, every[name] or {}, common) for name in names}


def _read_set(
    reader: SectionReader, name: str, data: Mapping[str, Any], common: Mapping[str, Any]
) -> ModuleSet:
    inspections = dict(common)
    for folder, variables in data.get("prefix_inspections", {}).items():
        inspections[folder] = [*variables, *inspections.get(folder, ())]
    return ModuleSet(
        name,
        data.get("use_view", False),
        data.get("arch_folder", True),
        tuple(data.get("enable", ())),
        inspections={folder: tuple(dict.fromkeys(x)) for folder, x in inspections.items()},
        trees={kind: _read_tree(reader, name, kind, data.get(kind, {})) for kind in MODULE_KINDS},
    )


def _read_tree(
    reader: SectionReader, name: str, kind: ModuleKind, data: Mapping[str, Any]
) -> ModuleTree:
    projections = data.get("projections") or {"all": data.get("naming_scheme", _PROJECTIONS[kind])}
    known = _TREE.keys() | _HIERARCHY.keys()
    rules = {spec: rows or {} for spec, rows in data.items() if spec not in known}
    texts = {
        key: tuple(data.get(key, ()))
        for key in ("include", "exclude", "defaults", "hierarchy", "core_compilers", "core_specs")
    }
    return ModuleTree(
        kind,
        reader.path(_ROOTS[kind], "modules", name, "roots", kind),
        {"all": _PROJECTIONS[kind], **projections},
        # Those of `all` come first, wherever they are written.
        dict(sorted(rules.items(), key=lambda row: row[0] != "all")),
        hash_length=data.get("hash_length", 7),
        exclude_implicits=data.get("exclude_implicits", False),
        hide_implicits=data.get("hide_implicits", False),
        without_levels={
            spec: tuple(names) for spec, names in data.get("filter_hierarchy_specs", {}).items()
        },
        **texts,
    )


def _extend(merged: dict[str, Any], rules: Mapping[str, Any]) -> None:
    for key, value in rules.items():
        if isinstance(value, list):
            merged[key] = [*merged.get(key, ()), *value]
        elif isinstance(value, dict):
            merged[key] = dict(merged.get(key, {}))
            _extend(merged[key], value)
        else:
            merged[key] = value
