"""The kind of file system that contains a path.

SQLite's write-ahead log keeps its index in shared memory, which processes on two hosts do not
share: on network file systems the database must do without it.
"""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["filesystem_type", "is_network"]

#: Types that are, or may be, shared among hosts. Any ``fuse.*`` is taken for one of them.
NETWORK_TYPES = frozenset(
    {
        "9p",
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "coda",
        "fhgfs",
        "fuse",
        "gfs2",
        "glusterfs",
        "gpfs",
        "lustre",
        "nfs",
        "nfs4",
        "ocfs2",
        "orangefs",
        "panfs",
        "prl_fs",
        "pvfs2",
        "smb3",
        "smbfs",
        "vboxsf",
        "virtiofs",
        "wekafs",
    }
)


def filesystem_type(path: Path, mountinfo: Path = Path("/proc/self/mountinfo")) -> str:
    """Return the type of the file system of *path*, or "" where the system does not report it.

    *mountinfo* has the form that proc(5) gives for ``/proc/self/mountinfo``.
    """
    try:
        lines = mountinfo.read_bytes().splitlines()
    except OSError:
        return ""
    wanted = os.fsencode(os.path.realpath(path))
    best, kind = b"", b""
    for line in lines:
        left, _, right = line.partition(b" - ")
        fields = left.split(b" ")
        if len(fields) < 5:
            continue
        point = fields[4].replace(b"\\040", b" ").replace(b"\\011", b"\t").rstrip(b"/")
        # A later line on the same point hides the earlier one.
        if (wanted == point or wanted.startswith(point + b"/")) and len(point) >= len(best):
            best, kind = point, right.split(b" ")[0]
    return kind.decode("ascii", "replace")


def is_network(path: Path, mountinfo: Path = Path("/proc/self/mountinfo")) -> bool:
    """Return whether *path* may be shared among hosts."""
    kind = filesystem_type(path, mountinfo)
    return kind in NETWORK_TYPES or kind.startswith("fuse.")
