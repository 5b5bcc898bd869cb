"""Scopes: where configuration comes from, from the lowest precedence to the highest.

=============  ==========================================================================
defaults       ``etc/*.yaml`` of this installation
system         ``/etc/spack``, or ``SPACK_SYSTEM_CONFIG_PATH``
site           ``etc/site/*.yaml`` of this installation
user           ``~/.spack``, or ``SPACK_USER_CONFIG_PATH``
environment    the sections of the active environment's ``spack.yaml``
custom         directories and files given with ``-C``
command line   ``-c section:key:value``
=============  ==========================================================================

``SPACK_DISABLE_LOCAL_CONFIG`` leaves out system and user. A directory may have a subdirectory
with the platform's name (``linux/packages.yaml``), which is above it. Files and directories
that a scope includes (``include:``) are below the scope, the first one highest.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    NamedTuple,
)

from spack.config.includes import IncludeAccess, included_paths
from spack.config.keys import ENVIRONMENT, SECTIONS
from spack.config.merge import merge
from spack.config.schema import ConfigReport, Origin, Record, Tree, as_nodes, key_name, suggestion
from spack.config.unsupported import idle_notes
from spack.config.variables import Variables
from spack.errors import ConfigError, SpecError, UsageError
from spack.util import yaml

if TYPE_CHECKING:
    from spack.util.yaml import Node

__all__ = [
    "ENVIRONMENT_SCOPE",
    "Scope",
    "command_line_scope",
    "custom_scope",
    "data_scope",
    "environment_scope",
    "read_scopes",
    "split_setting",
    "standard_scopes",
]

#: Sections of a directory scope that are files of their own.
_FILES = {f"{section}.yaml": section for section in SECTIONS}
#: The name of the scope of the active environment.
ENVIRONMENT_SCOPE = "environment"
_FALSE = frozenset({"", "0", "false", "no", "off"})
_MOST_INCLUDES = 100


class Scope(NamedTuple):
    """A named source of sections.

    :ivar path: a directory of ``<section>.yaml`` files, one file with several sections, or,
        when ``sections`` is given, the file (or the words) that its values are attributed to.
    :ivar sections: the unchecked trees of a scope that is already in memory.
    :ivar required: a missing path is an error.
    :ivar fresh: of sections in memory, whether they are read for the first time.
    """

    name: str
    path: str
    sections: Mapping[str, Node] | None = None
    required: bool = False
    fresh: bool = True


def standard_scopes(etc: str, environ: Mapping[str, str], home: str) -> tuple[Scope, ...]:
    """Return defaults, system, site and user.

    :param etc: the directory of the default files.
    """
    scopes = [Scope("defaults", etc, required=True)]
    local = environ.get("SPACK_DISABLE_LOCAL_CONFIG", "").lower() in _FALSE
    if local:
        scopes.append(Scope("system", environ.get("SPACK_SYSTEM_CONFIG_PATH") or "/etc/spack"))
    scopes.append(Scope("site", os.path.join(etc, "site")))
    if local:
        scopes.append(Scope("user", user_config_path(environ, home)))
    return tuple(scopes)


def user_config_path(environ: Mapping[str, str], home: str) -> str:
    """Return the directory of the user's own files."""
    return environ.get("SPACK_USER_CONFIG_PATH") or os.path.join(home, ".spack")


def custom_scope(path: str) -> Scope:
    """Return the scope that ``-C`` names: a directory of sections, or one file."""
    return Scope("custom", path, required=True)


def data_scope(name: str, data: Mapping[str, Any]) -> Scope:
    """Return plain data as a scope; its values have ``name`` as origin."""
    return Scope(name, name, {key: as_nodes(value) for key, value in data.items()})


def environment_scope(manifest: yaml.Loaded, name: str = ENVIRONMENT_SCOPE) -> Scope:
    """Return the configuration sections of a ``spack.yaml`` that has been checked."""
    spack = manifest.node(("spack",))[0] or {}
    sections = {
        key: node
        for key, node in spack.items()
        if key_name(key) in SECTIONS and key_name(key) not in _NOT_CONFIGURATION
    }
    return Scope(name, manifest.file, sections, fresh=manifest.fresh)


