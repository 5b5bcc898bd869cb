"""``spack.lock``: what the environment's specs were decided to be, so that they stay so.

JSON, written with sorted keys and one node a line, so that a diff shows what changed::

    {"_meta": {"file-type": "spack-venv-lockfile", "lockfile-version": 1},
     "configuration": "<digest of what spack.yaml configures>",
     "roots": [{"spec": "py-black", "hash": "…"}, …],
     "concrete_specs": {"<hash>": {…}, …}}

The nodes are as :func:`spack.spec.dump` writes them. The file is read without building the
graph; that is done when the user asks for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from spack.errors import EnvironmentFileError, SpecError
from spack.spec import ConcreteSpec, dump, load
from spack.spec.stored import verify
from spack.util.filesystem import atomic_write
from spack.util.frozen import frozen
from spack.util.hashing import sha256_hex

__all__ = ["LOCKFILE_NAME", "LockedRoot", "Lockfile", "configuration_digest", "read_lockfile"]

LOCKFILE_NAME = "spack.lock"

#: Begins digests of the environment's own configuration.
_DIGEST = "own:"

FILE_TYPE = "spack-venv-lockfile"
VERSION = 1


class LockedRoot(NamedTuple):
    """A root as the user wrote it, and its concrete spec."""

    spec: str
    hash: str


@frozen
class Lockfile:
    """The content of a lock file.

    :param configuration: digest of what the environment itself configures, see
        :func:`configuration_digest`.
    :param nodes: plain data by hash.
    """

    roots: tuple[LockedRoot, ...]
    configuration: str
    nodes: Mapping[str, Any]

    @classmethod
    def from_solution(
        cls, roots: Iterable[tuple[str, ConcreteSpec]], configuration: str = ""
    ) -> Lockfile:
        """Return the lock of pairs (text of the user, concrete spec)."""
        pairs = list(roots)
        data = dump([spec for _, spec in pairs])
        locked = tuple(LockedRoot(text, spec.dag_hash()) for text, spec in pairs)
        return cls(locked, configuration, data["nodes"])

    @cached_property
    def specs(self) -> Mapping[str, ConcreteSpec]:
        """All nodes by hash.

        :raises EnvironmentFileError: a node is damaged, or not what its hash says.
        """
        try:
            specs = load({"roots": [root.hash for root in self.roots], "nodes": self.nodes})
            verify(specs)
            return specs
        except SpecError as error:
            raise EnvironmentFileError(
                f"the lock file cannot be used: {error.message}",
                hint="restore it, or make it again: spack concretize --force",
                ref="environment-lockfile",
            ) from error

    def concrete_roots(self) -> tuple[ConcreteSpec, ...]:
        """Return the roots, in order."""
        return tuple(self.specs[root.hash] for root in self.roots)

    def is_current(self, specs: Sequence[str], configuration: str) -> bool:
        """Return whether the lock was made for exactly these roots under this configuration.

        A lock whose digest is of another kind, from an earlier version, is taken as it is.
        """
        same = self.configuration == configuration or not self.configuration.startswith(_DIGEST)
        return same and [root.spec for root in self.roots] == list(specs)

    def to_json(self) -> str:
        """Return the text of the file."""
        rows: list[str] = [
            f"{json.dumps(key)}: {json.dumps(self.nodes[key], sort_keys=True)}"
            for key in sorted(self.nodes)
        ]
        roots = [json.dumps({"spec": root.spec, "hash": root.hash}) for root in self.roots]
        meta = {"file-type": FILE_TYPE, "lockfile-version": VERSION}
        return (
            "{\n"
            f'"_meta": {json.dumps(meta)},\n'
            f'"configuration": {json.dumps(self.configuration)},\n'
            f'"roots": {_rows("[", roots, "]")},\n'
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
        roots = tuple(LockedRoot(root["spec"], root["hash"]) for root in data["roots"])
        nodes = data["concrete_specs"]
        missing = [root.hash for root in roots if root.hash not in nodes]
        if missing:
            raise _unusable(path, f"has no node for its root {missing[0]}")
        return Lockfile(roots, data["configuration"], nodes)
    except json.JSONDecodeError as error:
        raise _unusable(path, f"is malformed at line {error.lineno}: {error.msg}") from error
    except (KeyError, TypeError) as error:
        raise _unusable(path, f"is not a lock file: {error!r}") from error


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
