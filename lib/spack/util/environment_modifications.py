"""Changes of environment variables as data: ordered, frozen, applied or rendered later.

An :class:`EnvironmentModifications` is what recipes receive as ``env`` in their
``setup_*_environment`` hooks. Each call appends one :class:`Change`; nothing happens before
:meth:`EnvironmentModifications.apply_modifications`. The meaning of an action is one row of
:data:`ACTIONS`: a pure function from the variable's present text (``None`` when unset) to its
next one.

Paths that are added are normalised; entries that were there before are left as they are, so an
empty entry (``MANPATH=:/opt/man`` means "and the default") survives.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from typing import (
    Any,
    Callable,
    NamedTuple,
    Union,
)

from spack.util.frozen import frozen, values_of
from spack.util.helper_process import run

__all__ = [
    "ACTIONS",
    "Change",
    "EnvironmentModifications",
    "filter_system_paths",
    "is_system_path",
    "set_env",
]

#: Directories of the operating system: never added to search paths of a build.
SYSTEM_PATHS = frozenset(
    os.path.join(base, *tail)
    for base in ("/", "/usr", "/usr/local")
    for tail in ((), ("bin",), ("bin64",), ("include",), ("lib",), ("lib32",), ("lib64",))
)

#: Below them, the directories of one architecture (Debian's multiarch and what its loader reads).
_MULTIARCH = re.compile(
    r"(?:/usr(?:/local)?)?/(?:lib(?:32|64)?|include)/[a-z0-9_]+-[a-z]+(?:-[a-z0-9_]+)+"
)

Text = Union[str, "os.PathLike[str]", int, object]


@frozen
class Change:
    """One change of one variable.

    :param action: a key of :data:`ACTIONS`.
    :param value: the text, path or flags that the action needs; empty for actions without.
    :param separator: between the entries of the variable.
    """

    action: str
    name: str
    value: str = ""
    separator: str = os.pathsep

    def next_value(self, current: str | None) -> str | None:
        """Return text of the variable after this change; ``None`` means unset."""
        return ACTIONS[self.action].result(current, self)

    def execute(self, env: MutableMapping[str, str]) -> None:
        """Apply this change to *env* in place."""
        result = self.next_value(env.get(self.name))
        if result is None:
            env.pop(self.name, None)
        else:
            env[self.name] = result


class Action(NamedTuple):
    """What an action does, and the action that takes it back (``None``: cannot be undone)."""

    result: Callable[[str | None, Change], str | None]
    inverse: str | None


def _entries(current: str | None, change: Change) -> list[str]:
    return current.split(change.separator) if current else []


def _joined(entries: Iterable[str], change: Change) -> str:
    return change.separator.join(entries)


def _append_flags(current: str | None, change: Change) -> str:
    return f"{current}{change.separator}{change.value}" if current else change.value


def _remove_flags(current: str | None, change: Change) -> str:
    return _joined((x for x in _entries(current, change) if x != change.value), change)


def _append_path(current: str | None, change: Change) -> str:
    return _joined([*_entries(current, change), os.path.normpath(change.value)], change)


def _prepend_path(current: str | None, change: Change) -> str:
    return _joined([os.path.normpath(change.value), *_entries(current, change)], change)


def _same_path(entry: str, change: Change) -> bool:
    return bool(entry) and os.path.normpath(entry) == os.path.normpath(change.value)


def _remove_path(current: str | None, change: Change) -> str | None:
    kept = [x for x in _entries(current, change) if not _same_path(x, change)]
    return _joined(kept, change) if kept else None


def _remove_one(entries: list[str], change: Change) -> list[str]:
    for index, entry in enumerate(entries):
        if _same_path(entry, change):
            return entries[:index] + entries[index + 1 :]
    return entries


def _remove_first_path(current: str | None, change: Change) -> str | None:
    kept = _remove_one(_entries(current, change), change)
    return _joined(kept, change) if kept else None


def _remove_last_path(current: str | None, change: Change) -> str | None:
    kept = _remove_one(_entries(current, change)[::-1], change)[::-1]
    return _joined(kept, change) if kept else None


def _prune_duplicates(current: str | None, change: Change) -> str | None:
    if current is None:
        return None
    return _joined(dict.fromkeys(_entries(current, change)), change)


def _deprioritize(current: str | None, change: Change) -> str | None:
    if current is None:
        return None
    entries = _entries(current, change)
    return _joined(sorted(entries, key=lambda x: bool(x) and is_system_path(x)), change)


ACTIONS: Mapping[str, Action] = {
    "set": Action(lambda current, change: change.value, "unset"),
    "unset": Action(lambda current, change: None, None),
    "append_flags": Action(_append_flags, "remove_flags"),
    "remove_flags": Action(_remove_flags, None),
    "set_path": Action(lambda current, change: change.value, "unset"),
    "append_path": Action(_append_path, "remove_last_path"),
    "prepend_path": Action(_prepend_path, "remove_first_path"),
    "remove_path": Action(_remove_path, None),
    "remove_first_path": Action(_remove_first_path, None),
    "remove_last_path": Action(_remove_last_path, None),
    "prune_duplicate_paths": Action(_prune_duplicates, None),
    "deprioritize_system_paths": Action(_deprioritize, None),
}


class EnvironmentModifications:
    """An ordered list of :class:`Change`; mutable only by appending, the changes are frozen.

    :param other: changes to begin with.
    :param traced: accepted for compatibility with recipes, without effect.
    """

    def __init__(
        self, other: EnvironmentModifications | None = None, traced: bool | None = None
    ) -> None:
        self._changes: list[Change] = list(other) if other is not None else []

    def __iter__(self) -> Iterator[Change]:
        return iter(self._changes)

    def __len__(self) -> int:
        return len(self._changes)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, EnvironmentModifications):
            return NotImplemented
        return self._changes == other._changes

    __hash__ = None  # type: ignore[assignment]  # mutable

    def __repr__(self) -> str:
        return f"EnvironmentModifications({self._changes!r})"

    @property
    def env_modifications(self) -> list[Change]:
        """The changes, in order (the name that recipes know)."""
        return self._changes

    def _add(self, action: str, name: str, value: Text = "", separator: str = os.pathsep) -> None:
        self._changes.append(Change(action, name, str(value), separator))

    def set(self, name: str, value: Text, *, force: bool = False, raw: bool = False) -> None:
        """Set *name* to *value*; *force* and *raw* concern module files only."""
        self._add("set", name, value)

    def unset(self, name: str) -> None:
        """Remove *name* from the environment."""
        self._add("unset", name)

    def append_flags(self, name: str, value: Text, sep: str = " ") -> None:
        """Append *value* to the flags in *name*."""
        self._add("append_flags", name, value, sep)

    def remove_flags(self, name: str, value: Text, sep: str = " ") -> None:
        """Remove every flag *value* from *name*."""
        self._add("remove_flags", name, value, sep)

    def set_path(
        self, name: str, elements: str | Sequence[Text], separator: str = os.pathsep
    ) -> None:
        """Set *name* to the *elements* joined by *separator*."""
        if isinstance(elements, str):
            elements = [elements]
        self._add("set_path", name, separator.join(str(x) for x in elements), separator)

    def append_path(self, name: str, path: Text, separator: str = os.pathsep) -> None:
        """Put *path* behind the entries of *name*."""
        self._add("append_path", name, path, separator)

    def prepend_path(self, name: str, path: Text, separator: str = os.pathsep) -> None:
        """Put *path* before the entries of *name*."""
        self._add("prepend_path", name, path, separator)

    def remove_path(self, name: str, path: Text, separator: str = os.pathsep) -> None:
        """Remove every entry *path* from *name*; a variable left empty is unset."""
        self._add("remove_path", name, path, separator)

    def remove_first_path(self, name: str, path: Text, separator: str = os.pathsep) -> None:
        """Remove the first entry *path* from *name*."""
        self._add("remove_first_path", name, path, separator)

    def remove_last_path(self, name: str, path: Text, separator: str = os.pathsep) -> None:
        """Remove the last entry *path* from *name*."""
        self._add("remove_last_path", name, path, separator)

    def deprioritize_system_paths(self, name: str, separator: str = os.pathsep) -> None:
        """Move the operating system's directories behind the rest, order kept."""
        self._add("deprioritize_system_paths", name, "", separator)

    def prune_duplicate_paths(self, name: str, separator: str = os.pathsep) -> None:
        """Keep the first of equal entries."""
        self._add("prune_duplicate_paths", name, "", separator)

    def extend(self, other: EnvironmentModifications) -> None:
        """Append all changes of *other*."""
        if not isinstance(other, EnvironmentModifications):
            raise TypeError("other must be an EnvironmentModifications")
        self._changes.extend(other._changes)

    def clear(self) -> None:
        """Forget all changes."""
        self._changes.clear()

    def drop(self, *name: str) -> bool:
        """Forget all changes of the variables *name*; True when there were any."""
        before = len(self._changes)
        self._changes[:] = [x for x in self._changes if x.name not in name]
        return len(self._changes) != before

    def is_unset(self, variable_name: str) -> bool:
        """Return whether the last change of *variable_name* unsets it."""
        changes = self.group_by_name().get(variable_name, [])
        return bool(changes) and changes[-1].action == "unset"

    def group_by_name(self) -> dict[str, list[Change]]:
        """Return the changes by variable, in order of first mention."""
        groups: dict[str, list[Change]] = {}
        for change in self._changes:
            groups.setdefault(change.name, []).append(change)
        return groups

    def reversed(self) -> EnvironmentModifications:
        """Return changes that revert these as far as that can be known, last first."""
        result = EnvironmentModifications()
        for change in reversed(self._changes):
            inverse = ACTIONS[change.action].inverse
            if inverse is not None:
                result._add(inverse, change.name, change.value, change.separator)
        return result

    def apply_modifications(self, env: MutableMapping[str, str] | None = None) -> None:
        """Apply all changes in place, to the process's own environment when *env* is None."""
        target = os.environ if env is None else env
        for change in self._changes:
            change.execute(target)

    def results(self, env: Mapping[str, str]) -> dict[str, str | None]:
        """Return the final text (None: unset) of every changed variable, starting from *env*."""
        after = dict(env)
        for change in self._changes:
            change.execute(after)
        return {name: after.get(name) for name in self.group_by_name()}

    def shell_modifications(
        self,
        shell: str = "sh",
        explicit: bool = False,
        env: Mapping[str, str] | None = None,
    ) -> str:
        """Return statements for *shell* that apply the changes, starting from *env*.

        :param explicit: also state the variables whose text does not change.
        """
        # Imported here: only commands that print shell text need it (start-up time).
        from spack.util.shell import set_statement, unset_statement

        before = os.environ if env is None else env
        statements = []
        for name, value in self.results(before).items():
            if not explicit and before.get(name) == value:
                continue
            if value is None:
                statements.append(unset_statement(shell, name))
            else:
                statements.append(set_statement(shell, name, value))
        return "".join(statements)

    def to_json(self) -> list[dict[str, str]]:
        """Return plain data for :meth:`from_json`."""
        return [values_of(change) for change in self._changes]

    @classmethod
    def from_json(cls, data: Iterable[Mapping[str, Any]]) -> EnvironmentModifications:
        """Return the inverse of :meth:`to_json`."""
        result = cls()
        result._changes = [Change(**row) for row in data]
        return result

    @classmethod
    def from_environment_diff(
        cls, before: Mapping[str, str], after: Mapping[str, str], clean: bool = False
    ) -> EnvironmentModifications:
        """Return the changes that lead from *before* to *after*.

        What was put before or behind a list of paths is that; all else is ``set`` and ``unset``.

        :param clean: no entry occurs twice in what was added to a list.
        """
        result = cls()
        for name in sorted(set(before) | set(after)):
            if name not in after:
                result.unset(name)
            elif before.get(name) != after[name]:
                result._add_difference(name, before.get(name), after[name], clean)
        return result

    def _add_difference(self, name: str, before: str | None, after: str, clean: bool) -> None:
        old = [entry for entry in (before or "").split(os.pathsep) if entry]
        new = [entry for entry in after.split(os.pathsep) if entry]
        if before is None and "PATH" in name:
            head, tail = new, []
        else:
            locations = range(len(new) - len(old) + 1 if old else 0)
            start = next((i for i in locations if new[i : i + len(old)] == old), None)
            if start is None or len(new) == len(old):
                self.set(name, after)
                return
            head, tail = new[:start], new[start + len(old) :]
        if clean:
            head, tail = list(dict.fromkeys(head)), list(dict.fromkeys(tail))
        for entry in reversed(head):
            self.prepend_path(name, entry)
        for entry in tail:
            self.append_path(name, entry)

    @classmethod
    def from_sourcing_file(
        cls,
        filename: Text,
        *arguments: str,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        clean: bool = False,
        shell: str = "/bin/bash",
        **_: Any,
    ) -> EnvironmentModifications:
        """Return what a sourced shell script changes in this process's environment.

        :param include: names, or regular expressions, of variables that count whatever else says.
        :param exclude: of variables that do not.
        :raises RuntimeError: there is no such file, or it fails.

        Further keywords of upstream's (how the shell is called) are accepted and not used.
        """
        path = str(filename)
        if not os.path.isfile(path):
            raise RuntimeError(f"Trying to source non-existing file: {path}")
        before, after = (
            {
                name: value
                for name, value in _after_sourcing(shell, words).items()
                if _is_named(name, include) or not _is_named(name, (*exclude, *_OF_SHELLS))
            }
            for words in ((os.devnull,), (path, *arguments))
        )
        return cls.from_environment_diff(before, after, clean)


