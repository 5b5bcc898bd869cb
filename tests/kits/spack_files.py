"""Files as real Spack writes them, made of graphs of tests."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from spack.environment.lockfile import read_lockfile
from spack.spec import DEPTYPES, ConcreteSpec, Edge, dump, to_specfile, traverse_all
from spack.spec.traversal import post_order

__all__ = [
    "as_spack",
    "spack_lock",
    "spack_prefix",
    "to_spack_lock",
    "write_spack_index",
    "write_spack_prefix",
]

#: Spack writes hashes of recipes in base 32, with padding.
RECIPE_HASH = "z" * 52 + "===="


def as_spack(roots: Iterable[ConcreteSpec], without: str = "") -> list[ConcreteSpec]:
    """Return the graphs as Spack makes them: every node has a hash of its recipe.

    :param without: name of a package that nothing depends on.
    """
    done: dict[str, ConcreteSpec] = {}
    starts = list(roots)
    for node in post_order(starts):
        edges = [
            Edge(done[e.spec.dag_hash()], e.deptypes, e.virtuals)
            for e in node.edges
            if e.spec.name != without
        ]
        done[node.dag_hash()] = node.replace(edges=edges, package_hash=RECIPE_HASH)
    return [done[root.dag_hash()] for root in starts]


def spack_lock(roots: Iterable[tuple[str, ConcreteSpec]]) -> dict[str, Any]:
    """Return the content of a lock file of Spack, for pairs of what was asked for and its spec."""
    pairs = list(roots)
    return {
        "_meta": {"file-type": "spack-lockfile", "lockfile-version": 6, "specfile-version": 5},
        "spack": {"version": "1.2.0.dev0", "type": "release"},
        "roots": [{"hash": spec.dag_hash(), "spec": text} for text, spec in pairs],
        "concrete_specs": dump(spec for _, spec in pairs)["nodes"],
    }


def to_spack_lock(path: Path, without: str = "") -> list[ConcreteSpec]:
    """Replace the lock file at *path* by what Spack would have written; return all its nodes."""
    lock = read_lockfile(path)
    assert lock is not None
    specs = as_spack((lock.specs[root.hash] for root in lock.roots), without)
    texts = [root.spec for root in lock.roots]
    path.write_text(json.dumps(spack_lock(zip(texts, specs))))
    return list({node.dag_hash(): node for s in specs for node in s.traverse(DEPTYPES)}.values())


def write_spack_index(
    root: Path, specs: Iterable[ConcreteSpec], *, version: str = "8", missing: Iterable[str] = ()
) -> Path:
    """Write the database of an install tree of Spack that has *specs* and all below them.

    :param missing: names of packages that are known and not installed.
    """
    nodes = list({node.dag_hash(): node for node in traverse_all(specs, DEPTYPES)}.values())
    plain = dump(nodes)["nodes"]
    installs = {
        node.dag_hash(): {
            "spec": plain[node.dag_hash()],
            "path": spack_prefix(root, node),
            "installed": node.name not in missing,
            "ref_count": 1,
            "explicit": node.name == "top",
            "installation_time": 1700000000.25,
        }
        for node in nodes
    }
    path = root / ".spack-db" / "index.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".temp")
    new.write_text(json.dumps({"database": {"version": version, "installs": installs}}))
    new.rename(path)
    return path


def spack_prefix(root: Path, node: ConcreteSpec) -> str:
    """Return where Spack installs *node* in the tree at *root*."""
    if node.external is not None:
        return node.external.path or "None"
    return str(root / f"linux-{node.target}" / f"{node.name}-{node.version}-{node.dag_hash()}")


def write_spack_prefix(root: Path, node: ConcreteSpec, files: Mapping[str, str]) -> Path:
    """Install *files* as Spack does, with its metadata; scripts are executable."""
    prefix = Path(spack_prefix(root, node))
    for name, text in files.items():
        path = prefix / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755 if text.startswith("#!") else 0o644)
    (prefix / ".spack").mkdir(parents=True)
    (prefix / ".spack" / "spec.json").write_text(json.dumps(to_specfile(node)))
    manifest = {str(path): _manifest_row(path) for path in (prefix, *prefix.rglob("*"))}
    (prefix / ".spack" / "install_manifest.json").write_text(json.dumps(manifest))
    return prefix


def _manifest_row(path: Path) -> dict[str, Any]:
    status = path.lstat()
    row: dict[str, Any] = {"mode": status.st_mode, "owner": status.st_uid, "group": status.st_gid}
    if path.is_symlink():
        row["dest"] = os.readlink(path)
    elif path.is_file():
        digest = hashlib.sha1(path.read_bytes(), usedforsecurity=False).digest()
        row["hash"] = base64.b32encode(digest).decode()
        row["time"], row["size"] = status.st_mtime, status.st_size
    return row