def check_specs(specs: Iterable[Tree], report: ConfigReport) -> None:
    """Parse spec texts; what is wrong with them goes to ``report``."""
    from spack.spec.parser import parse  # start-up: only files that changed are checked

    for spec in specs:
        try:
            parse(spec.value)
        except SpecError as error:
            lines = "".join(f"\n{line}" for line in (error.long_message or "").splitlines())
            report.add(spec.origin, f"{error.message}{lines}", error.hint)


#: Sections of a manifest that the environment layer reads itself.
_NOT_CONFIGURATION = frozenset({"view", "definitions", "develop"})


def check_environment(manifest: yaml.Loaded) -> Tree:
    """Check a whole ``spack.yaml``; the result is the tree below ``spack:``.

    :raises ConfigError: every problem at once.
    """
    report = ConfigReport()
    tree = ENVIRONMENT.check(manifest.tree, manifest.file, (), report)
    if manifest.fresh:
        check_specs(report.specs, report)
    report.raise_if_any()
    manifest.remember()
    spack: Tree = next(iter(tree.value.values()))
    return spack


def command_line_scope(settings: Sequence[str]) -> Scope:
    """Return ``-c section:key:value`` options; later ones win.

    The value is what follows the last colon outside quotes and brackets, read as YAML; an empty
    part (``packages:all::``) replaces what lower scopes say.

    :raises UsageError: an option has no value, or its section is not known.
    """
    tree: dict[str, Any] = {}
    for setting in settings:
        keys, value = split_setting(setting)
        if len(keys) < 2 and not isinstance(value, (dict, list)):
            raise UsageError(
                f"cannot read the setting {setting!r}",
                hint="settings are written section:key:value, as in config:build_jobs:4",
                ref="config-setting",
            )
        if key_name(keys[0]) not in SECTIONS:
            raise UsageError(
                f"unknown configuration section {keys[0]!r} in {setting!r}",
                hint=suggestion(keys[0], SECTIONS) or "sections: " + ", ".join(sorted(SECTIONS)),
                ref="config-section",
            )
        location = tree
        for key in keys[:-1]:
            below = location.setdefault(key, {})
            if not isinstance(below, dict):
                below = location[key] = {}
            location = below
        location[keys[-1]] = value
    return data_scope("command line", tree)


def split_setting(setting: str) -> tuple[list[str], Any]:
    """Return the keys of ``section:key:value``, with their suffixes, and the value as data."""
    parts, depth, quote, current = [], 0, "", ""
    for letter in setting:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter in "[{":
            depth += 1
        elif letter in "]}":
            depth -= 1
        elif letter == ":" and depth <= 0:
            parts.append(current)
            current = ""
            continue
        current += letter
    keys: list[str] = []
    for part in parts:
        if part or not keys:
            keys.append(part.strip("'\""))
        else:
            keys[-1] += ":"
    return keys, _setting_value(current)


def _setting_value(text: str) -> Any:
    if text[:1] in ("[", "{", "'", '"'):
        return yaml.load("command line", f"value: {text}\n").data["value"]
    return yaml.scalar(text)


# -- reading -----------------------------------------------------------------------------------