#: Variables that change whatever is sourced, and those of module systems (upstream's list).
_OF_SHELLS = (
    *("SHLVL", "_", "PWD", "OLDPWD", "PS1", "PS2", "ENV"),
    *("LOADEDMODULES", "_LMFILES_", "MODULEPATH", "MODULERCFILE", "MODULESHOME"),
    *(r"BASH_FUNC_.*", r"(__)?MODULES_.*", r"\w*_mod(quar|share)", r"LMOD_.*"),
)


def _is_named(name: str, patterns: Iterable[str]) -> bool:
    return any(re.fullmatch(pattern, name) for pattern in patterns)


def _after_sourcing(shell: str, words: Sequence[str]) -> dict[str, str]:
    """Return the environment of a shell that has sourced ``words[0]`` with arguments."""
    script = 'source "$@" > /dev/null 2>&1 && exec env -0'
    done = run([shell, "-c", script, shell, *words], env=os.environ, cwd=os.getcwd(), timeout=600)
    if not done.ok:
        raise RuntimeError(f"sourcing {words[0]} failed with status {done.returncode}")
    rows = (row.partition("=") for row in done.stdout.split("\0") if row)
    return {name: value for name, _, value in rows}


class set_env:  # the public name of a context manager that recipes use like a function  # noqa: N801 - Spack's name
    """Within ``with set_env(NAME="text", OTHER=None):`` the variables are set, or unset."""

    def __init__(self, **values: str | None) -> None:
        self._values = values
        self._saved: dict[str, str | None] = {}

    def __enter__(self) -> None:
        self._saved = {name: os.environ.get(name) for name in self._values}
        _assign(self._values)

    def __exit__(self, *exception: object) -> None:
        _assign(self._saved)


def _assign(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def is_system_path(path: Text) -> bool:
    """Return whether *path* is one of the operating system's own directories."""
    directory = os.path.normpath(str(path))
    return directory in SYSTEM_PATHS or _MULTIARCH.fullmatch(directory) is not None


def filter_system_paths(paths: Iterable[Text]) -> list[str]:
    """Return *paths* without the operating system's own directories."""
    return [str(path) for path in paths if not is_system_path(path)]
