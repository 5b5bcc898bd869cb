"""``spack.lock``: what the environment's specs were decided to be, so that they stay so.

JSON, written with sorted keys and one node a line, so that a diff shows what changed::

    {"_meta": {"file-type": "spack-venv-lockfile", "lockfile-version": 1},
     "configuration": "<digest of what spack.yaml configures>",
     "roots": [{"spec": "py-black", "hash": "…"}, …],
     "include_concrete": {"<directory>": [{"spec": …, "hash": …}, …], …},
     "concrete_specs": {"<hash>": {…}, …}}

``include_concrete`` is there only where other environments are included: their roots, as they
were when this environment was concretized.

The nodes are as :func:`spack.spec.dump` writes them. The file is read without building the
graph; that is done when the user asks for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from spack.environment.definitions import DEFAULT_GROUP, UserSpec
from spack.errors import EnvironmentFileError, SpecError
from spack.spec import ConcreteSpec, dump, load
from spack.spec.stored import verify
from spack.util.filesystem import atomic_write
from spack.util.frozen import field, frozen, replace
from spack.util.hashing import sha256_hex

__all__ = ["LOCKFILE_NAME", "LockedRoot", "Lockfile", "configuration_digest", "read_lockfile"]

LOCKFILE_NAME = "spack.lock"

#: Begins digests of the environment's own configuration.
_DIGEST = "own:"

FILE_TYPE = "spack-venv-lockfile"
VERSION = 1


class LockedRoot(NamedTuple):
    """A root as the user wrote it, its concrete spec, and the group that it is in."""

    spec: str
    hash: str
    group: str = DEFAULT_GROUP


@frozen
class Lockfile:
    """The content of a lock file.

    :param configuration: digest of what the environment itself configures, see
        :func:`configuration_digest`.
    :param nodes: plain data by hash.
    :param included: the roots of each included environment, by its directory.
    """

    roots: tuple[LockedRoot, ...]
    configuration: str
    nodes: Mapping[str, Any]
    included: Mapping[str, tuple[LockedRoot, ...]] = field(default_factory=dict)

    @property
    def every_root(self) -> tuple[LockedRoot, ...]:
        """The environment's own roots and those of included ones, each concrete spec once."""
        every = [*self.roots, *(root for roots in self.included.values() for root in roots)]
        own = {root.hash for root in self.roots}
        more = {root.hash: root for root in every if root.hash not in own}
        return (*self.roots, *more.values())

    def replace(self, **parts: Any) -> Lockfile:
        """Return this lock with some fields changed."""
        return replace(self, **parts)

    def including(self, locks: Mapping[str, Lockfile]) -> Lockfile:
        """Return this lock with the roots of other environments' locks, by directory."""
        nodes = dict(self.nodes)
        for lock in locks.values():
            nodes.update(lock.nodes)
        roots = {path: lock.every_root for path, lock in locks.items()}
        return self.replace(nodes=nodes, included=roots)

    @classmethod
    def from_solution(
        cls, roots: Iterable[tuple[UserSpec, ConcreteSpec]], configuration: str = ""
    ) -> Lockfile:
        """Return the lock of pairs (what the user asked for, concrete spec)."""
        pairs = list(roots)
        data = dump([spec for _, spec in pairs])
        locked = tuple(LockedRoot(x.text, spec.dag_hash(), x.group) for x, spec in pairs)
        return cls(locked, configuration, data["nodes"])

    @cached_property
    def specs(self) -> Mapping[str, ConcreteSpec]:
        """All nodes by hash.

        :raises EnvironmentFileError: a node is damaged, or not what its hash says.
        """
        try:
            roots = [root.hash for root in self.every_root]
            specs = load({"roots": roots, "nodes": self.nodes})
            verify(specs)
            return specs
        except SpecError as error:
            raise EnvironmentFileError(
                f"the lock file cannot be used: {error.message}",
                hint="restore it, or make it again: spack concretize --force",
                ref="environment-lockfile",
            ) from error

    def concrete_roots(self) -> tuple[ConcreteSpec, ...]:
        """Return the roots in order, those of included environments last."""
        return tuple(self.specs[root.hash] for root in self.every_root)

    def is_current(self, specs: Iterable[UserSpec], configuration: str) -> bool:
        """Return whether the lock was made for exactly these roots under this configuration.

        A lock whose digest is of another kind, from an earlier version, is taken as it is.
        """
        same = self.configuration == configuration or not self.configuration.startswith(_DIGEST)
        asked = [(spec.text, spec.group) for spec in specs]
        return same and [(root.spec, root.group) for root in self.roots] == asked

    def to_json(self) -> str:
        """Return the text of the file."""
        rows: list[str] = [
            f"{json.dumps(key)}: {json.dumps(self.nodes[key], sort_keys=True)}"
            for key in sorted(self.nodes)
        ]
        roots = [_root_text(root) for root in self.roots]
        included = [
            f"{json.dumps(path)}: {_rows('[', [_root_text(root) for root in roots], ']')}"
            for path, roots in self.included.items()
        ]
        more = f'"include_concrete": {_rows("{", included, "}")},\n' if included else ""
        meta = {"file-type": FILE_TYPE, "lockfile-version": VERSION}
        return (
            "{\n"
            f'"_meta": {json.dumps(meta)},\n'
            f'"configuration": {json.dumps(self.configuration)},\n'
            f'"roots": {_rows("[", roots, "]")},\n{more}'
            f'"concrete_specs": {_rows("{", rows, "}")}\n'
            "}\n"
        )

    def write(self, path: Path) -> None:
        """Replace the file atomically.

        :raises EnvironmentFileError: it cannot be written.
        """
        try:
            atomic_write(path, self.to_json())
        except OSError as error:
            raise EnvironmentFileError(
                f"{path} cannot be written: {error.strerror}",
                facts={"path": str(path)},
                hint="make the environment's directory writable",
                ref="environment-write",
            ) from error


