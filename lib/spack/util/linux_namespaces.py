"""Linux's namespaces: mounts, processes and a network of a process's own.

The system calls have the same numbers on all architectures but alpha. See namespaces(7),
user_namespaces(7), mount_setattr(2) (Linux 5.12) and capabilities(7); bubblewrap does the same for
programs, and this does it for a process that has forked, which need not load the engine again.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import os
import socket
import stat
import struct
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

__all__ = [
    "MountPlan",
    "arrange_mounts",
    "become_subreaper",
    "die_with_parent",
    "drop_capabilities",
    "enable_loopback",
    "links_on_the_way",
    "mount_processes",
    "unshare",
]

_OPEN_TREE, _MOVE_MOUNT, _MOUNT_SETATTR = 428, 429, 442
_NAMES = {_OPEN_TREE: "open_tree", _MOVE_MOUNT: "move_mount", _MOUNT_SETATTR: "mount_setattr"}
_AT_FDCWD, _AT_EMPTY_PATH, _AT_RECURSIVE = -100, 0x1000, 0x8000
_OPEN_TREE_CLONE = 1
_MOVE_MOUNT_F_EMPTY_PATH = 4
_RDONLY, _NOSUID, _NODEV, _NOEXEC = 1, 2, 4, 8
_PRIVATE = 1 << 18

_NEWNS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET = (
    0x00020000, 0x08000000, 0x10000000, 0x20000000, 0x40000000,
)  # fmt: skip

_PR_SET_PDEATHSIG, _PR_CAPBSET_DROP, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 1, 24, 36, 38

#: What root keeps: rights on files and processes that it can see (CHOWN, DAC_OVERRIDE, FOWNER,
#: FSETID, KILL, SETGID, SETUID). None of them leads out of the namespaces.
_KEPT_CAPABILITIES = (0, 1, 3, 4, 5, 6, 7)
_LAST_CAPABILITY = 63
_CAPABILITY_VERSION = 0x20080522

#: ``struct ifreq`` of the interface lo with the flags up and running.
_SIOCSIFFLAGS = 0x8914
_LOOPBACK_UP = struct.pack("16sH14s", b"lo", 0x1 | 0x40, b"")

_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_DEVICE_LINKS = {
    "fd": "/proc/self/fd",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
    "ptmx": "pts/ptmx",
}


class MountPlan(NamedTuple):
    """What a process is to see of the file system: all of it, read-only, but for these.

    :ivar hidden: directories that are empty.
    :ivar private: directories that are other ones, by path; writable.
    :ivar readable: paths that stay as they are although they are below one of those.
    :ivar writable: paths that may be written to.
    :ivar masked: files and directories that are empty wherever they are seen.
    """

    hidden: tuple[str, ...]
    private: Mapping[str, str]
    readable: tuple[str, ...]
    writable: tuple[str, ...]
    masked: tuple[str, ...]


class _MountAttributes(ctypes.Structure):
    _fields_ = [
        ("attr_set", ctypes.c_uint64),
        ("attr_clr", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("userns_fd", ctypes.c_uint64),
    ]


class _Tree(NamedTuple):
    path: str
    descriptor: int
    is_directory: bool


# -- processes ------------------------------------------------------------------------------------


def become_subreaper() -> None:
    """Let orphans among this process's descendants become its children. :raises OSError: no."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent() -> None:
    """Let the kernel kill this process when the thread that has forked it ends."""
    _prctl(_PR_SET_PDEATHSIG, 9)


def unshare(*, network: bool) -> None:
    """Give this process, which has one thread, namespaces of its own; its next child is number 1.

    A user gets a user namespace as well, in which it stays what it is; so does root that may not
    administer the system, as in most containers.

    :param network: whether that is one of them.
    :raises OSError: the kernel, or a security policy, does not allow it.
    """
    flags = _NEWNS | _NEWPID | _NEWIPC | (_NEWNET if network else 0)
    user, group = os.geteuid(), os.getegid()
    library = _library()
    if user == 0 and library.unshare(ctypes.c_int(flags)) == 0:
        return
    if library.unshare(ctypes.c_int(flags | _NEWUSER)) != 0:
        raise _error("unshare")
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{user} {user} 1\n")
    _write("/proc/self/gid_map", f"{group} {group} 1\n")


