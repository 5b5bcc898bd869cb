"""Run a command without some system calls: ``deny_system_calls.py unshare,landlock COMMAND…``.

A filter (seccomp(2)) lets them fail as if the kernel did not know them, for the command and all
that it starts. So a test sees what holds on a machine without them.
"""

import ctypes
import os
import struct
import sys

#: Numbers by machine.
NUMBERS = {
    "x86_64": {"unshare": (272,), "landlock": (444,)},
    "aarch64": {"unshare": (97,), "landlock": (444,)},
}
_LOAD_NUMBER, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _ERRNO_ENOSYS = 0x7FFF0000, 0x00050000 | 38
_SET_NO_NEW_PRIVS, _SET_SECCOMP, _FILTER = 38, 22, 2


def deny(numbers: "tuple[int, ...]") -> None:
    rows = [(_LOAD_NUMBER, 0, 0, 0)]
    for index, number in enumerate(numbers):
        rows.append((_EQUAL, len(numbers) - index, 0, number))
    rows += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _ERRNO_ENOSYS)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *row) for row in rows))
    program = ctypes.create_string_buffer(
        struct.pack("HxxxxxxP", len(rows), ctypes.addressof(code))
    )
    library = ctypes.CDLL(None, use_errno=True)
    zero = ctypes.c_ulong(0)
    if library.prctl(_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), zero, zero, zero) or library.prctl(
        _SET_SECCOMP, ctypes.c_ulong(_FILTER), program, zero, zero
    ):
        sys.exit(f"cannot filter system calls: {os.strerror(ctypes.get_errno())}")


if __name__ == "__main__":
    names = [name for name in sys.argv[1].split(",") if name]
    known = NUMBERS[os.uname().machine]
    if names:
        deny(tuple(number for name in names for number in known[name]))
    os.execvp(sys.argv[2], sys.argv[2:])
