"""Linux's Landlock: a process gives up the right to write anywhere but below some paths.

It holds for the calling thread and all processes that it starts from then on, for root as for
anybody else, and cannot be taken back. Reading and executing stay as they were, and so do the
modes, owners and times of files, which Landlock does not govern. See landlock(7) and
https://docs.kernel.org/userspace-api/landlock.html.
"""

from __future__ import annotations

import ctypes
import os
import stat
import sys
from collections.abc import Iterable

__all__ = ["is_available", "restrict_writes"]

# The same on all architectures but alpha.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_CREATE_RULESET_VERSION = 1
_RULE_PATH_BENEATH = 1
_PR_SET_NO_NEW_PRIVS = 38

#: The first version that lets files be renamed and linked from one directory to another.
_OLDEST = 2

_WRITE_FILE = 1 << 1
_TRUNCATE = 1 << 14
#: Rights on what is in a directory: remove (4, 5), make of each kind (6 to 12), rename (13).
_DIRECTORY = sum(1 << bit for bit in range(4, 14))


class _Ruleset(ctypes.Structure):
    _fields_ = [("handled_access_fs", ctypes.c_uint64)]


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32)]


def is_available() -> bool:
    """Return whether the kernel has it in a version that builds can live with (Linux 5.19)."""
    return _version() >= _OLDEST


def _version() -> int:
    if not sys.platform.startswith("linux") or os.uname().machine == "alpha":
        return 0
    library = ctypes.CDLL(None, use_errno=True)
    version: int = library.syscall(
        _CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_CREATE_RULESET_VERSION)
    )
    return version


def restrict_writes(paths: Iterable[str]) -> None:
    """Restrict this thread and its children to writing below *paths*.

    :param paths: directories or files; what does not exist is passed over.
    :raises OSError: the kernel does not do it; nothing has changed then but that programs no
        longer gain rights by being executed (set-user-ID).
    """
    files = _WRITE_FILE | (_TRUNCATE if _version() >= 3 else 0)
    everything = files | _DIRECTORY
    attribute = _Ruleset(everything)
    ruleset = _call(_CREATE_RULESET, ctypes.byref(attribute), ctypes.sizeof(attribute), 0)
    try:
        for path in paths:
            try:
                descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
            except (FileNotFoundError, NotADirectoryError):
                continue
            try:
                is_directory = stat.S_ISDIR(os.fstat(descriptor).st_mode)
                rule = _PathBeneath(everything if is_directory else files, descriptor)
                _call(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, ctypes.byref(rule), 0)
            finally:
                os.close(descriptor)
        library = ctypes.CDLL(None, use_errno=True)
        one, zero = ctypes.c_ulong(1), ctypes.c_ulong(0)
        if library.prctl(_PR_SET_NO_NEW_PRIVS, one, zero, zero, zero) != 0:
            raise _error()
        _call(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _call(number: int, *arguments: object) -> int:
    library = ctypes.CDLL(None, use_errno=True)
    values = [ctypes.c_size_t(x) if isinstance(x, int) else x for x in arguments]
    status: int = library.syscall(ctypes.c_long(number), *values)
    if status < 0:
        raise _error()
    return status


def _error() -> OSError:
    code = ctypes.get_errno()
    return OSError(code, os.strerror(code))