def drop_capabilities() -> None:
    """Give up all capabilities but those of root on files, for good.

    :raises OSError: the kernel refuses.
    """
    kept = _KEPT_CAPABILITIES if os.geteuid() == 0 else ()
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    #: effective, permitted and inheritable, of capabilities 0 to 31 and 32 to 63
    held = (ctypes.c_uint32 * 6)()
    library = _library()
    if library.capget(ctypes.byref(header), ctypes.byref(held)) != 0:
        raise _error("capget")
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    if not held[1] and not held[4]:
        return
    for number in range(_LAST_CAPABILITY + 1):
        if number not in kept:
            try:
                _prctl(_PR_CAPBSET_DROP, number)
            except OSError as error:
                # the first that this kernel does not know; or they may not be dropped, only unset
                if error.errno in (errno.EINVAL, errno.EPERM):
                    break
                raise
    low = held[1] & sum(1 << number for number in kept)
    data = (ctypes.c_uint32 * 6)(low, low)
    if library.capset(ctypes.byref(header), ctypes.byref(data)) != 0:
        raise _error("capset")


def enable_loopback() -> None:
    """Start the interface ``lo`` of a new network. :raises OSError: that is not possible."""
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        fcntl.ioctl(probe, _SIOCSIFFLAGS, _LOOPBACK_UP)


# -- mounts ---------------------------------------------------------------------------------------


def arrange_mounts(plan: MountPlan) -> tuple[str, ...]:
    """Mount what *plan* says. The process has a mount namespace of its own, and is number 1.

    :return: which parts could not be had, a phrase each; what matters most is an error.
    :raises OSError: the kernel refuses.
    """
    _detach_from_host()
    covered = (*plan.hidden, *plan.private, "/dev")
    links, trees = _clone_all(plan, covered)
    private = {path: _clone(source) for path, source in plan.private.items()}
    devices = [tree for tree in (_clone(f"/dev/{name}") for name in _DEVICES) if tree]
    _set_attributes(_AT_FDCWD, "/", add=_RDONLY, recursive=True)
    missing = _mount_proc()
    for path in plan.hidden:
        _mount("tmpfs", path, _NOSUID | _NODEV, "mode=755,size=1m")
    for path, tree in private.items():
        if tree is not None:
            _attach(tree, path)
    _mount_devices(devices)
    _make_links(links)
    for path in sorted(trees, key=lambda path: path.count(os.sep)):
        _make_mount_point(trees[path])
        _attach(trees[path], path)
    for path in plan.masked:
        _mask(path)
    for path in (*plan.hidden, "/dev"):
        _set_attributes(_AT_FDCWD, path, add=_RDONLY)
    return missing


def _clone_all(
    plan: MountPlan, covered: Sequence[str]
) -> tuple[Mapping[str, str], Mapping[str, _Tree]]:
    """Return the links that are to be seen in *covered* directories, and the trees by path."""
    links: dict[str, str] = {}
    trees: dict[str, _Tree] = {}
    rows = [(path, False) for path in plan.readable] + [(path, True) for path in plan.writable]
    for path, writable in rows:
        on_the_way, real = links_on_the_way(path)
        links.update(link for link in on_the_way.items() if _is_covered(link[0], covered))
        tree = _clone(real) if writable or _is_covered(real, covered) else None
        if tree is None:
            continue
        if not writable:
            _set_attributes(tree.descriptor, "", add=_RDONLY, recursive=True)
        trees[real] = tree
    return links, trees


def _make_links(links: Mapping[str, str]) -> None:
    for path, text in sorted(links.items()):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if not os.path.lexists(path):
            os.symlink(text, path)


def mount_processes() -> tuple[str, ...]:
    """Show this process those of its namespace only; otherwise as :func:`arrange_mounts`."""
    _detach_from_host()
    return _mount_proc()


def _detach_from_host() -> None:
    """Let mounts of this namespace stay in it. :raises OSError: the kernel refuses."""
    try:
        _set_attributes(_AT_FDCWD, "/", propagation=_PRIVATE, recursive=True)
    except OSError as error:
        if error.errno == errno.EINVAL:
            error.strerror = "the root directory is not a mount point, as after chroot"
        raise


def _is_covered(path: str, covered: Iterable[str]) -> bool:
    return any(path.startswith(f"{directory}/") for directory in covered)


def links_on_the_way(path: str) -> tuple[dict[str, str], str]:
    """Return the symbolic links that lead from *path* to what it is, and its real path.

    Each link is by its own real path. A part that does not exist is taken as it is.
    """
    links: dict[str, str] = {}
    real, rest = "/", [part for part in path.split("/") if part]
    while rest and len(links) < 64:
        part = rest.pop(0)
        if part == "..":
            real = os.path.dirname(real)
            continue
        step = os.path.join(real, part)
        try:
            text = os.readlink(step)
        except OSError:
            real = step
            continue
        links[step] = text
        real = "/" if text.startswith("/") else real
        rest = [part for part in text.split("/") if part not in ("", ".")] + rest
    return links, real