class _Reading:
    """One pass over all scopes: their files, what they include, and all their problems."""

    def __init__(
        self, variables: Variables, platform: str, cache: str | None, access: IncludeAccess
    ) -> None:
        self.variables = variables
        self.access = access
        self.platform = platform
        self.cache = cache
        self.report = ConfigReport()
        self.errors: list[ConfigError] = []
        self.loaded: list[yaml.Loaded] = []
        self.included = 0

    def scope(self, scope: Scope) -> list[dict[str, Tree]]:
        """Return the layers of a scope, lowest first."""
        if scope.sections is not None:
            return self.with_includes(self.check(scope.sections, scope.path))
        if os.path.isfile(scope.path):
            return self.file(scope.path)
        try:
            names = {entry.name for entry in os.scandir(scope.path)}
        except FileNotFoundError:
            names = set()
            if scope.required:
                self.report.add(Origin(scope.path), "there is no such configuration directory")
        except OSError as error:
            names = set()
            self.report.add(Origin(scope.path), f"cannot be read: {error.strerror}")
        sections: dict[str, Tree] = {}
        for name in sorted(names & _FILES.keys()):
            loaded = self.load(os.path.join(scope.path, name))
            if loaded is None:
                continue
            section = _FILES[name]
            tree = Record({section: SECTIONS[section]}).check(
                loaded.tree, loaded.file, (), self.report
            )
            sections.update(tree.value or {})
        layers = self.with_includes(sections)
        if self.platform in names:
            layers += self.scope(Scope(scope.name, os.path.join(scope.path, self.platform)))
        return layers

    def file(self, path: str) -> list[dict[str, Tree]]:
        loaded = self.load(path)
        if loaded is None:
            return []
        tree = loaded.tree
        if isinstance(tree[0], dict) and set(tree[0]) == {"spack"}:
            whole = ENVIRONMENT.check(tree, path, (), self.report).value
            inner = whole["spack"].value or {}
            return self.with_includes({k: v for k, v in inner.items() if k in SECTIONS})
        return self.with_includes(Record(SECTIONS).check(tree, path, (), self.report).value or {})

    def load(self, path: str) -> yaml.Loaded | None:
        try:
            loaded = yaml.load(path, cache=self.cache)
        except ConfigError as error:
            self.errors.append(error)
            return None
        self.loaded.append(loaded)
        return loaded

    def check(self, sections: Mapping[str, Node], file: str) -> dict[str, Tree]:
        tree = Record(SECTIONS).check((dict(sections), 0, None), file, (), self.report)
        return dict(tree.value or {})

    def with_includes(self, sections: dict[str, Tree]) -> list[dict[str, Tree]]:
        include = sections.pop("include", None) or sections.pop("include:", None)
        layers: list[dict[str, Tree]] = []
        for item in reversed(include.value if include is not None and include.value else []):
            layers += self.include(item)
        return [*layers, sections]

    def include(self, item: Tree) -> list[dict[str, Tree]]:
        self.included += 1
        if self.included > _MOST_INCLUDES:
            self.report.add(item.origin, "files include each other without end")
            return []
        try:
            paths = included_paths(item, self.variables, self.access, self.report)
        except ConfigError as error:
            self.errors.append(error)
            return []
        return [layer for path in reversed(paths) for layer in self.scope(Scope(path, path))]


def read_scopes(
    scopes: Sequence[Scope],
    variables: Variables | None = None,
    platform: str = "linux",
    cache: str | None = None,
    report_note: Callable[[str], None] = lambda note: None,
    access: IncludeAccess | None = None,
) -> dict[str, Tree]:
    """Return the merged sections of all scopes, lowest precedence first in ``scopes``.

    :param cache: directory for parsed files (see :mod:`spack.util.yaml`).
    :param report_note: receives keys without effect, when a file is first read after a change.
    :param access: what includes need beside the file system.
    :raises ConfigError: every problem of every file at once.
    """
    reading = _Reading(variables or Variables(), platform, cache, access or IncludeAccess())
    layers = [layer for scope in scopes for layer in reading.scope(scope)]
    old = {scope.path for scope in scopes if not scope.fresh}
    old.update(loaded.file for loaded in reading.loaded if not loaded.fresh)
    fresh = {loaded.file for loaded in reading.loaded if loaded.fresh}
    specs = [
        item for item in reading.report.specs if item.origin[1] == 0 or item.origin[0] in fresh
    ]
    if specs:
        check_specs(specs, reading.report)
    if reading.errors:
        first, *rest = reading.errors
        if rest or reading.report.problems:
            try:
                reading.report.raise_if_any()
            except ConfigError as error:
                rest += [error, *(c for c in error.causes if isinstance(c, ConfigError))]
            raise first.replaced(causes=tuple(rest))
        raise first
    reading.report.raise_if_any()
    for layer in layers:
        fresh_ones = {k: tree for k, tree in layer.items() if tree.origin.file not in old}
        for note in idle_notes(fresh_ones):
            report_note(note)
    for loaded in reading.loaded:
        loaded.remember()
    merged: dict[str, Tree] = {}
    for layer in layers:
        root = merge(Tree(merged, Origin("")), Tree(layer, Origin("")))
        merged = root.value
    return merged