def _root_text(root: LockedRoot) -> str:
    data = {"spec": root.spec, "hash": root.hash}
    return json.dumps(data if root.group == DEFAULT_GROUP else {**data, "group": root.group})


def _rows(opening: str, rows: Sequence[str], closing: str) -> str:
    return opening + "\n" + ",\n".join(rows) + "\n" + closing if rows else opening + closing


def read_lockfile(path: Path) -> Lockfile | None:
    """Return the lock file at *path*; None if there is none.

    :raises EnvironmentFileError: it is not one of this project, or damaged.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(path, f"cannot be read: {error}") from error
    try:
        data = json.loads(text)
        meta = data["_meta"]
        if (meta["file-type"], meta["lockfile-version"]) != (FILE_TYPE, VERSION):
            raise _unsupported(path, str(meta["file-type"]), meta["lockfile-version"])
        included = data.get("include_concrete", {})
        lock = Lockfile(
            _read_roots(data["roots"]),
            data["configuration"],
            data["concrete_specs"],
            {str(name): _read_roots(rows) for name, rows in included.items()},
        )
        missing = [root.hash for root in lock.every_root if root.hash not in lock.nodes]
        if missing:
            raise _unusable(path, f"has no node for its root {missing[0]}")
        return lock
    except json.JSONDecodeError as error:
        raise _unusable(path, f"is malformed at line {error.lineno}: {error.msg}") from error
    except RecursionError:
        raise _unusable(path, "is nested too deeply") from None
    except (KeyError, TypeError, AttributeError) as error:
        raise _unusable(path, f"is not a lock file: {error!r}") from error


def _read_roots(rows: Iterable[Mapping[str, str]]) -> tuple[LockedRoot, ...]:
    return tuple(
        LockedRoot(row["spec"], row["hash"], row.get("group", DEFAULT_GROUP)) for row in rows
    )


def _unsupported(path: Path, kind: str, version: object) -> EnvironmentFileError:
    whose = "a newer version of this program" if kind == FILE_TYPE else "another program"
    error = _unusable(path, f"is a {kind} of version {version}")
    hint = f"{whose} wrote it: keep a copy; `spack concretize --force` replaces it"
    return EnvironmentFileError(error.message, facts=error.facts, hint=hint, ref=error.ref)


def _unusable(path: Path, what: str) -> EnvironmentFileError:
    return EnvironmentFileError(
        f"{path}: {what}",
        facts={"path": str(path)},
        hint="make it again from spack.yaml: spack concretize --force",
        ref="environment-lockfile",
    )


def configuration_digest(parts: Mapping[str, Any]) -> str:
    """Return a digest of *parts* (plain data): what ``spack.yaml`` and its includes configure.

    Other scopes are left out: a lock changes when the user changes the environment, never because
    the machine's or the user's configuration did.
    """
    text = json.dumps(parts, sort_keys=True, default=str)
    return _DIGEST + sha256_hex(text)[:32]
