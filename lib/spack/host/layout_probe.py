"""Runs inside an interpreter and prints how it lays out what is installed; see interpreter.py.

Plain Python 3.6, the standard library only, and nothing of this project: the interpreter that is
asked runs this file with ``-I -S``.
"""

import json
import os
import sys
import sysconfig
from typing import Any, Dict, List


def scheme_name() -> str:
    """Return the scheme of virtual environments; before 3.11 the one that those used then.

    Never the interpreter's default scheme: distributions patch that (``posix_local``). Fedora
    moved ``posix_prefix`` itself to ``/local`` and kept the original as ``rpm_prefix``.
    """
    known = sysconfig.get_scheme_names()
    return next(name for name in ("venv", "rpm_prefix", "posix_prefix", "nt") if name in known)


def relative(key: str, scheme: str) -> str:
    """Return the directory ``key`` of the scheme below an empty prefix."""
    base = os.sep + "prefix"
    paths = dict.fromkeys(("base", "platbase", "installed_base", "installed_platbase"), base)
    return os.path.relpath(sysconfig.get_path(key, scheme, paths), base)


def stdlib_directory(scheme: str) -> str:
    """Return where the standard library is, absolute."""
    value = sysconfig.get_path("stdlib", scheme)
    return value if os.path.isdir(value) else os.path.dirname(os.__file__)


def header_directories(scheme: str, stdlib_name: str) -> List[str]:
    """Return directories that may have Python.h, the one that the interpreter names first."""
    candidates = [
        sysconfig.get_config_var("INCLUDEPY"),
        sysconfig.get_path("include", scheme),
        os.path.join(sys.base_prefix, "include", stdlib_name),
    ]
    return [path for path in candidates if path]


def describe() -> Dict[str, Any]:
    """Return all facts as one mapping of JSON values."""
    scheme = scheme_name()
    stdlib = stdlib_directory(scheme)
    stdlib_name = os.path.basename(stdlib)
    libdir = getattr(sys, "platlibdir", "lib")
    version = "{}.{}.{}".format(*sys.version_info[:3])
    level = {"alpha": "a", "beta": "b", "candidate": "rc"}.get(sys.version_info[3])
    if level:
        version += level + str(sys.version_info[4])
    suffix = sysconfig.get_config_var("EXT_SUFFIX") or ""
    threadless = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    abiflags = getattr(sys, "abiflags", "")
    if threadless and "t" not in abiflags:
        abiflags = "t" + abiflags
    short = "{}{}".format(*sys.version_info[:2])
    tag = {"cpython": "cp", "pypy": "pp"}.get(sys.implementation.name, sys.implementation.name)
    layout = {  # type: Dict[str, Any]
        "executable": sys.executable,
        "implementation": sys.implementation.name,
        "version": version,
        "prefix": sys.prefix,
        "base_prefix": sys.base_prefix,
        "abiflags": abiflags,
        "stdlib": stdlib_name,
        "stdlib_dir": stdlib,
        "scheme": scheme,
        "purelib": relative("purelib", scheme),
        "platlib": relative("platlib", scheme),
        "scripts": relative("scripts", scheme),
        "include": relative("include", scheme),
        "data": relative("data", scheme),
        "platlibdir": libdir,
        "soabi": sysconfig.get_config_var("SOABI") or "",
        "ext_suffix": suffix,
        "cache_tag": sys.implementation.cache_tag or "",
        "tags": [
            tag + short,
            tag + short + abiflags if tag == "cp" else (sysconfig.get_config_var("SOABI") or ""),
            sysconfig.get_platform().replace("-", "_").replace(".", "_"),
        ],
        "ldlibrary": sysconfig.get_config_var("LDLIBRARY") or "",
        "libdir": sysconfig.get_config_var("LIBDIR") or "",
        "shared": bool(sysconfig.get_config_var("Py_ENABLE_SHARED")),
        "include_dirs": list(dict.fromkeys(header_directories(scheme, stdlib_name))),
    }
    layout.update(without_local(layout))
    return layout


def without_local(layout: Dict[str, Any]) -> Dict[str, str]:
    """Clean paths where a distribution patched even the explicit scheme."""
    library = layout["stdlib"] + "/site-packages"
    clean = {
        "purelib": "lib/" + library,
        "platlib": layout["platlibdir"] + "/" + library,
        "scripts": "bin",
        "include": "include/" + layout["stdlib"],
        "data": ".",
    }
    return {
        key: value
        for key, value in clean.items()
        if {"local", "dist-packages", ".."}.intersection(layout[key].split("/"))
    }


sys.stdout.write(json.dumps(describe()) + "\n")
