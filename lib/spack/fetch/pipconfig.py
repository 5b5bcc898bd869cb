"""What pip's configuration says about package indexes and the network, without pip.

Follows pip's documented order (https://pip.pypa.io/en/stable/topics/configuration/): global files
(``$XDG_CONFIG_DIRS/pip/pip.conf``, ``/etc/pip.conf``), the user's (legacy, then XDG), the virtual
environment's (``<prefix>/pip.conf``), the one that ``PIP_CONFIG_FILE`` names, then ``PIP_*``
variables. A later source replaces a value of an earlier one; within a file ``[install]`` goes
before ``[global]``. ``PIP_CONFIG_FILE=/dev/null`` switches all files off, any other existing
file of that name switches the user's off. Standard library only: it also serves the first run,
when nothing else is there.
"""

from __future__ import annotations

import configparser
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from spack.errors import ConfigError

__all__ = ["PipSettings", "configuration_files", "read"]

#: Option (long name without dashes) -> the names under which pip accepts it.
ALIASES = {
    "index-url": ("index-url", "pypi-url"),
    "extra-index-url": ("extra-index-url",),
    "find-links": ("find-links",),
    "no-index": ("no-index",),
    "cert": ("cert",),
    "client-cert": ("client-cert",),
    "trusted-host": ("trusted-host",),
    "proxy": ("proxy",),
    "timeout": ("timeout", "default-timeout"),
    "retries": ("retries",),
}
SECTIONS = ("global", "install")
TRUE = frozenset(("1", "y", "yes", "t", "true", "on"))
FALSE = frozenset(("0", "n", "no", "f", "false", "off"))


@dataclass(frozen=True)
class PipSettings:
    """The values that matter for fetching files; ``origin`` says where each came from.

    :param index_url: None when nothing names an index.
    :param timeout: seconds for one connection or read.
    :param retries: further attempts after the first.
    """

    index_url: str | None = None
    extra_index_urls: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    no_index: bool = False
    cert: str | None = None
    client_cert: str | None = None
    trusted_hosts: tuple[str, ...] = ()
    proxy: str | None = None
    timeout: float = 15.0
    retries: int = 5
    origin: Mapping[str, str] = field(default_factory=dict)


def read(
    environ: Mapping[str, str],
    prefixes: tuple[str, ...] | None = None,
    *,
    home: Path | None = None,
    system: Path = Path("/etc"),
    platform: str = sys.platform,
) -> PipSettings:
    """Return the settings in force.

    :param prefixes: of the virtual environments whose ``pip.conf`` counts, lowest first; None
        takes the active one, else the one of the running interpreter.
    :param home: the user's home; from *environ* when None.
    :param system: the directory of the machine's own ``pip.conf``.
    :raises ConfigError: a file cannot be parsed, or a value has the wrong type.
    """
    values: dict[str, tuple[str, str]] = {}
    if prefixes is None:
        prefixes = (environ.get("VIRTUAL_ENV") or sys.prefix,)
    for path in configuration_files(environ, prefixes, home=home, system=system, platform=platform):
        values.update(_from_file(path))
    for option, names in ALIASES.items():
        for name in names:
            variable = "PIP_" + name.upper().replace("-", "_")
            if environ.get(variable):
                values[option] = (environ[variable], variable)
    return _settings(values)


def configuration_files(
    environ: Mapping[str, str],
    prefixes: tuple[str, ...] = (),
    *,
    home: Path | None = None,
    system: Path = Path("/etc"),
    platform: str = sys.platform,
) -> tuple[Path, ...]:
    """Return the existing files that pip would read, lowest precedence first."""
    named = environ.get("PIP_CONFIG_FILE")
    if named == os.devnull:
        return ()
    base = home if home is not None else Path(environ.get("HOME") or os.path.expanduser("~"))
    found = [*_global_files(environ, system, platform)]
    if not (named and os.path.exists(named)):
        found += _user_files(environ, base, platform)
    found += [Path(prefix) / "pip.conf" for prefix in prefixes]
    if named:
        found.append(Path(named))
    # those that the user may not see do not exist, as for pip
    return tuple(path for path in dict.fromkeys(found) if os.path.isfile(path))


def _global_files(environ: Mapping[str, str], system: Path, platform: str) -> Iterator[Path]:
    if platform == "darwin":
        yield Path("/Library/Application Support/pip/pip.conf")
    else:
        directories = environ.get("XDG_CONFIG_DIRS") or str(system / "xdg")
        for directory in directories.split(os.pathsep):
            if directory:
                yield Path(directory) / "pip" / "pip.conf"
    yield system / "pip.conf"


def _user_files(environ: Mapping[str, str], home: Path, platform: str) -> Iterator[Path]:
    yield home / ".pip" / "pip.conf"
    library = home / "Library" / "Application Support" / "pip"
    if platform == "darwin" and library.is_dir():
        yield library / "pip.conf"
        return
    config = environ.get("XDG_CONFIG_HOME")
    yield (Path(config) if config else home / ".config") / "pip" / "pip.conf"


def _from_file(path: Path) -> dict[str, tuple[str, str]]:
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(path.read_text(encoding="utf-8"), source=str(path))
    except configparser.Error as error:
        line = getattr(error, "lineno", None) or (getattr(error, "errors", None) or [(1, "")])[0][0]
        reason = str(error).splitlines()[0]
        raise ConfigError(
            f"{path}:{line}: pip's configuration file cannot be read: {reason}",
            hint="mend the file, or set PIP_CONFIG_FILE=/dev/null to ignore it",
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path}:1: pip's configuration file cannot be read: {error}",
            hint="mend the file, or set PIP_CONFIG_FILE=/dev/null to ignore it",
        ) from error
    values: dict[str, tuple[str, str]] = {}
    for section in SECTIONS:
        if not parser.has_section(section):
            continue
        given = {name.lower().replace("_", "-"): value for name, value in parser.items(section)}
        for option, names in ALIASES.items():
            for name in names:
                if given.get(name):
                    values[option] = (given[name], f"{path} [{section}]")
    return values


def _settings(values: Mapping[str, tuple[str, str]]) -> PipSettings:
    def text(option: str) -> str | None:
        return values[option][0].strip() if option in values else None

    def several(option: str) -> tuple[str, ...]:
        return tuple(values[option][0].split()) if option in values else ()

    def number(option: str, default: float) -> float:
        if option not in values:
            return default
        try:
            return float(values[option][0])
        except ValueError:
            raise _wrong(option, values[option], "a number") from None

    no_index = False
    if "no-index" in values:
        word = values["no-index"][0].strip().lower()
        if word not in TRUE | FALSE:
            raise _wrong("no-index", values["no-index"], "true or false")
        no_index = word in TRUE
    return PipSettings(
        index_url=text("index-url"),
        extra_index_urls=several("extra-index-url"),
        find_links=several("find-links"),
        no_index=no_index,
        cert=text("cert"),
        client_cert=text("client-cert"),
        trusted_hosts=several("trusted-host"),
        proxy=text("proxy"),
        timeout=number("timeout", 15.0),
        retries=int(number("retries", 5)),
        origin={option: where for option, (_, where) in values.items()},
    )


def _wrong(option: str, value: tuple[str, str], wanted: str) -> ConfigError:
    return ConfigError(
        f"{value[1]}: {option} = {value[0]!r} is not {wanted}",
        hint="this value belongs to pip's configuration, which spack reads too",
    )
