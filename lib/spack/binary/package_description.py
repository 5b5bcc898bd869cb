"""``.spack/binary_distribution`` of an archive: what must be known to install it elsewhere.

Spack's ``buildinfo``, as JSON, which is YAML, with the offsets of references added::

    {"buildpath": the install tree's root, "relative_prefix": ...,
     "hash_to_prefix": {hash: prefix}, "hardlinks_deduped": true,
     "relocate_textfiles": [...], "relocate_binaries": [...], "relocate_links": [...],
     "references": {path: {"kind": ..., "at": [[offset, hash], ...]}}}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from spack.binary.cache_manifest import refused
from spack.binary.path_references import ROOT, FileReferences
from spack.errors import ConfigError
from spack.util.frozen import frozen
from spack.util.json_input import parse_json

__all__ = ["DESCRIPTION", "PackageDescription"]

#: Its name in ``.spack``.
DESCRIPTION = "binary_distribution"


@frozen
class PackageDescription:
    """What an archive says of its paths.

    :param prefixes: by hash of the node, and of the install tree by
        :data:`~spack.binary.path_references.ROOT`, where the package was packed.
    :param relative: the package's own prefix below that install tree.
    :param references: by path of the file; None if the archive only lists the files to look at.
    :param candidates: those files.
    """

    prefixes: Mapping[str, str]
    relative: str
    references: Mapping[str, FileReferences] | None
    candidates: tuple[str, ...] = ()
    links: tuple[str, ...] = ()

    def to_json(self) -> str:
        references = self.references or {}
        binary = ("elf", "binary")
        data = {
            "buildpath": self.prefixes[ROOT],
            "hardlinks_deduped": True,
            "hash_to_prefix": {key: path for key, path in self.prefixes.items() if key != ROOT},
            "references": {path: found.to_data() for path, found in references.items()},
            "relative_prefix": self.relative,
            "relocate_binaries": [x for x, found in references.items() if found.kind in binary],
            "relocate_links": list(self.links),
            "relocate_textfiles": [x for x, found in references.items() if found.kind == "text"],
        }
        return json.dumps(data, sort_keys=True, separators=(",", ":")) + "\n"

    @classmethod
    def parse(cls, text: bytes, origin: str) -> PackageDescription:
        """Read one of this tool or of Spack.

        :raises BinaryCacheError: it is not one that can be used.
        """
        try:
            return cls._of(_content(text, origin))
        except (
            ConfigError, ValueError, KeyError, TypeError, AttributeError, RecursionError
        ) as error:  # fmt: skip
            raise refused(origin, f"its {DESCRIPTION} cannot be read: {error!r}") from error

    @classmethod
    def _of(cls, data: Mapping[str, Any]) -> PackageDescription:
        by_hash = data.get("hash_to_prefix")
        if by_hash is None:  # Spack 0.19 and older
            by_hash = {key: path for path, key in data["prefix_to_hash"].items()}
        prefixes = {**by_hash, ROOT: data["buildpath"]}
        if not all(
            type(x) is str and x.startswith("/") and "\0" not in x for x in prefixes.values()
        ):
            raise ValueError("a prefix is not an absolute path")
        candidates = [*data.get("relocate_textfiles", ()), *data.get("relocate_binaries", ())]
        references = data.get("references")
        return cls(
            prefixes=prefixes,
            relative=str(data["relative_prefix"]),
            references=None
            if references is None
            else {path: FileReferences.from_data(row) for path, row in references.items()},
            candidates=tuple(map(str, candidates)),
            links=tuple(map(str, data.get("relocate_links", ()))),
        )


def _content(text: bytes, origin: str) -> Any:
    decoded = text.decode("utf-8")
    if decoded.startswith('{"'):
        return parse_json(decoded)
    from spack.util import yaml  # start-up: only for archives that Spack has made

    return yaml.load(origin, decoded).data
