"""Unpacking an archive of a cache into a prefix: checked, moved, nothing kept if it is not right.

The blob is read once; its digest is known when its last byte has been read, and what was
unpacked counts only if it is right. Until then it is treated as any archive of a stranger.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import posixpath
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, cast

from spack.binary.cache_manifest import Blob, refused
from spack.binary.package_description import DESCRIPTION, PackageDescription
from spack.binary.path_references import ROOT, FileReferences, PrefixPattern, references_in
from spack.binary.relocation import Prefixes, SetRunPath, relocate_file
from spack.errors import FetchError
from spack.fetch.extract import unpack_tar
from spack.fetch.extraction_target import USUAL, ExtractionTarget, Limits
from spack.spec import DEPTYPES, ConcreteSpec
from spack.store import METADATA
from spack.util.frozen import frozen
from spack.util.json_input import parse_json
from spack.util.record_file import RecordedFile, corrected_record

__all__ = ["UnpackRequest", "Unpacked", "unpack_package"]

#: Largest file of ``.spack`` that is read into memory.
_LARGEST_NOTE = 64 << 20

#: Files of ``.spack`` that are read and not kept: they are written again.
_NOTES = (DESCRIPTION, "spec.json", "install_record.json", "install_manifest.json")


@frozen
class UnpackRequest:
    """What is to be unpacked, and where.

    :param archive: the file. :param blob: what the manifest says of it.
    :param prefix: exists, empty but for an empty ``.spack``.
    :param root: of the install tree. :param prefixes: by hash, of all nodes of the DAG, as they
        are or would be here.
    """

    spec: ConcreteSpec
    archive: Path
    blob: Blob
    prefix: Path
    root: Path
    prefixes: Mapping[str, str]
    set_run_path: SetRunPath | None = None
    limits: Limits = USUAL

    @property
    def origin(self) -> str:
        return f"the binary of {self.spec.short}"


@frozen
class Unpacked:
    """A package that was unpacked.

    :param run_environment: as its install record has it, for the new prefixes; Spack's archives
        have none.
    :param relocated: the files that were changed.
    """

    run_environment: Any
    facts: Mapping[str, Any]
    relocated: tuple[str, ...]


def unpack_package(request: UnpackRequest) -> Unpacked:
    """Unpack, check and relocate one package.

    :raises BinaryCacheError: it is damaged, hostile, of another package or cannot be moved; what
        is in the prefix does not count then.
    :raises OSError: the prefix cannot be written.
    """
    unpacking = _Unpacking(request)
    try:
        unpacking.read()
    except FetchError as error:
        reason = str(error.facts.get("reason", error.message))
        raise refused(request.origin, reason) from error
    unpacking.check_identity()
    return unpacking.relocate()


class _Unpacking:
    def __init__(self, request: UnpackRequest) -> None:
        self._request = request
        self._notes: dict[str, bytes] = {}
        self._top: str | None = None
        self._links: dict[str, str] = {}
        self._target = ExtractionTarget(
            request.prefix,
            request.origin,
            request.limits,
            left=request.limits.bytes_for(request.blob.size),
            distinct_case=False,
            retarget=self._note_absolute,
        )

    # -- reading -----------------------------------------------------------------------------

    def read(self) -> None:
        """Unpack all entries but the links, and check the digest of the whole."""
        request = self._request
        self._target.kinds[METADATA] = "directory"
        try:
            with open(request.archive, "rb", buffering=0) as file:
                reader = _DigestReader(file, request.blob.size, request.origin)
                unpack_tar(cast(IO[bytes], reader), self._target, self._route)
                reader.finish(request.blob.digest)
        except FileNotFoundError as error:
            raise refused(request.origin, "its archive is missing") from error
        for name in _NOTES:
            self._take_note(name)
        if DESCRIPTION not in self._notes:
            raise refused(request.origin, f"it has no {METADATA}/{DESCRIPTION}")

    def _take_note(self, name: str) -> None:
        if self._target.kinds.get(f"{METADATA}/{name}") != "file":
            return
        path = self._request.prefix / METADATA / name
        if path.stat().st_size > _LARGEST_NOTE:
            raise refused(self._request.origin, f"its {METADATA}/{name} is too long")
        self._notes[name] = path.read_bytes()
        path.unlink()

    def _route(self, member: tarfile.TarInfo) -> str | None:
        """Return a member's path in the prefix; None for what is above it, and for notes."""
        name = member.name.strip("/")
        if ".." in name.split("/") or member.name.startswith("//"):
            raise self._target.refuse(f"{member.name!r} would land outside")
        if self._top is None:
            self._top = _top_of(member, name)
            if self._top is None:
                return None
            if not self._top:
                raise self._target.refuse("its entries are not below a prefix")
        if name != self._top and not name.startswith(self._top + "/"):
            if member.isdir() and self._top.startswith(name + "/"):
                return None
            raise self._target.refuse(f"{member.name!r} is outside of {self._top!r}")
        relative = name[len(self._top) + 1 :]
        return relative or None

    def _note_absolute(self, target: str) -> str | None:
        """Allow the target of an absolute link for now: prefixes are known at the end."""
        return target

    # -- checks ------------------------------------------------------------------------------

    def check_identity(self) -> None:
        """Check that the archive is of the package that was asked for.

        :raises BinaryCacheError: it is of another one.
        """
        wanted, name = self._request.spec.dag_hash(), self._request.spec.name
        try:
            found_hash, found_name = _identity(parse_json(self._note("spec.json")))
        except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            raise refused(self._request.origin, f"its spec.json cannot be read: {error}") from error
        if (found_hash, found_name) != (wanted, name):
            raise refused(self._request.origin, f"its archive is of {found_name}/{found_hash[:7]}")

    def _note(self, name: str) -> bytes:
        return self._notes.get(name, b"")

    # -- relocation --------------------------------------------------------------------------

    def relocate(self) -> Unpacked:
        """Create the links and change the references, for where things are here."""
        request = self._request
        description = PackageDescription.parse(self._note(DESCRIPTION), request.origin)
        prefixes = Prefixes(
            request.origin,
            str(request.prefix),
            description.prefixes,
            {**request.prefixes, ROOT: str(request.root)},
        )
        pattern = PrefixPattern(description.prefixes)
        self._create_links(pattern, prefixes)
        changed = []
        if prefixes.moved:
            for path, found in self._references(description, pattern).items():
                if self._target.kinds.get(path) != "file":
                    raise refused(request.origin, f"it records {path!r}, which it does not have")
                if relocate_file(request.prefix, path, found, prefixes, request.set_run_path):
                    changed.append(path)
            self._correct_records(changed)
        record = self._record(prefixes)
        return Unpacked(record.get("run_environment"), record.get("facts") or {}, tuple(changed))

    def _create_links(self, pattern: PrefixPattern, prefixes: Prefixes) -> None:
        allowed = tuple(prefixes.new.values()) + _external_paths(self._request.spec)
        for path, target in self._target.links.items():
            if not target.startswith("/"):
                continue
            found = pattern.match(target)
            if found is not None:
                target = os.fsdecode(prefixes.pair(found[0])[1]) + found[1]
            normal = posixpath.normpath(target)
            if not any(normal == x or normal.startswith(x.rstrip("/") + "/") for x in allowed):
                raise refused(
                    self._request.origin, f"{path!r} is a link to {target!r}, which is outside"
                )
            self._target.links[path] = target
        try:
            self._target.create_links()
        except FetchError as error:
            raise refused(self._request.origin, str(error.facts["reason"])) from error

    def _references(
        self, description: PackageDescription, pattern: PrefixPattern
    ) -> Mapping[str, FileReferences]:
        if description.references is not None:
            return description.references
        found = {}
        for path in description.candidates:
            if self._target.kinds.get(path) == "file":
                references = _look(self._request.prefix / path, path, pattern)
                if references is not None:
                    found[path] = references
        return found

    def _correct_records(self, changed: list[str]) -> None:
        """Correct the rows of changed files in the RECORDs of distributions."""
        if not changed:
            return
        prefix = self._request.prefix
        files = {
            path: RecordedFile.of((prefix / path).read_bytes())
            for path in changed
            if not path.startswith(METADATA)
        }
        for path in list(self._target.kinds):
            if not path.endswith(".dist-info/RECORD") or self._target.kinds[path] != "file":
                continue
            old = (prefix / path).read_bytes()
            new = corrected_record(old, posixpath.dirname(posixpath.dirname(path)), files)
            if new != old:
                (prefix / path).write_bytes(new)

    def _record(self, prefixes: Prefixes) -> Mapping[str, Any]:
        """Return the install record, with the new prefixes in it."""
        text = self._note("install_record.json")
        if not text:
            return {}
        pattern = PrefixPattern(prefixes.old)
        parts, position = [], 0
        for offset, key in pattern.find(text):
            old, new = prefixes.pair(key)
            parts += [text[position:offset], json.dumps(os.fsdecode(new))[1:-1].encode()]
            position = offset + len(old)
        try:
            data = parse_json(b"".join([*parts, text[position:]]))
            if not isinstance(data, dict) or "run_environment" not in data:
                raise ValueError("it lacks the run environment")
            return data
        except ValueError as error:
            raise refused(self._request.origin, f"its install record: {error}") from error


