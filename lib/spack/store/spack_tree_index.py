"""The database of an install tree that Spack writes: ``.spack-db/index.json``, as rows.

The file is one JSON document of all packages: a few megabytes for a thousand. It is replaced as a
whole by each installation, so that a reader needs no lock. Read are versions 6 to 8 (Spack 0.18 to
1.2), whose nodes are those of spec files of versions 3 to 5.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from spack.errors import StoreError
from spack.spec.node_reading import stored_edges
from spack.spec.stored import written
from spack.store.os_errors import reason_of
from spack.store.record import InstallRecord

__all__ = ["SpackIndex", "read_spack_index", "spack_index_path"]

#: Versions of the file that are read.
VERSIONS = ("6", "7", "8")

_HINT = "let the Spack that the tree belongs to rebuild it: spack reindex"


class SpackIndex(NamedTuple):
    """The content of an index, as the rows of a database.

    :ivar documents: pairs of hash and node, as JSON.
    :ivar edges: triples of dependent, dependency, and comma-separated types.
    """

    records: list[InstallRecord]
    documents: list[tuple[str, str]]
    edges: list[tuple[str, str, str]]


def spack_index_path(root: Path) -> Path:
    """Return the path of the database of an install tree of Spack."""
    return root / ".spack-db" / "index.json"


def read_spack_index(path: Path) -> SpackIndex:
    """Return the content of the index at *path*. Cost: about 80 us a package.

    :raises StoreError: it cannot be read, is damaged, or of a version that is not supported.
    """
    try:
        # Spack may let further documents follow
        data, _ = json.JSONDecoder().raw_decode(path.read_text(encoding="utf-8"))
        database = data["database"]
        version, installs = str(database["version"]), database["installs"]
    except OSError as error:
        raise StoreError(
            f"cannot read the database of Spack: {path}: {reason_of(error)}",
            facts={"path": str(path)},
            hint="ask the owner of the install tree for the permission to read it",
            ref="spack-store",
        ) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _damaged(path, repr(error)) from error
    if version not in VERSIONS:
        newer = version.isdigit() and int(version) > int(VERSIONS[-1])
        raise StoreError(
            f"cannot read the database of Spack: {path} is of version {version}",
            facts={"path": str(path), "version": version, "supported": ", ".join(VERSIONS)},
            hint="a newer Spack wrote it: use a newer version of this tool" if newer else _HINT,
            ref="spack-store",
        )
    index = SpackIndex([], [], [])
    for digest, row in installs.items():
        try:
            _add(index, digest, row)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise _damaged(path, f"the record {digest}: {error!r}") from error
    return index


def _add(index: SpackIndex, digest: str, row: Mapping[str, Any]) -> None:
    node = row["spec"]
    target = node["arch"]["target"]
    prefix = row.get("path")
    external = bool(node.get("external"))
    if external:
        prefix = node["external"].get("path")
    index.records.append(
        InstallRecord(
            hash=digest,
            name=node["name"],
            namespace=node.get("namespace") or "",
            version=str(node["version"]),
            platform=node["arch"]["platform"],
            os=node["arch"]["platform_os"],
            target=target if isinstance(target, str) else target["name"],
            prefix=prefix if prefix not in (None, "None") else "/",
            explicit=bool(row.get("explicit")),
            installed=bool(row.get("installed")),
            external=external,
            installed_at=float(row.get("installation_time") or 0),
        )
    )
    document = json.dumps(written(digest, node), separators=(",", ":"))
    index.documents.append((digest, document))
    kinds: dict[str, set[str]] = {}
    for edge in stored_edges(node):
        kinds.setdefault(edge.hash, set()).update(edge.deptypes)
    index.edges.extend((digest, child, ",".join(sorted(types))) for child, types in kinds.items())


def _damaged(path: Path, what: str) -> StoreError:
    return StoreError(
        f"the database of Spack is damaged: {path}: {what}",
        facts={"path": str(path)},
        hint=_HINT,
        ref="spack-store",
    )