def _clone(path: str) -> _Tree | None:
    """Return a copy of the mounts at *path*; None when nothing is there."""
    try:
        is_directory = stat.S_ISDIR(os.stat(path).st_mode)
        flags = _OPEN_TREE_CLONE | os.O_CLOEXEC | _AT_RECURSIVE
        return _Tree(path, _call(_OPEN_TREE, (_AT_FDCWD, os.fsencode(path), flags)), is_directory)
    except FileNotFoundError:
        return None


def _attach(tree: _Tree, path: str) -> None:
    to = os.fsencode(path)
    _call(_MOVE_MOUNT, (tree.descriptor, b"", _AT_FDCWD, to, _MOVE_MOUNT_F_EMPTY_PATH))
    os.close(tree.descriptor)


def _make_mount_point(tree: _Tree) -> None:
    if os.path.lexists(tree.path):
        return
    os.makedirs(os.path.dirname(tree.path), exist_ok=True)
    if tree.is_directory:
        os.mkdir(tree.path)
    else:
        os.close(os.open(tree.path, os.O_CREAT | os.O_CLOEXEC, 0o644))


def _mount_proc() -> tuple[str, ...]:
    """Mount the processes of this namespace, read-only; what failed."""
    flags = _NOSUID | _NODEV | _NOEXEC | _RDONLY
    try:
        _mount("proc", "/proc", flags, "")
    except OSError:  # parts of /proc are masked, as in many containers
        return ("a /proc of its own",)
    return ()


def _mount_devices(devices: Iterable[_Tree]) -> None:
    """Mount a ``/dev`` with what programs need and no disk."""
    _mount("tmpfs", "/dev", _NOSUID | _NOEXEC, "mode=755,size=1m")
    for tree in devices:
        _make_mount_point(tree)
        _attach(tree, tree.path)
    for name, text in _DEVICE_LINKS.items():
        os.symlink(text, f"/dev/{name}")
    os.mkdir("/dev/pts")
    try:
        options = "newinstance,ptmxmode=0666,mode=620"
        _mount("devpts", "/dev/pts", _NOSUID | _NOEXEC, options)
    except OSError:
        pass  # builds that open terminals are few; they say so
    os.mkdir("/dev/shm")
    _mount("tmpfs", "/dev/shm", _NOSUID | _NODEV, "mode=1777")


def _mask(path: str) -> None:
    if os.path.isdir(path):
        _mount("tmpfs", path, _NOSUID | _NODEV | _RDONLY, "mode=755,size=1m")
    elif os.path.exists(path):
        tree = _clone("/dev/null")
        if tree is not None:
            _attach(tree, path)


def _mount(kind: str, target: str, flags: int, options: str) -> None:
    arguments = [os.fsencode(word) for word in (kind, target, kind)]
    library = _library()
    if library.mount(*arguments, ctypes.c_ulong(flags), options.encode()) != 0:
        raise _error(f"mount {target}")


def _set_attributes(
    descriptor: int, path: str, *, add: int = 0, propagation: int = 0, recursive: bool = False
) -> None:
    attributes = _MountAttributes(add, 0, propagation, 0)
    flags = (_AT_RECURSIVE if recursive else 0) | (0 if path else _AT_EMPTY_PATH)
    size = ctypes.sizeof(attributes)
    name = os.fsencode(path)
    _call(_MOUNT_SETATTR, (descriptor, name, flags, ctypes.byref(attributes), size))


# -- system calls ---------------------------------------------------------------------------------


@functools.cache
def _library() -> ctypes.CDLL:
    if not sys.platform.startswith("linux") or os.uname().machine == "alpha":
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    return ctypes.CDLL(None, use_errno=True)


def _call(number: int, arguments: tuple[object, ...]) -> int:
    values = [ctypes.c_long(x) if isinstance(x, int) else x for x in arguments]
    status: int = _library().syscall(ctypes.c_long(number), *values)
    if status < 0:
        raise _error(_NAMES[number])
    return status


def _prctl(option: int, value: int) -> None:
    arguments = (ctypes.c_ulong(x) for x in (value, 0, 0, 0))
    if _library().prctl(ctypes.c_int(option), *arguments) != 0:
        raise _error(f"prctl {option}")


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def _error(what: str) -> OSError:
    code = ctypes.get_errno()
    return OSError(code, os.strerror(code), what)