class _DigestReader:
    """Reads a file once and computes its digest; ends where the manifest says that it ends."""

    def __init__(self, file: IO[bytes], size: int, origin: str) -> None:
        self._file = file
        self._left = size
        self._origin = origin
        self._digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        data = self._file.read(wanted) if wanted else b""
        self._digest.update(data)
        self._left -= len(data)
        return data

    def finish(self, digest: str) -> None:
        """Read the rest.

        :raises BinaryCacheError: size or digest are not those of the manifest.
        """
        while self.read(1 << 20):
            pass
        if self._left:
            raise refused(self._origin, f"its archive ends {self._left} bytes too early")
        if self._file.read(1):
            raise refused(self._origin, "its archive is longer than its manifest says")
        if self._digest.hexdigest() != digest:
            raise refused(self._origin, "its archive does not have the digest of its manifest")


def _top_of(member: tarfile.TarInfo, name: str) -> str | None:
    """Return the prefix as the archive names it, once a member shows it."""
    folder, _, last = name.rpartition("/")
    if member.isdir() and last != METADATA:
        return None
    if last:
        parts = folder.split("/")
        if METADATA in parts:
            return "/".join(parts[: parts.index(METADATA)])
        return folder
    return None


def _identity(data: Any) -> tuple[str, str]:
    """Return hash and name of the root in a ``spec.json``, of this tool or of Spack."""
    if "spec" in data:
        node = data["spec"]["nodes"][0]
        return str(node["hash"]), str(node["name"])
    digest = str(data["roots"][0])
    return digest, str(data["nodes"][digest]["name"])


def _external_paths(spec: ConcreteSpec) -> tuple[str, ...]:
    return tuple(
        node.external.path
        for node in spec.traverse(DEPTYPES)
        if node.external is not None and node.external.path
    )


def _look(file: Path, path: str, pattern: PrefixPattern) -> FileReferences | None:
    with open(file, "rb") as stream:
        if not os.fstat(stream.fileno()).st_size:
            return None
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return references_in(data, path, pattern)
