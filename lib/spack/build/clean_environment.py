"""The environment that a build starts with: an allow-list, not a deny-list.

Whatever the user has in the environment (``PIP_*``, ``PYTHONPATH``, ``CFLAGS``, an active
venv or conda environment, ``SETUPTOOLS_SCM_PRETEND_VERSION``) does not reach a build, since nothing
does that is not named here or in the pass-list of the configuration. Configuration files in the
home directory do not either: HOME is in the stage.
"""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Mapping, Sequence

__all__ = [
    "BASE_PATH",
    "FIXED",
    "STAGE_DIRECTORIES",
    "clean_environment",
    "compiler_variables",
    "kept_value",
    "passed_names",
]

#: Where the tools of the operating system are.
BASE_PATH = ("/usr/bin", "/bin", "/usr/sbin", "/sbin")

#: 1980-01-01, the earliest time that a zip archive, hence a wheel, can hold.
SOURCE_DATE_EPOCH = 315532800

#: The same for every build.
FIXED: Mapping[str, str] = {
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "TERM": "dumb",
    "SHELL": "/bin/sh",
    # Some packages write the name of the user that built them into what they install.
    "USER": "spack",
    "LOGNAME": "spack",
    "SOURCE_DATE_EPOCH": str(SOURCE_DATE_EPOCH),
    # Python and its tools: no user site, no configuration of the user's, the same order of sets.
    "PYTHONNOUSERSITE": "1",
    "PYTHONHASHSEED": "0",
    "PYTHONUNBUFFERED": "1",
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_NO_INPUT": "1",
    # autoconf: no site-wide defaults.
    "CONFIG_SITE": os.devnull,
    # git: nothing of the system's or the user's, and never a question.
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
}

#: Variables that name a directory of the stage; the worker makes it.
STAGE_DIRECTORIES: Mapping[str, str] = {
    "HOME": "home",
    "TMPDIR": "tmp",
    "XDG_CACHE_HOME": "home/.cache",
    "XDG_CONFIG_HOME": "home/.config",
    "XDG_DATA_HOME": "home/.local/share",
    "XDG_STATE_HOME": "home/.local/state",
}


def compiler_variables(
    language: str, linking: str, keep_werror: str, ccache: str | None, ccache_directory: str
) -> dict[str, str]:
    """Return the variables that the configuration sets for compilers; none for its defaults.

    :param language: ``LC_ALL`` of builds.
    :param linking: ``rpath`` or ``runpath``: which of the two libraries are found by.
    :param keep_werror: which ``-Werror`` reach the compiler: ``all``, ``specific``, ``none``.
    :param ccache: the program, or None.
    """
    result: dict[str, str] = {}
    if language != FIXED["LC_ALL"]:
        result.update(LC_ALL=language, LANG=language)
    if linking != "rpath":
        result["SPACK_SHARED_LINKING"] = linking
    if keep_werror != "none":
        result["SPACK_KEEP_WERROR"] = keep_werror
    if ccache is not None:
        result.update(SPACK_CCACHE_BINARY=ccache, CCACHE_DIR=ccache_directory)
    return result


def clean_environment(
    host: Mapping[str, str],
    stage_path: str,
    *,
    tool_directories: Sequence[str] = (),
    passed: Sequence[str] = (),
) -> dict[str, str]:
    """Return the environment of a worker process.

    :param host: the user's environment; only *passed* is taken from it.
    :param tool_directories: put behind the system's own in PATH, for externals elsewhere.
    :param passed: names, or patterns with ``*``, that the configuration lets through. They come
        last and may replace what is set here.
    """
    path = list(dict.fromkeys([*BASE_PATH, *tool_directories]))
    result = {**FIXED, "PATH": os.pathsep.join(path)}
    for name, directory in STAGE_DIRECTORIES.items():
        result[name] = os.path.join(stage_path, directory)
    # A stage inside of a user's repository does not belong to it.
    result["GIT_CEILING_DIRECTORIES"] = os.path.dirname(stage_path)
    result.update((name, host[name]) for name in passed_names(host, passed))
    return result


def passed_names(host: Mapping[str, str], patterns: Sequence[str]) -> tuple[str, ...]:
    """Return the variables of *host* that one of *patterns* lets through, in order."""
    found = {name for pattern in patterns for name in fnmatch.filter(host, pattern)}
    return tuple(sorted(found))


#: Names of variables whose values are secrets.
_SECRET = re.compile(
    r"TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|PRIVATE|API_?KEY|ACCESS_KEY|AUTH(?!OR)", re.I
)


def kept_value(name: str, value: str) -> str:
    """Return a variable's text for a world-readable record: its *value*, unless a secret."""
    return "(not shown)" if _SECRET.search(name) else value
