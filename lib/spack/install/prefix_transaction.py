"""One node's way into the install tree, as a transaction.

Builds write into the final prefix, because nearly every build bakes its prefix in. What makes
that safe is the marker that is written first, and the database's commit, which comes last:
:mod:`spack.store.journal` says what happens when the process dies in between.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from spack.errors import InstallError, StoreError
from spack.install.check import Checked
from spack.spec import ConcreteSpec, to_specfile
from spack.store import METADATA, InstallRecord, LockOwner, Metadata, Modes, Store, apply_modes
from spack.store.journal import INSTALL, Marker, clear, restore
from spack.store.locks import DATABASE, Lock
from spack.store.os_errors import unwritable
from spack.store.store import is_committed
from spack.util.directory_handle import DirectoryHandle
from spack.util.filesystem import make_shared_directory, remove_tree

__all__ = ["PrefixTransaction"]

#: Seconds to wait for a ``reindex`` that is running.
_REINDEX_PATIENCE = 600.0

_USUAL = Modes()


class PrefixTransaction:
    """The installation of *spec* into *store*: a context manager.

    On entry the marker is written, a prefix that is to be replaced is moved to a backup, and an
    empty prefix (with an empty ``.spack``) is made. :meth:`commit` makes the install count.
    Leaving the block without it undoes everything, and restores the old prefix.

    The caller holds the exclusive lock of the node, for all of the block.

    :param explicit: whether the user asked for the node.
    :param modes: of the metadata, the prefix and the folders above it that are new.
    :raises StoreError: on entry, if the node is installed and *overwrite* is not given, if
        something unknown is at its prefix, or if the tree cannot be written.
    """

    def __init__(
        self,
        store: Store,
        spec: ConcreteSpec,
        *,
        explicit: bool = False,
        overwrite: bool = False,
        modes: Modes = _USUAL,
    ) -> None:
        self._store = store
        self._spec = spec
        self._explicit = explicit
        self._overwrite = overwrite
        self._modes = modes
        self._marker: Marker | None = None
        self._shared: Lock | None = None
        self._described = False
        self._committing = False
        self._identity = (0, 0)
        spec_hash, version = spec.dag_hash(), str(spec.version)
        self.prefix = store.layout.prefix(spec)
        #: Where the build's output goes while it runs; it stays there if the build fails.
        self.log = store.layout.running_log(spec_hash, spec.name, version)
        #: Where the worker writes the environment of the build.
        self.environment = self.log.with_suffix(".env.txt")

    def __enter__(self) -> PrefixTransaction:
        self._shared = self._store.locks.shared(DATABASE, _REINDEX_PATIENCE)
        try:
            self._begin()
        except BaseException as error:
            self._undo()
            if isinstance(error, OSError):
                raise unwritable(self.prefix, error) from error
            raise
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if self._marker is not None:
            self._undo()
        elif self._shared is not None:
            self._shared.release()
        if isinstance(error, OSError):
            raise unwritable(self.prefix, error) from error

    def _begin(self) -> None:
        store, spec = self._store, self._spec
        record = store.settle(spec.dag_hash())
        if record is not None and not self._overwrite and store.is_present(record):
            raise StoreError(
                f"{spec.short} is installed already, in {record.prefix}",
                facts={"hash": record.hash, "prefix": record.prefix},
                hint="spack install --overwrite builds it again",
                ref="store-installed",
            )
        if record is not None:
            self.prefix = Path(record.prefix)
        replaces = os.path.lexists(self.prefix)
        if replaces and record is None:
            raise StoreError(
                f"{self.prefix} exists, but the database does not know it",
                facts={"prefix": str(self.prefix)},
                hint="if it is an install that the database has lost, run 'spack reindex'; "
                "else remove it",
                ref="store-unknown-prefix",
            )
        marker = Marker.new(
            INSTALL,
            spec.dag_hash(),
            spec.short,
            self.prefix,
            owner=store.owner,
            started=store.clock(),
            replaces=replaces,
        )
        # Set first: whatever is on the disk if writing fails is undone by its means.
        self._marker = marker
        marker.write(store.layout)
        if replaces:
            make_shared_directory(store.layout.backup, store.root)
            os.rename(self.prefix, marker.backup(store.layout))
        self._identity = _make_prefix(self.prefix, store.root, self._modes)
        make_shared_directory(self.log.parent, store.root)
        for path in (self.log, self.environment):
            remove_tree(path)

    def building(self, leader: LockOwner) -> None:
        """Record that the build is the process group of *leader*, which recovery is to end."""
        assert self._marker is not None
        self._marker = self._marker.with_build(leader)
        try:
            self._marker.write(self._store.layout)
        except OSError as error:
            raise unwritable(self.prefix, error) from error

    def confirm(self) -> None:
        """Check that the build has left the prefix and its ``.spack`` what they were.

        Called before anything in the prefix is read or changed.

        :raises InstallError: one of them is a link, or something else.
        """
        try:
            with self._own_prefix() as prefix, prefix.directory(METADATA):
                pass
        except OSError as error:
            raise InstallError(
                f"the build of {self._spec.short} replaced {error.filename or self.prefix}: "
                f"{error.strerror}",
                facts={"prefix": str(self.prefix), "path": str(error.filename or self.prefix)},
                hint="let the recipe leave the prefix and .spack in it the directories they are",
                ref="install-metadata",
            ) from error

    def commit(
        self,
        checked: Checked,
        *,
        run_environment: Any = None,
        recipe: Path | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> InstallRecord:
        """Describe the prefix in its ``.spack``, and record the node as installed.

        :param recipe: folder of the recipe that built it, to be kept beside it.
        :raises StoreError: if that cannot be written; nothing has been installed then.
        """
        assert self._marker is not None
        store, spec, marker = self._store, self._spec, self._marker
        record = InstallRecord.of(
            spec,
            self.prefix,
            explicit=self._explicit or self._was_explicit(),
            installed_at=store.clock(),
            transaction=marker.transaction,
            run_environment=run_environment,
            facts=facts,
        )
        try:
            self._describe(record, checked, recipe)
        except OSError as error:
            raise unwritable(self.prefix, error) from error
        self._committing = True
        store.writer().add(spec, record)
        try:
            remove_tree(marker.backup(store.layout))
            clear(store.layout, marker)
        except OSError:
            # The install counts. What could not be removed is the next recovery's.
            pass
        self._marker = None
        return record

    def _was_explicit(self) -> bool:
        record = self._store.writer().record(self._spec.dag_hash())
        return record is not None and record.explicit

    def _describe(self, record: InstallRecord, checked: Checked, recipe: Path | None) -> None:
        metadata = Metadata(self.prefix)
        with self._own_prefix() as prefix, prefix.directory(metadata.folder.name) as folder:
            text = json.dumps(to_specfile(self._spec), separators=(",", ":"))
            folder.write(metadata.spec.name, text + "\n")
            folder.write(metadata.manifest.name, checked.manifest.to_json() + "\n")
            if recipe is not None:
                target = metadata.recipe(self._spec.namespace or "", recipe.name)
                _copy_recipe(recipe, folder, target.relative_to(metadata.folder).parts)
            self._described = True
            folder.take(self.log, metadata.build_log.name)
            folder.take(self.environment, metadata.build_environment.name)
            apply_modes(metadata.folder, self._modes)
            # Last: it says that all the rest is there.
            folder.write(
                metadata.record.name, record.to_json(), self._modes.file, self._modes.group
            )

    def _own_prefix(self) -> DirectoryHandle:
        """Return the prefix that :func:`_make_prefix` made, and nothing that took its path."""
        handle = DirectoryHandle(self.prefix)
        if handle.identity() != self._identity:
            handle.close()
            raise OSError(errno.ENOTDIR, "not the directory that was made", str(self.prefix))
        return handle

    def _undo(self) -> None:
        """Restore the state before, unless the commit went through after all.

        :raises StoreError: if that fails; the marker stays, for the next recovery.
        """
        marker, self._marker = self._marker, None
        try:
            if marker is None:
                return
            layout = self._store.layout
            committed = self._committing and is_committed(self._store.writer(), marker)
            try:
                if not committed:
                    self._keep_log()
                    restore(layout, marker)
                remove_tree(marker.backup(layout))
                clear(layout, marker)
            except OSError as error:
                raise unwritable(self.prefix, error, "cannot be removed") from error
        finally:
            if self._shared is not None:
                self._shared.release()

    def _keep_log(self) -> None:
        """Move the log of an install that failed after its build out of the prefix."""
        if not self._described:
            return
        metadata = Metadata(self.prefix)
        with self._own_prefix() as prefix, prefix.directory(metadata.folder.name) as folder:
            folder.give(metadata.build_log.name, self.log)
            folder.give(metadata.build_environment.name, self.environment)


def _make_prefix(prefix: Path, root: Path, modes: Modes) -> tuple[int, int]:
    """Make the prefix, which must not exist, and its empty ``.spack``; return its identity."""
    while True:
        _make_above(prefix.parent, root, modes)
        try:
            os.mkdir(prefix)
            break
        except FileNotFoundError:
            # Another process removed the empty folder above in between.
            continue
    Metadata(prefix).folder.mkdir()
    apply_modes(prefix, modes)
    with DirectoryHandle(prefix) as handle:
        return handle.identity()


def _make_above(folder: Path, root: Path, modes: Modes) -> None:
    """Make a directory and those above it; those in the install tree get its modes."""
    if folder == root or root not in folder.parents:
        folder.mkdir(parents=True, exist_ok=True)
        return
    _make_above(folder.parent, root, modes)
    try:
        folder.mkdir()
    except FileExistsError:
        return
    apply_modes(folder, modes)


def _copy_recipe(source: Path, into: DirectoryHandle, parts: Sequence[str]) -> None:
    """Copy the files of a recipe's directory to *parts* below *into*, without bytecode."""
    if parts:
        with into.directory(parts[0]) as below:
            _copy_recipe(source, below, parts[1:])
        return
    for entry in os.scandir(source):
        if entry.name == "__pycache__" or entry.name.endswith(".pyc"):
            continue
        if entry.is_dir():
            _copy_recipe(Path(entry.path), into, (entry.name,))
        elif entry.is_file():
            into.write(entry.name, Path(entry.path).read_bytes())
