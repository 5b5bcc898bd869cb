"""Caches of layout version 2, as Spack wrote them before 1.0; they are only read.

::

    build_cache/index.json                     Spack's index; index.json.hash is its sha256
    build_cache/<name>.spec.json.sig           a spec file, clear-signed; unsigned without .sig
    build_cache/<arch>/<compiler>/<package>-<version>/<name>.spack

where ``<name>`` is ``<arch>-<compiler>-<package>-<version>-<hash>``. A spec file has the digest of
the archive, so that it is what a manifest is in version 3.
"""

from __future__ import annotations

import re

from spack.binary.cache_manifest import SPACK_INDEX, Blob, refused
from spack.binary.cache_storage import CacheStorage, MissingInCacheError
from spack.binary.catalogue import IndexManifest
from spack.spec import ConcreteSpec
from spack.store.layout import path_part

__all__ = ["ROOT", "EarlierLayout", "archive_path", "spec_file_path"]

#: The directory that all of it is in.
ROOT = "build_cache"

_INDEX = f"{ROOT}/index.json"

#: Bytes of an index and of a spec file.
_LARGEST_INDEX = 1 << 30
_LARGEST_SPEC_FILE = 64 << 20


class EarlierLayout:
    """A cache of layout version 2 in a storage."""

    def __init__(self, storage: CacheStorage) -> None:
        self._storage = storage

    def index(self, origin: str) -> IndexManifest:
        """Return what the index consists of; nothing if there is none.

        :raises BinaryCacheError: it cannot be read.
        """
        try:
            text = self._storage.read(f"{_INDEX}.hash").decode("ascii", "replace").strip()
        except MissingInCacheError:
            return IndexManifest()
        if not re.fullmatch(r"[0-9a-f]{64}", text):
            raise refused(origin, f"{_INDEX}.hash is not a sha256")
        return IndexManifest(spack=Blob(_LARGEST_INDEX, SPACK_INDEX, "none", text))

    def index_content(self) -> bytes:
        """Return the index; whether it has its digest is not checked.

        :raises BinaryCacheError: it cannot be read.
        """
        return self._storage.read(_INDEX, _LARGEST_INDEX)

    def manifest_text(self, spec: ConcreteSpec) -> str | None:
        """Return the spec file of a package, which is signed if there is such a one, or None.

        :raises BinaryCacheError: it cannot be read.
        """
        for ending in (".sig", ""):
            try:
                content = self._storage.read(f"{spec_file_path(spec)}{ending}", _LARGEST_SPEC_FILE)
                return content.decode("utf-8")
            except MissingInCacheError:
                continue
            except UnicodeDecodeError as error:
                raise refused(f"the spec file of {spec.short}", str(error)) from error
        return None


def spec_file_path(spec: ConcreteSpec) -> str:
    """Return where the unsigned spec file of a package is."""
    return f"{ROOT}/{_name(spec)}.spec.json"


def archive_path(spec: ConcreteSpec) -> str:
    """Return where the archive of a package is."""
    package = f"{spec.name}-{path_part(str(spec.version))}"
    return f"{ROOT}/{_architecture(spec)}/{_compiler(spec)}/{package}/{_name(spec)}.spack"


def _name(spec: ConcreteSpec) -> str:
    version = path_part(str(spec.version))
    parts = (_architecture(spec), _compiler(spec), spec.name, version, spec.dag_hash())
    return "-".join(parts)


def _architecture(spec: ConcreteSpec) -> str:
    return f"{spec.platform}-{spec.os}-{spec.target}"


def _compiler(spec: ConcreteSpec) -> str:
    """Return name and version of the compiler, which nodes had as an attribute at that time."""
    known = re.fullmatch(r"([\w.+-]+)@=(.+)", spec.earlier_compiler)
    if known is not None:
        return f"{known[1]}-{path_part(known[2])}"
    return spec.format("{compiler.name}-{compiler.version}")
