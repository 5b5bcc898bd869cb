"""Errors of the operating system, translated into their meaning for an install tree."""

from __future__ import annotations

import errno
from pathlib import Path

from spack.errors import StoreError

__all__ = ["reason_of", "unwritable"]

_FULL = (errno.ENOSPC, errno.EDQUOT)

_HINTS = {
    "full": "make room on that disk ('spack clean' and 'spack gc' help), or set "
    "config:install_tree:root to another one",
    "denied": "set config:install_tree:root to a writable directory, in ~/.spack/config.yaml or "
    "for one command: spack -c config:install_tree:root:~/spack",
    "other": "check that you may write the install tree and that its disk is not full "
    "(config:install_tree:root says where it is)",
}


def unwritable(path: Path, reason: OSError | str, what: str | None = None) -> StoreError:
    """Return the error for *path* that could not be written.

    :param reason: what the system said; its own file name is preferred to *path*.
    :param what: the message's verb phrase; "cannot be written" by default.
    """
    if isinstance(reason, OSError):
        location = Path(str(reason.filename)) if reason.filename else path
        number, text = reason.errno, reason.strerror or str(reason)
    else:
        location, number, text = path, None, reason
    if number in _FULL or "is full" in text:
        kind = "full"
    elif number in (errno.EACCES, errno.EPERM, errno.EROFS) or "readonly" in text:
        kind = "denied"
    else:
        kind = "other"
    return StoreError(
        f"{location}: {what or 'cannot be written'}: {text}",
        facts={"path": str(location), "errno": number, "kind": kind},
        hint=_HINTS[kind],
        ref="store-full" if kind == "full" else "store-unwritable",
    )


def reason_of(error: OSError) -> str:
    """Return what the system says of an error, without its number."""
    return error.strerror or str(error)
