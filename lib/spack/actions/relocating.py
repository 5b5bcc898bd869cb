"""Files of a moved install tree that still name its earlier root."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from spack.binary.path_references import ROOT, PrefixPattern, references_in
from spack.binary.relocation import Prefixes, SetRunPath, relocate_file
from spack.build.post_install import correct_records
from spack.errors import BinaryCacheError, StoreError
from spack.store import METADATA, InstallRecord, Manifest, Metadata, Store, scan
from spack.store.locks import DATABASE
from spack.store.moves import forget_earlier_roots
from spack.store.os_errors import unwritable
from spack.util.filesystem import atomic_write, remove_tree

__all__ = ["Relocated", "relocate_tree"]

#: Files of ``.spack`` that are read again and may name the root.
_NOTES = ("python.json", "install_record.json")


class Relocated(NamedTuple):
    """What happened to one package.

    :ivar changed: how many files and links name the present root now.
    :ivar problem: why one of its files cannot; "" if all do.
    """

    record: InstallRecord
    changed: int
    problem: str = ""


def relocate_tree(
    store: Store, report: Callable[[Relocated], None], set_run_path: SetRunPath | None = None
) -> tuple[str, ...]:
    """Let every file in the tree name its present root; return the earlier ones that it had.

    May be interrupted and run again. Files that cannot name a longer path are left as they are.

    :param report: called for each package.
    :param set_run_path: sets run paths that have no room; None where no program does that.
    :raises StoreError: the tree cannot be written, or packages are being installed.
    """
    store.writer()
    roots = store.earlier_roots
    if not roots:
        return ()
    whole = True
    with store.locks.quiet(), store.locks.exclusive(DATABASE, store.patience):
        for record in store.own.records(external=False):
            if not os.path.isdir(record.prefix):
                continue
            changed, problem = 0, ""
            try:
                for root in roots:
                    changed += _Relocation(store, record, root, set_run_path).run()
            except BinaryCacheError as error:
                problem = str(error.facts.get("reason", error))
                problem = f"{error.facts.get('path', '')} {problem}".strip()
            except OSError as error:
                raise unwritable(Path(record.prefix), error) from error
            whole = whole and not problem
            report(Relocated(record, changed, problem))
        remove_tree(store.root / ".views")
        if whole:
            forget_earlier_roots(store.layout)
    return roots


class _Relocation:
    """One package, for one earlier root."""

    def __init__(
        self, store: Store, record: InstallRecord, old: str, set_run_path: SetRunPath | None
    ) -> None:
        self._old, self._new = old, str(store.root)
        self._prefix = record.prefix
        self._pattern = PrefixPattern({ROOT: old})
        self._prefixes = Prefixes(record.short, record.prefix, {ROOT: old}, {ROOT: self._new})
        self._set_run_path = set_run_path

    def run(self) -> int:
        """Change what names the earlier root; return how many files and links that were.

        :raises BinaryCacheError: a file cannot name the new root.
        """
        changed: list[str] = []
        links = 0
        for path, info in _files(self._prefix):
            if stat.S_ISLNK(info.st_mode):
                links += self._link(path)
            elif stat.S_ISREG(info.st_mode) and self._file(path, info):
                changed.append(path)
        if changed or links:
            self._describe(changed)
        self._notes()
        return len(changed) + links

    def _link(self, path: str) -> bool:
        found = self._pattern.match(os.readlink(path))
        if found is None:
            return False
        temporary = f"{path}.relocated"
        with _writable(os.path.dirname(path)):
            remove_tree(temporary)  # of an interrupted run
            os.symlink(self._new + found[1], temporary)
            os.replace(temporary, path)
        return True

    def _file(self, path: str, info: os.stat_result) -> bool:
        with open(path, "rb") as stream:
            data = stream.read()
        relative = os.path.relpath(path, self._prefix)
        references = references_in(data, relative, self._pattern)
        if references is None:
            return False
        with _writable(path):
            changed = relocate_file(
                Path(self._prefix),
                relative,
                references,
                self._prefixes,
                set_run_path=self._set_run_path,
            )
        # Bytecode is valid for a source of this time.
        os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))
        return changed

    def _describe(self, changed: list[str]) -> None:
        """Correct what the package records of its files."""
        sites = [str(x) for x in Path(self._prefix).glob("lib*/python*/*-packages")]
        relative = [os.path.relpath(site, self._prefix) for site in sites]
        folders = [str(x) for site in sites for x in Path(site).glob("*.dist-info")]
        records = [f"{folder}/{name}" for folder in folders for name in ("RECORD", "INSTALLER")]
        with _writable(*folders, *filter(os.path.isfile, records)):
            correct_records(self._prefix, relative, changed)
        path = Metadata(Path(self._prefix)).manifest
        before = Manifest.load(path)
        found = scan(Path(self._prefix)).manifest.files
        kept = {name: found[name] for name in before.files if name in found}
        self._write(path, Manifest(kept).to_json())

    def _notes(self) -> None:
        for name in _NOTES:
            path = Path(self._prefix, METADATA, name)
            if path.is_file():
                text = path.read_text(encoding="utf-8")
                self._write(path, _with_root(text, self._old, self._new))

    def _write(self, path: Path, text: str) -> None:
        if path.read_text(encoding="utf-8") != text:
            with _writable(str(path.parent)):
                atomic_write(path, text)


def _with_root(text: str, old: str, new: str) -> str:
    """Return JSON text with *new* for *old* where that begins a path."""
    quoted_old, quoted_new = json.dumps(old)[1:-1], json.dumps(new)[1:-1]
    return text.replace(f"{quoted_old}/", f"{quoted_new}/")


def _files(prefix: str) -> Iterator[tuple[str, os.stat_result]]:
    """Yield what is in a prefix, but for directories and the metadata."""
    for folder, folders, names in os.walk(prefix):
        if folder == prefix and METADATA in folders:
            folders.remove(METADATA)
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        for name in (*names, *links):
            path = os.path.join(folder, name)
            yield path, os.lstat(path)


@contextmanager
def _writable(*paths: str) -> Iterator[None]:
    """Let the owner write files or directories, which get their modes back in the end.

    :raises StoreError: one belongs to another user.
    """
    modes = {path: stat.S_IMODE(os.stat(path).st_mode) for path in paths}
    try:
        for path, mode in modes.items():
            os.chmod(path, mode | stat.S_IWUSR)
        yield
    except PermissionError as error:
        raise StoreError(
            f"{error.filename}: belongs to another user",
            facts={"path": str(error.filename)},
            hint="run it as the user that installed the package, or as root",
            ref="store-unwritable",
        ) from error
    finally:
        for path, mode in modes.items():
            if os.stat(path).st_uid == os.geteuid() or os.geteuid() == 0:
                os.chmod(path, mode)
