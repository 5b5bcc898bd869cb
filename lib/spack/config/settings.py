"""Typed settings: what the layers above read, section by section.

A section is read when it is first asked for, so that ``spack find`` does not pay for
``packages.yaml``. The values that are used where no scope says anything equal the files in
``etc``; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    TypeVar,
)

from spack.config.config_keys import ConfigSettings, read_config
from spack.config.merge import find, leaves
from spack.config.schema import Tree, strip
from spack.config.scopes import data_scope, read_scopes
from spack.config.section_reader import SectionReader
from spack.config.setting_types import (
    BootstrapSettings,
    ConcretizerSettings,
    FetchSettings,
    MirrorEntry,
    RepoEntry,
    ReuseSettings,
)
from spack.config.variables import Variables

if TYPE_CHECKING:
    from spack.config.includes import IncludeAccess
    from spack.config.module_settings import ModuleKind, ModuleSet
    from spack.config.packages import PackageSettings, Permissions
    from spack.config.schema import Origin
    from spack.config.scopes import Scope
    from spack.spec import Spec

__all__ = [
    "BootstrapSettings",
    "ConcretizerSettings",
    "ConfigSettings",
    "FetchSettings",
    "MirrorEntry",
    "RepoEntry",
    "ReuseSettings",
    "Settings",
    "load_settings",
]

_T = TypeVar("_T")


class Settings:
    """All configuration of a run; immutable, each section read at its first use.

    :raises ConfigError: from a section's property, when its paths name unknown variables.
    """

    __slots__ = ("_known", "sections", "variables")

    def __init__(self, sections: Mapping[str, Tree], variables: Variables | None = None) -> None:
        self.sections = dict(sections)
        self.variables = variables or Variables()
        self._known: dict[str, Any] = {}

    @classmethod
    def from_data(
        cls,
        data: Mapping[str, Any],
        variables: Variables | None = None,
        name: str = "given settings",
    ) -> Settings:
        """Return settings from plain data, section by section, over the built-in values."""
        return load_settings([data_scope(name, data)], variables)

    @property
    def config(self) -> ConfigSettings:
        """The section ``config``."""
        return self._once("config", read_config)

    @property
    def fetch(self) -> FetchSettings:
        """What of ``config`` concerns fetching."""
        config = self.config
        return FetchSettings(
            index_url=config.index_url,
            extra_index_urls=config.index_extra_urls,
            retries=config.index_retries,
            connect_timeout=config.connect_timeout,
            verify_ssl=config.verify_ssl,
            ssl_certs=config.ssl_certs,
            checksum=config.checksum,
            source_cache=config.source_cache,
        )

    @property
    def packages(self) -> Mapping[str, PackageSettings]:
        """By package name, ``all`` among them; a package without settings has no entry."""
        from spack.config.packages import read_packages  # start-up: `find` reads none

        return self._once(
            "packages",
            lambda reader: read_packages(
                reader.sections.get("packages"), reader.variables, reader.report
            ),
        )

    def package(self, name: str) -> PackageSettings:
        """Return the settings of one package, without those of ``all``."""
        from spack.config.packages import PackageSettings

        return self.packages.get(name) or PackageSettings()

    def permissions(self, name: str) -> Permissions:
        """Return the permissions of a package; what it does not set is taken from ``all``."""
        from spack.config.packages import Permissions

        own, every = self.package(name).permissions, self.package("all").permissions
        return Permissions(*(x if x is not None else y for x, y in zip(own, every)))

    @property
    def concretizer(self) -> ConcretizerSettings:
        """The section ``concretizer``."""
        return self._once("concretizer", _read_concretizer)

    @property
    def toolchains(self) -> Mapping[str, Spec]:
        """Toolchains by name.

        :raises SpecError: an entry is not what a toolchain can consist of.
        """
        if not self.sections.get("toolchains"):
            return {}
        from spack.config.toolchains import read_toolchains  # start-up: few users have any

        return self._once(
            "toolchains",
            lambda reader: read_toolchains(reader.sections["toolchains"]),
        )

    @property
    def repos(self) -> tuple[RepoEntry, ...]:
        """Repositories of recipes, the first has precedence."""
        return self._once("repos", _read_repos)

    @property
    def mirrors(self) -> tuple[MirrorEntry, ...]:
        """Mirrors, in the order in which they are asked."""
        return self._once("mirrors", _read_mirrors)

    @property
    def upstreams(self) -> tuple[Path, ...]:
        """The roots of upstream install trees, in order of precedence."""
        return tuple(self.named_upstreams.values())

    @property
    def named_upstreams(self) -> dict[str, Path]:
        """The same by name."""
        return self._once("upstreams", _read_upstreams)

    @property
    def module_sets(self) -> Mapping[str, ModuleSet]:
        """The sets of module files by name."""
        from spack.config.module_settings import read_module_sets  # start-up: few users have any

        return self._once("modules", read_module_sets)

    def upstream_modules(self, kind: ModuleKind) -> dict[Path, Path]:
        """Return the directory of module files of each upstream install tree that has one."""
        rows = {
            name: root
            for name, root in self.named_upstreams.items()
            if find(self.sections.get("upstreams"), name, "modules", kind) is not None
        }
        reader = SectionReader(self.sections, self.variables)
        return {
            root: reader.path("", "upstreams", name, "modules", kind) for name, root in rows.items()
        }

    @property
    def bootstrap(self) -> BootstrapSettings:
        """The section ``bootstrap``."""
        return self._once("bootstrap", _read_bootstrap)

    def data(self, section: str) -> Any:
        """Return a section as merged, plain data; None when no scope has it."""
        tree = self.sections.get(section)
        return None if tree is None else strip(tree)

    def origin(self, section: str, *keys: str) -> Origin | None:
        """Return where the value at ``keys`` was written; None when no scope has it."""
        tree = find(self.sections.get(section), *keys)
        return None if tree is None else tree.origin

    def blame(self, section: str) -> Iterator[tuple[tuple[str, ...], Any, Origin]]:
        """Yield every leaf of a section: its keys (``-`` for list items), value and origin."""
        tree = self.sections.get(section)
        if tree is not None:
            for path, leaf in leaves(tree):
                yield path, leaf.value, leaf.origin

    def _once(self, name: str, read: Callable[[SectionReader], _T]) -> _T:
        if name not in self._known:
            reader = SectionReader(self.sections, self.variables)
            value = read(reader)
            reader.report.raise_if_any()
            self._known[name] = value
        result: _T = self._known[name]
        return result


def load_settings(
    scopes: Sequence[Scope],
    variables: Variables | None = None,
    platform: str = "linux",
    cache: str | None = None,
    report_note: Callable[[str], None] = lambda note: None,
    access: IncludeAccess | None = None,
) -> Settings:
    """Read, check and merge all scopes, lowest precedence first.

    :param cache: a directory for parsed files; with it, a warm run takes about 2 ms.
    :param report_note: see :func:`spack.config.scopes.read_scopes`; *access* too.
    :raises ConfigError: every problem of every file at once, each with ``file:line``.
    """
    sections = read_scopes(
        scopes, variables, platform, cache=cache, report_note=report_note, access=access
    )
    return Settings(sections, variables)


# -- reading of sections -----------------------------------------------------------------------


def _read_concretizer(reader: SectionReader) -> ConcretizerSettings:
    def value(fallback: _T, *keys: str) -> _T:
        return reader.value(fallback, "concretizer", *keys)

    reuse: Any = value(True, "reuse")
    if isinstance(reuse, dict):
        details = ReuseSettings(
            True,
            reuse.get("roots", True),
            tuple(reuse.get("include", ())),
            tuple(reuse.get("exclude", ())),
            tuple(reuse.get("from", ())),
        )
        reuse = True if details.roots else "dependencies"
    else:
        details = ReuseSettings(bool(reuse), reuse is True)
    mixing: Any = value(True, "compiler_mixing")
    detect: Any = value(True, "externals", "detect")
    compatible: dict[str, list[str]] = value({}, "os_compatible")
    return ConcretizerSettings(
        reuse=reuse,
        reuse_settings=details,
        unify=value(True, "unify"),
        force=value(False, "force"),
        duplicates=value("minimal", "duplicates", "strategy"),
        max_dupes=value({}, "duplicates", "max_dupes"),
        granularity=value("microarchitectures", "targets", "granularity"),
        host_compatible=value(True, "targets", "host_compatible"),
        compiler_mixing=mixing if isinstance(mixing, bool) else tuple(mixing),
        os_compatible={name: tuple(rest) for name, rest in compatible.items()},
        python=value("available", "python"),
        wheels=value("never", "wheels"),
        timeout=value(0, "timeout"),
        error_on_timeout=value(True, "error_on_timeout"),
        externals_completion=value("default_variants", "externals", "completion"),
        detect_externals=detect if isinstance(detect, bool) else tuple(detect),
    )


def _read_repos(reader: SectionReader) -> tuple[RepoEntry, ...]:
    tree = reader.sections.get("repos")
    entries = []
    for name, item in (tree.value if tree is not None else {}).items():
        if isinstance(item.value, str):
            entries.append(RepoEntry(name, Path(reader.path_text(item)), str(item.origin)))
            continue
        fields: dict[str, Tree] = item.value
        if "git" not in fields:
            # Only now is it known that no other scope says it.
            reader.report.add(
                item.origin,
                f"repos:{name} lacks 'git'",
                "write the url to clone, or, for a directory, its path alone",
            )
            continue
        texts = {key: fields[key].value for key in _REPO_TEXTS if key in fields}
        location = fields.get("destination")
        entries.append(
            RepoEntry(
                name,
                Path(reader.path_text(location)) if location is not None else None,
                str(fields["git"].origin),
                paths=tuple(strip(fields["paths"])) if "paths" in fields else (),
                **texts,
            )
        )
    return tuple(entries)


_REPO_TEXTS = ("git", "branch", "tag", "commit")


def _read_mirrors(reader: SectionReader) -> tuple[MirrorEntry, ...]:
    tree = reader.sections.get("mirrors")
    entries = []
    for name, item in (tree.value if tree is not None else {}).items():
        data = strip(item)
        connection: dict[str, Any] = {"url": data} if isinstance(data, str) else data
        fetch = _url(connection.get("fetch", connection.get("pull", connection.get("url"))))
        push = _url(connection.get("push", connection.get("url", fetch)))
        entries.append(
            MirrorEntry(
                name,
                reader.path_text(Tree(fetch, item.origin)),
                reader.path_text(Tree(push, item.origin)),
                connection.get("source", True),
                binary=connection.get("binary", True),
                signed=connection.get("signed", True),
                autopush=connection.get("autopush", False),
                origin=str(item.origin),
                connection=connection,
            )
        )
    return tuple(entries)


def _url(connection: str | Mapping[str, Any] | None) -> str:
    if isinstance(connection, Mapping):
        return str(connection.get("url", ""))
    return connection or ""


def _read_upstreams(reader: SectionReader) -> dict[str, Path]:
    tree = reader.sections.get("upstreams")
    names = tree.value if tree is not None else {}
    return {str(name): reader.path("", "upstreams", name, "install_tree") for name in names}


def _read_bootstrap(reader: SectionReader) -> BootstrapSettings:
    return BootstrapSettings(
        enable=reader.value(True, "bootstrap", "enable"),
        root=reader.path("$user_cache_path/bootstrap", "bootstrap", "root"),
        sources=tuple(reader.value((), "bootstrap", "sources")),
        trusted=reader.value({}, "bootstrap", "trusted"),
    )
