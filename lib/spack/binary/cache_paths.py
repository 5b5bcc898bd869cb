"""Where things are in a cache of layout version 3."""

from __future__ import annotations

from spack.spec import ConcreteSpec
from spack.store.layout import path_part

__all__ = [
    "INDEX",
    "LAYOUT",
    "LAYOUT_TEXT",
    "SPECS",
    "hash_of",
    "index_path",
    "spec_manifest_path",
]

#: Manifests of packages, one directory for each name.
SPECS = "v3/manifests/spec"
#: The manifest of the index.
INDEX = "v3/manifests/index/index.manifest.json"
#: Says that a cache is there, and how it is signed.
LAYOUT = "v3/layout.json"
LAYOUT_TEXT = '{"signing": "gpg"}'

_ENDING = ".spec.manifest.json"


def index_path(view: str) -> str:
    """Return where the manifest of an index view is; of the whole index for ``""``."""
    return f"v3/manifests/index/{view}/index.manifest.json" if view else INDEX


def spec_manifest_path(spec: ConcreteSpec) -> str:
    """Return where the manifest of *spec* is."""
    version = path_part(str(spec.version))
    return f"{SPECS}/{spec.name}/{spec.name}-{version}-{spec.dag_hash()}{_ENDING}"


def hash_of(path: str) -> str | None:
    """Return the hash in the path of a package's manifest; None for other files."""
    name = path.rpartition("/")[2]
    if not name.endswith(_ENDING):
        return None
    digest = name[: -len(_ENDING)].rpartition("-")[2]
    return digest if len(digest) == 32 and digest.isalnum() else None
