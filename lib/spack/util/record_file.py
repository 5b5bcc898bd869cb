"""``RECORD`` files of installed distributions (PEP 376, PEP 627)."""

from __future__ import annotations

import base64
import csv
import io
import posixpath
from collections.abc import Mapping, Sequence
from typing import Callable, NamedTuple

from spack.util.hashing import sha256_hex

__all__ = ["RecordedFile", "corrected_record", "folded_record"]


class RecordedFile(NamedTuple):
    """What a row says of a file; *digest* is hex sha256."""

    digest: str
    size: int

    @classmethod
    def of(cls, content: bytes) -> RecordedFile:
        """Return what the row of a file with *content* says."""
        return cls(sha256_hex(content), len(content))


def corrected_record(
    record: bytes,
    folder: str,
    rewritten: Mapping[str, RecordedFile],
    canonical: Callable[[str], str] = lambda path: path,
) -> bytes:
    """Return a ``RECORD`` with correct rows for rewritten files.

    :param folder: of the installed distributions, relative to the prefix or view.
    :param rewritten: by path in the prefix or view.
    :param canonical: path in the prefix -> path in the view (``lib64`` -> ``lib``).
    """
    rows: list[list[str]] = []
    for row in csv.reader(io.StringIO(record.decode("utf-8"))):
        if len(row) == 3:
            path = canonical(posixpath.normpath(posixpath.join(folder, row[0])))
            file = rewritten.get(path)
            if file is not None:
                row = [row[0], _hash_field(file.digest), str(file.size)]
        rows.append(row)
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode("utf-8")


def folded_record(
    record: bytes,
    folder: str,
    links: Sequence[str],
    canonical: Callable[[str], str] = lambda path: path,
) -> bytes:
    """Return a ``RECORD`` with one row for each of *links*, instead of those of what is below it.

    :param folder: of the installed distributions. :param links: to directories, as paths in the
        view. :param canonical: as of :func:`corrected_record`.
    """
    known = dict.fromkeys(links, True)
    above: dict[str, str] = {}  # the link that a directory of the record is below, or ""

    def link_above(directory: str) -> str:
        if directory not in above:
            path = canonical(posixpath.normpath(posixpath.join(folder, directory)))
            while path and path not in known:
                path = path.rpartition("/")[0]
            above[directory] = path
        return above[directory]

    rows: dict[str, list[str]] = {}
    for row in csv.reader(io.StringIO(record.decode("utf-8"))):
        link = link_above(row[0].rpartition("/")[0]) if row else ""
        if link:
            row = [posixpath.relpath(link, folder), "", ""]
        if row:
            rows.setdefault(row[0], row)
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows.values())
    return out.getvalue().encode("utf-8")


def _hash_field(digest: str) -> str:
    encoded = base64.urlsafe_b64encode(bytes.fromhex(digest))
    return "sha256=" + encoded.rstrip(b"=").decode()
