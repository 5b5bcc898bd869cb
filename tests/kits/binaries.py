"""Prefixes that are packed, archives by hand, and what is unpacked from them."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Callable

from spack.binary.cache_manifest import ARCHIVE, Blob
from spack.binary.pack_package import pack_prefix
from spack.binary.package_description import PackageDescription
from spack.binary.unpack_package import Unpacked, UnpackRequest, unpack_package
from spack.spec import ConcreteSpec, dump

__all__ = ["Machine", "archive_of", "blob_of", "packed", "unpacked"]


class Machine:
    """An install tree at *root* with the prefixes of a node and its dependencies."""

    def __init__(self, root: Path, spec: ConcreteSpec) -> None:
        self.root = root
        self.spec = spec
        self.prefixes = {
            node.dag_hash(): str(root / f"{node.name}-{node.dag_hash()}")
            for node in spec.traverse()
            if node.external is None
        }

    @property
    def prefix(self) -> Path:
        return Path(self.prefixes[self.spec.dag_hash()])

    def path(self, name: str) -> Path:
        """Return the prefix of the dependency *name*."""
        node = next(node for node in self.spec.traverse() if node.name == name)
        return Path(self.prefixes[node.dag_hash()])

    def install(self, files: Mapping[str, str | bytes]) -> Path:
        """Fill the prefix, with a ``.spack`` as an install leaves it; a key with @ is a link."""
        spack = self.prefix / ".spack"
        spack.mkdir(parents=True)
        (spack / "spec.json").write_text(json.dumps(dump([self.spec])))
        record = {"format": 1, "run_environment": [{"value": f"{self.prefix}/bin"}], "facts": {}}
        (spack / "install_record.json").write_text(json.dumps(record))
        for name, content in files.items():
            path = self.prefix / name.rstrip("@")
            path.parent.mkdir(parents=True, exist_ok=True)
            if name.endswith("@"):
                path.symlink_to(str(content))
            else:
                path.write_bytes(content.encode() if isinstance(content, str) else content)
        return self.prefix


def packed(machine: Machine, target: Path) -> Blob:
    """Pack the node of *machine*."""
    with ThreadPoolExecutor(2) as pool, open(target, "wb") as file:
        made = pack_prefix(machine.prefix, machine.root, machine.prefixes, file, pool)
    return Blob(made.size, ARCHIVE, "gzip", made.digest)


def unpacked(machine: Machine, archive: Path, blob: Blob, **options: object) -> Unpacked:
    """Unpack *archive* as the node of *machine*."""
    (machine.prefix / ".spack").mkdir(parents=True)
    return unpack_package(
        UnpackRequest(
            spec=machine.spec,
            archive=archive,
            blob=blob,
            prefix=machine.prefix,
            root=machine.root,
            prefixes=machine.prefixes,
            **options,  # type: ignore[arg-type]  # passed on
        )
    )


def blob_of(archive: Path) -> Blob:
    """Return the right row of a manifest for *archive*."""
    data = archive.read_bytes()
    return Blob(len(data), ARCHIVE, "gzip", hashlib.sha256(data).hexdigest())


def archive_of(
    machine: Machine,
    target: Path,
    change: Callable[[tarfile.TarFile, str], None] = lambda tar, top: None,
    *,
    spec: ConcreteSpec | None = None,
    description: bytes | None = None,
) -> Blob:
    """Write an archive of *machine*'s node by hand.

    :param change: adds entries; is given the name of the prefix.
    :param spec: what its ``spec.json`` says.
    """
    top = str(machine.prefix).strip("/")
    described = PackageDescription({**machine.prefixes, "": str(machine.root)}, "x", {})
    notes = {
        "spec.json": json.dumps(dump([spec or machine.spec])).encode(),
        "binary_distribution": description or described.to_json().encode(),
    }
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        for name in (top, f"{top}/.spack"):
            entry = tarfile.TarInfo(name)
            entry.type = tarfile.DIRTYPE
            tar.addfile(entry)
        for name, data in notes.items():
            entry = tarfile.TarInfo(f"{top}/.spack/{name}")
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
        change(tar, top)
    target.write_bytes(gzip.compress(plain.getvalue()))
    return blob_of(target)
