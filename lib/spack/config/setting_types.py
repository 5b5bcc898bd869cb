"""The typed values that settings are made of; plain records without a way to read them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Mapping, NamedTuple, Optional, Tuple, Union

__all__ = [
    "BootstrapSettings",
    "ConcretizerSettings",
    "ConfigSettings",
    "FetchSettings",
    "MirrorEntry",
    "RepoEntry",
    "ReuseSettings",
]


class ConfigSettings:
    """The section ``config``; names are the keys', paths are absolute.

    A named tuple of 37 annotated fields would cost 1 ms at start-up; this costs nothing.
    """

    install_tree: Path
    projections: Mapping[str, str]
    padded_length: int
    install_hash_length: Optional[int]
    build_stage: Tuple[Path, ...]
    stage_name: str
    test_stage: Path
    source_cache: Path
    misc_cache: Path
    environments_root: Path
    license_dir: Path
    template_dirs: Tuple[Path, ...]
    extensions: Tuple[Path, ...]
    connect_timeout: int
    verify_ssl: bool
    ssl_certs: Optional[Path]
    checksum: bool
    deprecated: bool
    debug: bool
    locks: bool
    dirty: bool
    build_language: str
    build_jobs: int
    concurrent_packages: int
    ccache: bool
    db_lock_timeout: int
    package_lock_timeout: Optional[int]
    allow_sgid: bool
    install_status: bool
    keep_werror: str
    shared_linking: str
    build_env_pass: Tuple[str, ...]
    build_env_set: Mapping[str, str]
    build_env_outside: str
    build_env_write: Tuple[Path, ...]
    additional_external_search_paths: Tuple[Path, ...]
    aliases: Mapping[str, str]

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"settings are immutable: {name}")

    def replace(self, **values: Any) -> ConfigSettings:
        """These settings with some values changed."""
        return ConfigSettings(**{**self.__dict__, **values})


class FetchSettings(NamedTuple):
    """What fetching needs to know.

    :ivar index_url: overrides the package index of pip's own configuration, or None.
    :ivar retries: further attempts after a failure that may pass; None: as pip is configured.
    """

    index_url: Optional[str]
    extra_index_urls: Tuple[str, ...]
    retries: Optional[int]
    connect_timeout: int
    verify_ssl: bool
    ssl_certs: Optional[Path]
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
    include: Tuple[str, ...] = ()
    exclude: Tuple[str, ...] = ()
    sources: Tuple[Mapping[str, Any], ...] = ()


class ConcretizerSettings(NamedTuple):
    """The section ``concretizer``.

    :ivar reuse: True, False or ``"dependencies"``; the details are in ``reuse_settings``.
    :ivar unify: True, False or ``"when_possible"``.
    :ivar duplicates: ``none``, ``minimal`` or ``full``.
    :ivar max_dupes: nodes of one package that a solution may have, with ``default``.
    :ivar timeout: seconds; 0 waits for ever.
    :ivar detect_externals: False, True or the names that may be detected on the fly.
    """

    reuse: Union[bool, str] = True
    reuse_settings: ReuseSettings = ReuseSettings()
    unify: Union[bool, str] = True
    force: bool = False
    duplicates: str = "minimal"
    max_dupes: Mapping[str, int] = {}
    granularity: str = "microarchitectures"
    host_compatible: bool = True
    compiler_mixing: Union[bool, Tuple[str, ...]] = True
    os_compatible: Mapping[str, Tuple[str, ...]] = {}
    timeout: int = 0
    error_on_timeout: bool = True
    externals_completion: str = "default_variants"
    detect_externals: Union[bool, Tuple[str, ...]] = True


class RepoEntry(NamedTuple):
    """A repository of recipes, in order of precedence.

    :ivar name: the key; in the old form, a list of paths, the path as it is written.
    :ivar path: its directory; for one from git, the configured ``destination`` or None.
    :ivar commit: decides where it is given, then ``tag``, then ``branch``.
    :ivar paths: repositories inside the clone, relative to it; empty means its own index file.
    """

    name: str
    path: Optional[Path]
    origin: str
    git: Optional[str] = None
    branch: Optional[str] = None
    tag: Optional[str] = None
    commit: Optional[str] = None
    paths: Tuple[str, ...] = ()


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


class BootstrapSettings(NamedTuple):
    """The section ``bootstrap``: where the tool's own dependencies go."""

    enable: bool
    root: Path
    sources: Tuple[Mapping[str, Any], ...] = ()
    trusted: Mapping[str, bool] = {}
