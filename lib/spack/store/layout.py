"""The paths in an install tree.

::

    <root>/<projection>/             one prefix per installed node
    <root>/<projection>/.spack/      what is known of it (below)
    <root>/.spack-db/                the database, locks, markers of running transactions, logs

A prefix's ``.spack`` holds everything that the database knows of it, so that the database can
be rebuilt from the prefixes (DESIGN, decision 8)::

    spec.json               the node and all it depends on: a spec file of Spack's form
    install_record.json     the rest of the database's row; written last, its presence says
                            that the prefix is complete
    install_manifest.json   the files with modes and hashes
    spack-build-out.txt     the build's output
    spack-build-env.txt     the environment it ran in
    repos/<namespace>/packages/<directory>/    the recipe that built it
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from spack.errors import ConfigError, StoreError
from spack.util.frozen import field, frozen

if TYPE_CHECKING:
    from spack.spec import ConcreteSpec

__all__ = ["DEFAULT_PROJECTION", "METADATA", "Layout", "Metadata", "path_part"]

#: The folder of metadata in each prefix.
METADATA = ".spack"

#: The folder of the store's own files in the root.
DATABASE_FOLDER = ".spack-db"

#: The folders that :attr:`Layout.padded_root` is made of, as Spack names them.
PADDING = "__spack_path_placeholder__"

#: ``{name}`` is always followed by a version and a hash, so no node's prefix is a string prefix
#: of another's: builds that strip ``<store>/python`` from texts would otherwise hurt
#: ``<store>/python-venv-…``.
DEFAULT_PROJECTION = "{architecture.platform}-{architecture.target}/{name}-{version}-{hash}"


def path_part(text: str) -> str:
    """Return *text* as one part of a path: versions such as ``git.feature/x=1.0`` hold slashes."""
    return text.replace("/", "_")


@frozen
class Metadata:
    """The paths of what is known of one prefix."""

    prefix: Path

    @property
    def folder(self) -> Path:
        return self.prefix / METADATA

    @property
    def spec(self) -> Path:
        return self.prefix / METADATA / "spec.json"

    @property
    def record(self) -> Path:
        return self.prefix / METADATA / "install_record.json"

    @property
    def manifest(self) -> Path:
        return self.prefix / METADATA / "install_manifest.json"

    @property
    def build_log(self) -> Path:
        return self.prefix / METADATA / "spack-build-out.txt"

    @property
    def build_environment(self) -> Path:
        return self.prefix / METADATA / "spack-build-env.txt"

    def recipe(self, namespace: str, directory: str) -> Path:
        """Return the path of the recipe's copy; *directory* is the recipe's directory name."""
        return self.prefix / METADATA / "repos" / namespace / "packages" / directory


@frozen
class Layout:
    """The paths of one install tree.

    :param root: the install tree.
    :param projection: spec format of a prefix relative to *root*; must contain the hash.
    :param projections: further formats by abstract spec text; the first that the node
        satisfies wins over *projection*. The key ``all`` replaces *projection*.
    :param padded_length: prefixes are in a directory whose path is this long, so that paths in
        binaries can be replaced by longer ones; 0 adds nothing.
    :param hash_length: letters of a plain ``{hash}``; None is all.
    :raises ConfigError: if a projection leaves out the hash, so that two specs could share
        one prefix, or would leave the root.
    """

    root: Path
    projection: str = DEFAULT_PROJECTION
    projections: Mapping[str, str] = field(default_factory=dict)
    padded_length: int = 0
    hash_length: int | None = None

    def __post_init__(self) -> None:
        for text in (self.projection, *self.projections.values()):
            if "{hash" not in text and "{/hash" not in text:
                raise ConfigError(
                    f"the projection '{text}' has no {{hash}}",
                    facts={"projection": text},
                    hint="end it with '-{hash}' (or '-{hash:7}'): without it two installs of "
                    "one package would overwrite each other",
                )
            if text.startswith("/") or ".." in text.split("/"):
                raise ConfigError(
                    f"the projection '{text}' leads out of the install tree",
                    facts={"projection": text},
                    hint="write it relative to install_tree:root",
                )

    def prefix(self, spec: ConcreteSpec) -> Path:
        """Return the prefix of *spec*; an external's own path (the root ``/`` if unknown).

        :raises StoreError: it would be outside of the install tree.
        """
        if spec.external is not None:
            return Path(spec.external.path or "/")
        chosen = self.projections.get("all", self.projection)
        for text, projection in self.projections.items():
            if text != "all" and spec.satisfies(text):
                chosen = projection
                break
        if self.hash_length is not None:
            chosen = chosen.replace("{hash}", f"{{hash:{self.hash_length}}}")
        relative = spec.format(chosen, {"version": path_part(str(spec.version))})
        parts = relative.split("/")
        if relative.startswith("/") or ".." in parts or parts[0] == DATABASE_FOLDER:
            raise StoreError(
                f"the prefix of {spec.name} would be outside of the install tree: {relative!r}",
                facts={"root": str(self.root), "prefix": relative, "package": spec.name},
                hint="correct config:install_tree:projections, or the file that names this spec",
                ref="store-prefix",
            )
        return self.padded_root / relative

    @property
    def padded_root(self) -> Path:
        """Where projections begin."""
        missing = self.padded_length - len(str(self.root)) - 1
        if missing <= 0:
            return self.root
        repeated = f"{PADDING}/" * (missing // (len(PADDING) + 1) + 1)
        # A part of a path is never empty: the last slash may be one letter too early.
        return self.root / repeated[:missing].rstrip("/")

    @property
    def database_folder(self) -> Path:
        return self.root / DATABASE_FOLDER

    @property
    def database(self) -> Path:
        return self.root / DATABASE_FOLDER / "index.sqlite"

    @property
    def earlier_roots(self) -> Path:
        """The roots that a moved tree had; see :mod:`spack.store.moves`."""
        return self.root / DATABASE_FOLDER / "earlier-roots"

    @property
    def locks(self) -> Path:
        return self.root / DATABASE_FOLDER / "locks"

    @property
    def history(self) -> Path:
        """What earlier builds took; see :mod:`spack.store.build_history`."""
        return self.root / DATABASE_FOLDER / "history"

    @property
    def pending(self) -> Path:
        """Markers of transactions that have begun and not ended."""
        return self.root / DATABASE_FOLDER / "pending"

    @property
    def backup(self) -> Path:
        """Prefixes that were moved out of the way, to come back or to be deleted."""
        return self.root / DATABASE_FOLDER / "aside"

    @property
    def logs(self) -> Path:
        """Logs of builds that run or failed; those that succeed move into their prefix."""
        return self.root / DATABASE_FOLDER / "logs"

    def running_log(self, spec_hash: str, name: str, version: str) -> Path:
        """Return the log of a build that runs or failed; one a hash, the last attempt's."""
        # No name holds an @, so the logs of python are distinguished from those of python-venv.
        return self.logs / f"{name}@{path_part(version)}-{spec_hash}.txt"

    def running_logs(self) -> list[tuple[str, str, str, Path]]:
        """Name, version, hash and path of all of :meth:`running_log`, the latest last."""
        found = [path for path in self.logs.glob("*@*.txt") if not path.name.endswith(".env.txt")]
        rows = []
        for path in sorted(found, key=lambda path: path.stat().st_mtime):
            name, _, rest = path.stem.partition("@")
            version, _, spec_hash = rest.rpartition("-")
            rows.append((name, version, spec_hash, path))
        return rows
