"""What a packed view needs from a machine, and which of it a machine lacks."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence

import pytest

from spack.actions.pack_needs import MachineFacts, Needs, lacking, needs_of_text


def run(argv: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, capture_output=True, text=True)


HERE = MachineFacts("linux", ("zen3", "x86_64_v3", "x86_64"), "glibc 2.36", run)
VERSION = ".".join(map(str, sys.version_info[:3]))


@pytest.mark.parametrize(
    ("needs", "said"),
    [
        (Needs(), []),
        (Needs("linux", ("x86_64_v3",), sys.executable, VERSION, "glibc 2.36"), []),
        (Needs("darwin", ("m1",)), ["it is for darwin, and this is linux"]),
        (Needs("linux", ("x86_64_v4",)), ["need a processor x86_64_v4, and this one is zen3"]),
        (Needs(libc="glibc 2.38"), ["need glibc 2.38 or newer, and this machine has glibc 2.36"]),
        (Needs(libc="glibc 2.4"), []),
        (Needs(libc="musl"), ["its programs need musl, and this machine has glibc 2.36"]),
        (Needs(python="/none", python_version="3.9.1"), ["Python 3.9.1 at /none, which is not"]),
        (Needs(python=sys.executable, python_version="2.7.1"), [f"is Python {VERSION[:4]}"]),
        (Needs(python="/bin/false", python_version="2.7.1"), ["which does not run"]),
        (
            Needs("linux", ("zen5",), "/none", "3.9.1", "glibc 3.0"),
            ["a processor zen5", "glibc 3.0", "at /none"],
        ),
    ],
)
def test_lacking(needs: Needs, said: list[str]) -> None:
    lines = lacking(needs, HERE)
    assert len(lines) == len(said)
    assert all(part in line for part, line in zip(said, lines)), lines


def test_glibc_is_named_where_the_library_is_another() -> None:
    lines = lacking(Needs(libc="glibc 2.17"), HERE._replace(libc=""))
    assert lines == [
        "its programs need glibc 2.17 or newer, and this machine has another C library"
    ]
    assert lacking(Needs(libc="musl"), HERE._replace(libc="")) == []


def test_the_text_of_needs() -> None:
    needs = Needs("linux", ("zen3",), "/bin/python3", "3.9.1", "glibc 2.17", ("bin/x",))
    assert needs_of_text(needs.to_json()) == needs
    earlier = {
        "platform": "linux-x86_64_v4",
        "python": "",
        "python_version": "3.9.1",
        "libc": "glibc 2.36",
        "store": [],
    }
    assert needs_of_text(json.dumps(earlier)) == Needs(
        "linux", ("x86_64_v4",), "", "3.9.1", "glibc 2.36"
    )
    with pytest.raises((ValueError, TypeError)):
        needs_of_text("[1]")
