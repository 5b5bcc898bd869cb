"""What is corrected in a prefix after the phases have run.

The build's virtual environment goes, and with it every mention of its interpreter: text files name
that of python-venv instead. Records of Python distributions stay true (PEP 376, PEP 627): rows of
files that were changed are written again, ``INSTALLER`` names this tool, and ``direct_url.json``
(PEP 610), which would name the stage, is dropped with its row; that of an editable install names
a developer's directory, and stays.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import re
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from spack.build.build_venv import shebang_script
from spack.util.json_input import parse_json

__all__ = ["INSTALLER", "correct_records", "replace_interpreter"]

INSTALLER = "spack"

#: What is corrected in the metadata of a distribution.
_RECORDS = ("INSTALLER", "RECORD", "direct_url.json")

#: Bytes of a file's start, which show whether it is text.
_SAMPLE = 8192


def replace_interpreter(prefix: str, root: str, venv: str) -> list[str]:
    """Name the interpreter of *venv* instead of *root*'s in all text files below *prefix*.

    :param root: prefix of the virtual environment of the build.
    :param venv: prefix of python-venv.
    :return: paths of the files that were changed. Modes stay, ``.spack`` is not looked at.
    """
    wanted = os.fsencode(root) + b"/bin/python"
    interpreter = re.compile(re.escape(os.fsencode(root)) + rb"(/bin/python[\d.]*[td]*)(?![\w.-])")
    python = os.path.join(venv, "bin", "python3")
    changed = []
    for path in _files(prefix):
        text = _text_with(path, wanted)
        if text is None:
            continue
        new = shebang_script(text, [root], python) if text.startswith(b"#!") else text
        new = interpreter.sub(lambda match: os.fsencode(venv) + match.group(1), new)
        if new != text:
            _write(path, new)
            changed.append(path)
    return changed


def _files(prefix: str) -> Iterator[str]:
    """Yield regular files below *prefix*, in order."""
    for directory, directories, names in os.walk(prefix):
        if directory == prefix and ".spack" in directories:
            directories.remove(".spack")
        directories.sort()
        for name in sorted(names):
            path = os.path.join(directory, name)
            if not name.endswith((".pyc", ".so", ".a")) and _is_regular(path):
                yield path


def _is_regular(path: str) -> bool:
    """Return whether it is a file; reading a pipe would never end."""
    return stat.S_ISREG(os.lstat(path).st_mode)


def _text_with(path: str, wanted: bytes) -> bytes | None:
    """Return the content when it is text and contains *wanted*."""
    with open(path, "rb") as stream:
        head = stream.read(_SAMPLE)
        if b"\0" in head:
            return None
        text = head + stream.read()
    return text if wanted in text else None


def _write(path: str, text: bytes) -> None:
    mode = stat.S_IMODE(os.stat(path).st_mode)
    os.chmod(path, mode | stat.S_IWUSR)
    Path(path).write_bytes(text)
    os.chmod(path, mode)


def correct_records(prefix: str, sites: Sequence[str], changed: Sequence[str]) -> None:
    """Make the metadata of the distributions in *prefix* true.

    :param sites: the site-packages directories, relative to *prefix*.
    :param changed: absolute paths of files whose content is not what was recorded.
    """
    touched = {os.path.realpath(path) for path in changed}
    for site in dict.fromkeys(sites):
        for directory in sorted(Path(prefix, site).glob("*.dist-info")):
            records = [directory / name for name in _RECORDS]
            if all(_is_regular(path) for path in map(str, records) if os.path.lexists(path)):
                _correct(directory, set(touched))


def _correct(directory: Path, touched: set[str]) -> None:
    installer = directory / "INSTALLER"
    if not installer.exists() or installer.read_text(encoding="utf-8").strip() != INSTALLER:
        installer.write_text(f"{INSTALLER}\n", encoding="utf-8")
        touched.add(os.path.realpath(installer))
    origin = directory / "direct_url.json"
    dropped = origin.exists() and not _is_editable(origin)
    if dropped:
        origin.unlink()
    record = directory / "RECORD"
    if not record.exists():
        return
    with record.open(newline="", encoding="utf-8") as stream:
        rows = [row for row in csv.reader(stream) if row]
    known: dict[str, list[str]] = {}
    for row in rows:
        path = os.path.realpath(os.path.join(directory.parent, row[0]))
        if dropped and row[0] == f"{directory.name}/direct_url.json":
            continue
        known[row[0]] = [row[0], *_digest(path)] if path in touched else row
    name = f"{directory.name}/INSTALLER"
    if name not in known:
        known[name] = [name, *_digest(str(installer))]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(known.values())
    record.write_text(text.getvalue(), encoding="utf-8")


def _is_editable(origin: Path) -> bool:
    """Return whether a ``direct_url.json`` names the directory of an editable install."""
    try:
        data = parse_json(origin.read_text(encoding="utf-8"))
        return data["dir_info"]["editable"] is True
    except (ValueError, KeyError, TypeError):
        return False


def _digest(path: str) -> list[str]:
    """Hash and size as RECORD has them."""
    data = Path(path).read_bytes()
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return [f"sha256={digest}", str(len(data))]
