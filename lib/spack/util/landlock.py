"""Linux's Landlock: a process gives up rights on files, on the network, and on other processes.

It holds for the calling thread and all processes that it starts from then on, for root as for any
other user, and cannot be taken back. Modes, owners and times of files stay as they were, as
Landlock does not govern them. See landlock(7) and
https://docs.kernel.org/userspace-api/landlock.html.
"""

from __future__ import annotations

import ctypes
import os
import stat
import sys
from collections.abc import Iterable

__all__ = ["OLDEST", "TCP", "is_available", "restrict", "version"]

# The same on all architectures but alpha.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_CREATE_RULESET_VERSION = 1
_RULE_PATH_BENEATH = 1
_PR_SET_NO_NEW_PRIVS = 38

#: The first version that lets files be renamed and linked from one directory to another.
OLDEST = 2

#: The first versions that know the right to truncate, that close the network, and that close the
#: way to other processes.
_TRUNCATES, TCP, _SCOPES = 3, 4, 6

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_TRUNCATE = 1 << 14
#: Rights on what is in a directory: remove (4, 5), make of each kind (6 to 12), rename (13).
_DIRECTORY = sum(1 << bit for bit in range(4, 14))
#: To listen, and to connect, by TCP.
_ALL_TCP = 0b11
#: Abstract sockets, and signals, of processes that are not restricted alike.
_ALL_SCOPES = 0b11


class _Ruleset(ctypes.Structure):
    _fields_ = [
        ("handled_access_fs", ctypes.c_uint64),
        ("handled_access_net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    ]


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32)]


def is_available() -> bool:
    """Return whether the kernel has it in a version that builds can live with (Linux 5.19)."""
    return version() >= OLDEST


def version() -> int:
    """Return the version of the kernel's; 0 or less when it has none."""
    if not sys.platform.startswith("linux") or os.uname().machine == "alpha":
        return 0
    library = ctypes.CDLL(None, use_errno=True)
    found: int = library.syscall(
        _CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_CREATE_RULESET_VERSION)
    )
    return found


def restrict(
    *,
    writable: Iterable[str] | None = None,
    readable: Iterable[str] | None = None,
    tcp: bool = False,
) -> None:
    """Restrict this thread and its children; None leaves the rights of that kind.

    Signals and abstract sockets of other processes are always out of reach, in versions that know
    it, and an older kernel does what it can of *tcp*.

    :param writable: directories or files; what does not exist is passed over.
    :param readable: the same, to read, list and execute; *writable* is added.
    :param tcp: whether to take the right to connect and to listen.
    :raises OSError: the kernel does not do it; nothing has changed then but that programs no
        longer gain rights by being executed (set-user-ID).
    """
    known = version()
    files = _WRITE_FILE | (_TRUNCATE if known >= _TRUNCATES else 0)
    writes = (files | _DIRECTORY) if writable is not None else 0
    reads = (_READ_FILE | _READ_DIR | _EXECUTE) if readable is not None else 0
    rows = [(path, writes | reads) for path in writable or ()]
    rows += [(path, reads) for path in readable or ()]
    net = _ALL_TCP if tcp and known >= TCP else 0
    scopes = _ALL_SCOPES if known >= _SCOPES else 0
    if not (writes or reads or net or scopes):
        return
    attribute = _Ruleset(writes | reads, net, scopes)
    size = 24 if scopes else 16 if net else 8
    ruleset = _call(_CREATE_RULESET, ctypes.byref(attribute), size, 0)
    try:
        for path, rights in rows:
            _allow(ruleset, path, rights, files | _READ_FILE | _EXECUTE)
        library = ctypes.CDLL(None, use_errno=True)
        one, zero = ctypes.c_ulong(1), ctypes.c_ulong(0)
        if library.prctl(_PR_SET_NO_NEW_PRIVS, one, zero, zero, zero) != 0:
            raise _error()
        _call(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int, of_files: int) -> None:
    """Add a rule for *path*, if it exists; a file has only some of the rights."""
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return
    try:
        is_directory = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        rule = _PathBeneath(rights if is_directory else rights & of_files, descriptor)
        _call(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(descriptor)


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
