"""What a machine lacks, and the command that mends it."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from spack.actions.doctor import CHECKS, DoctorFinding, Machine, diagnose
from spack.config.packages import ExternalEntry, PackageSettings
from spack.errors import FetchError
from spack.fetch.package_index import PackageIndex
from spack.host.distributions import install_command
from spack.host.interpreter import PythonLayout
from spack.util.helper_process import Completed


class Answer:
    """An answer of the index, at its time."""

    def __init__(self, date: float) -> None:
        self.headers = {"date": formatdate(date, usegmt=True)}

    def close(self) -> None:
        pass


class Network:
    """A package index, and the transport to it."""

    def __init__(self, page: str | None, date: float) -> None:
        self.page, self.date = page, date
        self.index = PackageIndex(["https://example.org/simple"], get=self.get)

    def connect(self) -> tuple[Any, Any]:
        return self.index, self

    def get(self, url: str, accept: str) -> tuple[str, str, bytes]:
        if self.page is None:
            raise FetchError(f"{url} cannot be read", facts={"status": None}, hint="a network?")
        return url, "text/html", self.page.encode()

    def open(self, url: str, headers: Mapping[str, str]) -> Answer:
        return Answer(self.date)


PAGE = '<a href="packaging-26.0.tar.gz">x</a>'


def ran(code: int, stderr: str = "") -> Any:
    return lambda argv: Completed(tuple(argv), code, "", stderr)


def machine(tmp_path: Path, **parts: Any) -> Machine:
    """Return a machine with nothing; *parts* replace fields."""
    given = {
        "packages": {},
        "system": "debian12",
        "environ": {"PATH": "/usr/bin"},
        "search_path": (str(tmp_path / "bin"),),
        "store": tmp_path / "store" / "deep",
        "stages": (tmp_path / "stage",),
        "locks": True,
        "fetcher": Network(PAGE, time.time()),
        "run": ran(0),
        "user": os.getuid(),
        **parts,
    }
    return Machine(**given)


def findings(machine: Machine, check: str, level: str = "wrong") -> list[DoctorFinding]:
    return [found for _, found in diagnose(machine, [check]) if found.level == level]


def test_nothing_is_there(tmp_path: Path) -> None:
    bare = machine(tmp_path, user=1000)
    assert findings(bare, "python") == [
        DoctorFinding("wrong", "there is no Python to build for", "sudo apt-get install python3")
    ]
    assert [x.text for x in findings(bare, "compilers")] == [
        "no compiler of c",
        "no compiler of cxx",
    ]
    assert findings(bare, "programs", "note")[0].mend == "sudo apt-get install git"
    assert findings(bare, "headers") == []


def python(include: Path | None) -> ExternalEntry:
    layout: dict[str, Any] = dict.fromkeys(PythonLayout._fields, "x")
    layout.update(tags=[], shared=True, include_dirs=[str(include)] if include else [])
    return ExternalEntry("python@3.11", "/usr", extra_attributes={"layout": layout})


def compiler(path: str) -> ExternalEntry:
    return ExternalEntry("gcc@12", "/usr", extra_attributes={"compilers": {"c": path, "cxx": path}})


def settings(*entries: ExternalEntry) -> PackageSettings:
    return PackageSettings(externals=entries)


def test_headers_and_compiler(tmp_path: Path) -> None:
    (tmp_path / "Python.h").touch()
    packages = {"python": settings(python(tmp_path), python(None)), "gcc": settings(compiler("cc"))}
    good = machine(tmp_path, packages=packages)
    assert findings(good, "headers") == [] and findings(good, "compilers") == []
    assert "no Python.h of x" in findings(good, "headers", "note")[0].text
    bad = machine(
        tmp_path,
        packages={"python": settings(python(None)), "gcc": settings(compiler("cc"))},
        run=ran(1, "x.c:1: error: stdio.h: No such file\n"),
        user=0,
    )
    assert findings(bad, "headers")[0].mend == "apt-get install python3-dev"
    assert findings(bad, "compilers") == [
        DoctorFinding(
            "wrong",
            "cc cannot compile: x.c:1: error: stdio.h: No such file",
            "apt-get install gcc libc6-dev python3-dev",
        )
    ]


def test_network(tmp_path: Path) -> None:
    dead = machine(tmp_path, fetcher=Network(None, 0))
    assert findings(dead, "index")[0].mend == "a network?"
    empty = machine(tmp_path, fetcher=Network("", 0))
    assert "has no packaging" in findings(empty, "index", "note")[0].text
    late = machine(tmp_path, fetcher=Network(PAGE, time.time() - 9000))
    text = findings(late, "clock")[0].text
    assert "the package index is 9" in text and "s behind" in text
    named = machine(tmp_path, environ={"PIP_CERT": "/no/such.pem"})
    assert findings(named, "certificates") == [
        DoctorFinding(
            "wrong", "PIP_CERT names /no/such.pem, which does not exist", "unset PIP_CERT"
        )
    ]


def test_directories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert findings(machine(tmp_path), "directories") == []
    noexec = machine(tmp_path, run=ran(126))
    assert findings(noexec, "directories")[0] == DoctorFinding(
        "wrong",
        f"the install tree: {tmp_path} does not let programs run (mounted noexec?)",
        "spack config add config:install_tree:root:DIRECTORY",
    )
    assert findings(machine(tmp_path, locks=False), "locks", "note")
    assert findings(machine(tmp_path), "locks") == []
    (tmp_path / "store").mkdir(mode=0o777)
    (tmp_path / "store").chmod(0o777)
    open_to_all = machine(tmp_path, store=tmp_path / "store")
    assert findings(open_to_all, "permissions")[0].mend == f"chmod o-w {tmp_path / 'store'}"
    monkeypatch.setattr("spack.actions.doctor.LEAST_SPACE", 1 << 70)
    assert findings(machine(tmp_path), "disk")[0].mend == "spack clean --all; spack gc"


@pytest.mark.parametrize(
    ("environ", "level", "text"),
    [
        ({"PYTHONHOME": "/x"}, "wrong", "PYTHONHOME is set: every Python looks for its library"),
        ({"PYTHONPATH": "/x"}, "note", "PYTHONPATH is set"),
        ({"TMPDIR": "/no/where"}, "wrong", "TMPDIR is /no/where, which cannot be written"),
        ({"PATH": ".:/bin"}, "note", "PATH has the current directory"),
        ({"PATH": "/bin"}, "ok", "no variable is in the way"),
    ],
)
def test_variables(tmp_path: Path, environ: dict[str, str], level: str, text: str) -> None:
    found = findings(machine(tmp_path, environ={"PATH": "/bin", **environ}), "variables", level)
    assert found[0].text.startswith(text)


def test_isolation(tmp_path: Path) -> None:
    assert "no namespaces" in findings(machine(tmp_path, run=ran(1)), "isolation", "note")[0].text


def test_every_wrong_finding_has_a_remedy(tmp_path: Path) -> None:
    bare = machine(tmp_path, run=ran(1), fetcher=Network(None, 0), environ={"PYTHONHOME": "x"})
    every: Sequence[tuple[str, DoctorFinding]] = list(diagnose(bare))
    assert {name for name, _ in every} <= set(CHECKS)
    assert all(found.mend for _, found in every if found.level == "wrong")


def test_distributions() -> None:
    assert install_command("fedora41", "headers", root=True) == "dnf install python3-devel"
    assert install_command("unknown1", "c", "make", root=True) == (
        "install with the system's package manager: c, make"
    )
