"""The section ``config``: a row for each key, with its kind, its default and how it is read.

A row of :class:`ConfigSettings` is a typed attribute of the settings; keys that change nothing here
are rows of :data:`ACCEPTED`. The defaults are those of ``etc/config.yaml``; a test holds the two
together.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Generic, Literal, TypeVar, overload

from spack.config.schema import (
    BOOL,
    NULL,
    TEXT,
    Choice,
    Either,
    Idle,
    Integer,
    ListOf,
    MapOf,
    PathText,
    Record,
    Text,
    one_or_more,
)

if TYPE_CHECKING:
    from spack.config.schema import (
        Kind,
    )
    from spack.config.section_reader import SectionReader

__all__ = [
    "ACCEPTED",
    "ENVIRONMENT_CHANGES",
    "NULLABLE_TEXT",
    "PATH",
    "PROJECTIONS",
    "TEXTS",
    "ConfigKey",
    "ConfigSettings",
    "config_record",
    "config_rows",
    "read_config",
]

_T = TypeVar("_T")

PATH = PathText()
PATHS = ListOf(PATH)
TEXTS = ListOf(TEXT)
NULLABLE_TEXT = Either(TEXT, NULL)
PROJECTIONS = MapOf(Text("a format text"))
ENVIRONMENT_CHANGES = Record(
    {
        "set": MapOf(TEXT),
        "unset": TEXTS,
        "prepend_path": MapOf(TEXT),
        "append_path": MapOf(TEXT),
        "remove_path": MapOf(TEXT),
    }
)

#: What ``padded_length: true`` means: with a file's own path it stays below PATH_MAX.
_LONGEST_PADDING = 256


class ConfigKey(Generic[_T]):
    """One key of the section, and the attribute that has its value.

    :param kind: what may be written.
    :param read: takes the value out of the section at the keys that it is given.
    :param at: keys below ``config``, separated by colons; by default the attribute's name.
    :param default: the value without any, where that is one word.
    :param idle: says that it has no effect, and what holds instead.
    """

    def __init__(
        self,
        kind: Kind,
        read: Callable[[SectionReader, tuple[str, ...]], _T],
        at: str = "",
        idle: Idle | None = None,
        default: object = None,
    ) -> None:
        self.kind = kind
        self.default = default
        self.read = read
        self.at = at
        self.idle = idle

    def __set_name__(self, owner: type[Any], name: str) -> None:
        self.at = self.at or name

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> ConfigKey[_T]: ...
    @overload
    def __get__(self, instance: object, owner: type[Any]) -> _T: ...
    def __get__(self, instance: object | None, owner: type[Any]) -> ConfigKey[_T] | _T:
        # An instance has the value under the same name, which Python finds first.
        if instance is None:
            return self
        raise AttributeError(self.at)


def _plain(kind: Kind, default: _T, at: str = "", idle: Idle | None = None) -> ConfigKey[_T]:
    return ConfigKey(kind, lambda reader, keys: reader.value(default, *keys), at, idle, default)


def _texts(at: str = "") -> ConfigKey[tuple[str, ...]]:
    return ConfigKey(TEXTS, lambda reader, keys: tuple(reader.value((), *keys)), at)


def _path(default: str, at: str = "", idle: Idle | None = None) -> ConfigKey[Path]:
    return ConfigKey(PATH, lambda reader, keys: reader.path(default, *keys), at, idle, default)


def _paths(
    *default: str, kind: Kind = PATHS, at: str = "", idle: Idle | None = None
) -> ConfigKey[tuple[Path, ...]]:
    return ConfigKey(kind, lambda reader, keys: reader.paths(default, *keys), at, idle)


def _padding(reader: SectionReader, keys: tuple[str, ...]) -> int:
    padded = reader.value(False, *keys)
    return _LONGEST_PADDING if padded is True else int(padded)


def _linking(reader: SectionReader, keys: tuple[str, ...]) -> str:
    linking: Any = reader.value("rpath", *keys)
    return str(linking.get("type", "rpath") if isinstance(linking, dict) else linking)


def _network(reader: SectionReader, keys: tuple[str, ...]) -> bool | tuple[str, ...]:
    names: bool | list[str] = reader.value(False, *keys)
    return names if isinstance(names, bool) else tuple(names)


_NO_TEXT: Mapping[str, str] = {}
_NO_NUMBER: int | None = None
_NO_WORD: str | None = None
_OUTSIDE: Literal["prevent", "undo", "allow"] = "prevent"
_PROJECTION: Mapping[str, str] = {
    "all": "{architecture.platform}-{architecture.target}/{name}-{version}-{hash}"
}


class ConfigSettings:
    """The section ``config``; paths are absolute."""

    install_tree = _path("$tree", "install_tree:root")
    projections = _plain(PROJECTIONS, _PROJECTION, "install_tree:projections")
    padded_length = ConfigKey(Either(BOOL, Integer(0)), _padding, "install_tree:padded_length")
    install_hash_length = _plain(Integer(1), _NO_NUMBER)
    build_stage = _paths(
        "$tempdir/$user/spack-stage", "$user_cache_path/stage", kind=one_or_more(PATH)
    )
    stage_name = _plain(TEXT, "spack-stage-{name}-{version}-{hash}")
    test_stage = _path("$user_cache_path/test")
    source_cache = _path("$data/var/spack/cache")
    misc_cache = _path("$user_cache_path/cache")
    environments_root = _path("$data/var/spack/environments")
    license_dir = _path(
        "$data/etc/licenses", idle=Idle("licence files are the recipes' own affair")
    )
    template_dirs = _paths(idle=Idle("nothing is made from templates", ([],)))
    extensions = _paths(idle=Idle("commands come with the installation", ([],)))
    connect_timeout = _plain(Integer(0), 30)
    verify_ssl = _plain(BOOL, True)
    ssl_certs: ConfigKey[Path | None] = ConfigKey(
        PATH, lambda reader, keys: reader.optional_path(*keys)
    )
    checksum = _plain(BOOL, True)
    deprecated = _plain(BOOL, False)
    debug = _plain(BOOL, False, idle=Idle("the option -d shows tracebacks", (False,)))
    locks = _plain(BOOL, True)
    dirty = _plain(BOOL, False)
    build_language = _plain(TEXT, "C.UTF-8")
    build_jobs = _plain(Integer(1), 16)
    concurrent_packages = _plain(Integer(0), 0)
    ccache = _plain(BOOL, False)
    db_lock_timeout = _plain(Integer(1), 60)
    package_lock_timeout = _plain(Either(Integer(1), NULL), _NO_NUMBER)
    allow_sgid = _plain(BOOL, True)
    install_status = _plain(
        BOOL, True, idle=Idle("`spack spec -I` shows what is installed", (False,))
    )
    keep_werror = _plain(Choice("all", "specific", "none"), "none", "flags:keep_werror")
    shared_linking = ConfigKey(
        Either(
            Choice("rpath", "runpath"),
            Record(
                {
                    "type": Choice("rpath", "runpath"),
                    "bind": BOOL,
                    "missing_library_policy": Choice("error", "warn", "ignore"),
                }
            ),
        ),
        _linking,
    )
    build_env_pass = _texts("build_env:pass")  # own, as what follows
    build_env_set = _plain(MapOf(TEXT), _NO_TEXT, "build_env:set")
    build_env_outside = _plain(Choice("prevent", "undo", "allow"), _OUTSIDE, "build_env:outside")
    build_env_write = _paths(at="build_env:write")
    build_env_read = _paths(at="build_env:read")
    build_env_network = ConfigKey(Either(BOOL, TEXTS), _network, "build_env:network")
    index_url = _plain(NULLABLE_TEXT, _NO_WORD, "index:url")
    index_extra_urls = _texts("index:extra_urls")
    index_retries = _plain(Either(Integer(0), NULL), _NO_NUMBER, "index:retries")
    additional_external_search_paths = _paths()
    aliases = _plain(MapOf(TEXT), _NO_TEXT)

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"settings are immutable: {name}")

    def replace(self, **values: Any) -> ConfigSettings:
        """Return these settings with some values changed."""
        return ConfigSettings(**{**self.__dict__, **values})


def _accepted(kind: Kind, idle: Idle) -> ConfigKey[None]:
    return ConfigKey(kind, lambda reader, keys: None, idle=idle)


#: Keys that Spack has, and that change nothing here, without an attribute.
ACCEPTED: Mapping[str, ConfigKey[None]] = {
    "develop_stage_link": _accepted(TEXT, Idle("no links to stages are made")),
    "suppress_gpg_warnings": _accepted(BOOL, Idle("nothing is signed with GPG")),
    "url_fetch_method": _accepted(TEXT, Idle("there is one way to download")),
    "binary_index_ttl": _accepted(
        Integer(0), Idle("the index of a cache is read by every command that needs it")
    ),
    "installer": _accepted(Choice("old", "new"), Idle("there is one installer")),
    "installer_log_level": _accepted(TEXT, Idle("the option -d and `spack logs` show more")),
}

_SETTINGS: Mapping[str, ConfigKey[Any]] = {
    name: row for name, row in vars(ConfigSettings).items() if isinstance(row, ConfigKey)
}


def config_rows() -> dict[str, ConfigKey[Any]]:
    """Return all rows by the keys that lead there, separated by colons."""
    return {**{row.at: row for row in _SETTINGS.values()}, **ACCEPTED}


def config_record() -> Record:
    """Return what the section may contain."""
    nested: dict[str, Any] = {}
    for path, row in config_rows().items():
        *outer, last = path.split(":")
        level = nested
        for key in outer:
            level = level.setdefault(key, {})
        level[last] = row.kind
    return _record(nested)


def _record(fields: Mapping[str, Any]) -> Record:
    return Record(
        {key: _record(value) if isinstance(value, dict) else value for key, value in fields.items()}
    )


def read_config(reader: SectionReader) -> ConfigSettings:
    """Return the settings of the merged section."""
    return ConfigSettings(
        **{
            name: row.read(reader, ("config", *row.at.split(":")))
            for name, row in _SETTINGS.items()
        }
    )
