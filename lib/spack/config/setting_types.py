"""The typed values that settings are made of; plain records without a way to read them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from spack.config.wheel_policy import WheelPolicy

__all__ = [
    "BootstrapSettings",
    "ConcretizerSettings",
    "FetchSettings",
    "MirrorEntry",
    "RepoEntry",
    "ReuseSettings",
]


class FetchSettings(NamedTuple):
    """What fetching needs to know.

    :ivar index_url: overrides the package index of pip's own configuration, or None.
    :ivar retries: further attempts after a failure that may pass; None: as pip is configured.
    """

    index_url: str | None
    extra_index_urls: tuple[str, ...]
    retries: int | None
    connect_timeout: int
    verify_ssl: bool
    ssl_certs: Path | None
    checksum: bool
    source_cache: Path


class ReuseSettings(NamedTuple):
    """``concretizer:reuse`` written out.

    :ivar enabled: whether installed specs may be taken at all.
    :ivar roots: whether they may be taken for roots, too.
    :ivar sources: ``from:`` entries as data; empty means every source.
    """

    enabled: bool = True
    roots: bool = True
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    sources: tuple[Mapping[str, Any], ...] = ()


class ConcretizerSettings(NamedTuple):
    """The section ``concretizer``.

    :ivar reuse: True, False or ``"dependencies"``; the details are in ``reuse_settings``.
    :ivar unify: True, False or ``"when_possible"``.
    :ivar duplicates: ``none``, ``minimal`` or ``full``.
    :ivar max_dupes: nodes of one package that a solution may have, with ``default``.
    :ivar python: ``available`` (none is built while one that is there will do) or ``newest``.
    :ivar wheels: whether packages may be wheels of the package index; see ``etc/concretizer.yaml``.
    :ivar timeout: seconds; 0 waits without a limit.
    :ivar detect_externals: False, True or the names that may be detected on the fly.
    """

    reuse: bool | str = True
    reuse_settings: ReuseSettings = ReuseSettings()
    unify: bool | str = True
    force: bool = False
    duplicates: str = "minimal"
    max_dupes: Mapping[str, int] = {}
    granularity: str = "microarchitectures"
    host_compatible: bool = True
    compiler_mixing: bool | tuple[str, ...] = True
    os_compatible: Mapping[str, tuple[str, ...]] = {}
    python: str = "available"
    wheels: WheelPolicy = "never"
    timeout: int = 0
    error_on_timeout: bool = True
    externals_completion: str = "default_variants"
    detect_externals: bool | tuple[str, ...] = True


class RepoEntry(NamedTuple):
    """A repository of recipes, in order of precedence.

    :ivar name: the key; in the old form, a list of paths, the path as it is written.
    :ivar path: its directory; for one from git, the configured ``destination`` or None.
    :ivar commit: decides where it is given, then ``tag``, then ``branch``.
    :ivar paths: repositories inside the clone, relative to it; empty means its own index file.
    """

    name: str
    path: Path | None
    origin: str
    git: str | None = None
    branch: str | None = None
    tag: str | None = None
    commit: str | None = None
    paths: tuple[str, ...] = ()


class MirrorEntry(NamedTuple):
    """A mirror; ``connection`` holds what is configured for access, as plain data."""

    name: str
    fetch_url: str
    push_url: str
    source: bool
    binary: bool
    signed: bool
    autopush: bool
    origin: str
    connection: Mapping[str, Any] = {}

    def connection_for(self, way: Literal["fetch", "push"]) -> Mapping[str, Any]:
        """Return what is configured for reading or writing: its own keys, then the mirror's."""
        nested = self.connection.get(way)
        if nested is None and way == "fetch":
            nested = self.connection.get("pull")
        return {**self.connection, **nested} if isinstance(nested, Mapping) else self.connection

    @property
    def view(self) -> str:
        """The index view that is read; empty for the whole index."""
        return str(self.connection_for("fetch").get("view") or "")


class BootstrapSettings(NamedTuple):
    """The section ``bootstrap``: where the tool's own dependencies go."""

    enable: bool
    root: Path
    sources: tuple[Mapping[str, Any], ...] = ()
    trusted: Mapping[str, bool] = {}
