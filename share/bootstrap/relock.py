"""Make the locks again: the newest dependencies that have wheels for every Python.

    bin/spack python share/bootstrap/relock.py [requirements.lock] [development.lock]

The requirements are those of pyproject.toml, for development also those of its group; for each
Python the newest fitting versions are taken, first come first served, without backtracking: a
clash is reported. The choice needs a pure wheel or one for each REQUIRED platform; those for the
OPTIONAL ones are listed where they exist.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

SHARE = Path(__file__).resolve().parent
ROOT = SHARE.parent.parent
sys.path.insert(0, str(ROOT / "lib"))

from email.parser import BytesHeaderParser  # noqa: E402

from packaging.requirements import Requirement  # noqa: E402
from packaging.utils import parse_wheel_filename  # noqa: E402
from packaging.version import Version  # noqa: E402

from spack.bootstrap.wheels import Interpreter  # noqa: E402
from spack.fetch import package_index, pipconfig  # noqa: E402
from spack.fetch.network_settings import network_settings  # noqa: E402
from spack.fetch.transport import Transport  # noqa: E402
from spack.util.project_names import normalized  # noqa: E402

OLDEST, NEWEST = 9, 15
#: (system, machine, libc): the oldest system of the kind that a wheel must run on.
REQUIRED = (
    ("linux", "x86_64", ("glibc", 2, 28)),
    ("linux", "aarch64", ("glibc", 2, 28)),
)
OPTIONAL = (
    ("linux", "x86_64", ("musl", 1, 2)),
    ("linux", "aarch64", ("musl", 1, 2)),
    ("macosx", "arm64", ("macos", 14, 0)),
    ("macosx", "x86_64", ("macos", 14, 0)),
)
#: Besides pyproject.toml's: what some systems need.
FURTHER = ("truststore; sys_platform == 'darwin' and python_version >= '3.10'",)
#: The library that knows the usual index; its wheel lies beside the lock file.
DEFAULT_INDEX_WHEEL = "pypi_simple-1.8.0-py3-none-any.whl"


class Chooser:
    """Chooses versions; reads the index and the metadata of wheels.

    :param pure: take pure wheels where there are some: fewer files to lock.
    """

    def __init__(self, *, pure: bool) -> None:
        self.pure = pure
        settings = pipconfig.read(os.environ, (sys.prefix,))
        default_index_wheel = SHARE / DEFAULT_INDEX_WHEEL
        digest = hashlib.sha256(default_index_wheel.read_bytes()).hexdigest()
        locations = package_index.locations(settings, lambda: (default_index_wheel, digest))
        self.transport = Transport(network_settings(settings, locations.urls, os.environ))
        self.index = package_index.PackageIndex(
            locations.urls, locations.find_links, get=self.transport.get
        )
        self.metadata: dict[str, Any] = {}

    def versions(self, name: str) -> dict[Version, dict[str, package_index.Link]]:
        """Return the wheels of each final version, by file name."""
        found: dict[Version, dict[str, package_index.Link]] = {}
        for link in self.index.links(name):
            if link.filename.endswith(".whl") and not link.yanked and link.sha256:
                version = parse_wheel_filename(link.filename)[1]
                if not version.is_prerelease:
                    found.setdefault(version, {}).setdefault(link.filename, link)
        return found

    def wheels(self, links: dict[str, package_index.Link], minor: int) -> dict[str, str]:
        """Return file name -> sha256 of the wheels to lock for one Python.

        Empty when some are missing.
        """
        chosen: dict[str, str] = {}
        for threads in ("", "t"):
            for system, machine, libc in (*REQUIRED, *OPTIONAL):
                interpreter = Interpreter((3, minor), f"cp3{minor}{threads}", system, machine, libc)
                names = [name for name in links if self.pure and name.endswith("-any.whl")]
                names = names or list(links)
                ranked = [(rank, name) for name in names if (rank := interpreter.fit(name))]
                if ranked:
                    name = max(ranked)[1]
                    chosen[name] = str(links[name].sha256)
                elif (system, machine, libc) in REQUIRED and not threads:
                    return {}
        return chosen

    def requires(self, link: package_index.Link) -> Any:
        """Return the metadata of a wheel."""
        if link.filename not in self.metadata:
            data = self.transport.get(link.url)[2]
            if hashlib.sha256(data).hexdigest() != link.sha256:
                raise SystemExit(f"{link.filename}: wrong sha256")
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                name = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
                self.metadata[link.filename] = BytesHeaderParser().parsebytes(archive.read(name))
        return self.metadata[link.filename]

    def choose(
        self, requirements: Sequence[str], minor: int, system: str
    ) -> dict[str, tuple[Version, dict[str, str]]]:
        """Return name -> version and wheels, for one Python on one system."""
        environment = {
            "python_version": f"3.{minor}",
            "python_full_version": f"3.{minor}.0",
            "implementation_name": "cpython",
            "platform_python_implementation": "CPython",
            "sys_platform": system,
            "platform_system": "Darwin" if system == "darwin" else "Linux",
            "os_name": "posix",
            "extra": "",
        }
        wanted = [Requirement(text) for text in requirements]
        chosen: dict[str, tuple[Version, dict[str, str]]] = {}
        while wanted:
            need = wanted.pop(0)
            name = normalized(need.name)
            if need.marker and not need.marker.evaluate(environment):
                continue
            if name in chosen:
                if chosen[name][0] not in need.specifier:
                    raise SystemExit(f"3.{minor}: {need} clashes with {name} {chosen[name][0]}")
                continue
            version, link, wheels = self._newest(need, minor)
            chosen[name] = (version, wheels)
            wanted += map(Requirement, self.requires(link).get_all("Requires-Dist", []))
        return chosen

    def _newest(
        self, need: Requirement, minor: int
    ) -> tuple[Version, package_index.Link, dict[str, str]]:
        for version, links in sorted(self.versions(need.name).items(), reverse=True):
            if version not in need.specifier:
                continue
            wheels = self.wheels(links, minor)
            if not wheels:
                continue
            link = links[next(iter(wheels))]
            python = self.requires(link).get("Requires-Python") or ""
            if Version(f"3.{minor}.0") in Requirement("python" + python).specifier:
                return version, link, wheels
        raise SystemExit(f"3.{minor}: no version of {need} has the wheels")


def requirements(groups: Sequence[str]) -> list[str]:
    """Return the requirements of pyproject.toml with those of *groups*, and FURTHER."""
    try:
        import tomllib
    except ModuleNotFoundError:
        import tomli as tomllib
    with open(ROOT / "pyproject.toml", "rb") as file:
        project = tomllib.load(file)
    further = [text for group in groups for text in project["dependency-groups"][group]]
    return [*project["project"]["dependencies"], *further, *FURTHER]


def merged(
    chooser: Chooser, requirements: Sequence[str], oldest: int, newest: int
) -> list[dict[str, Any]]:
    """Return rows of the lock file: runs of Pythons that take the same version are one row."""
    rows: list[dict[str, Any]] = []
    for minor in range(oldest, newest + 1):
        linux = chooser.choose(requirements, minor, "linux")
        darwin = chooser.choose(requirements, minor, "darwin")
        for name in sorted({*linux, *darwin}):
            version, wheels = linux.get(name) or darwin[name]
            system = "" if name in linux and name in darwin else "macosx"
            row = next(
                (
                    row
                    for row in rows
                    if (row["name"], row["version"]) == (name, str(version))
                    and row["minors"][1] == minor - 1
                ),
                None,
            )
            if row is None:
                row = {"name": name, "version": str(version), "system": system, "wheels": {}}
                row["minors"] = [minor, minor]
                rows.append(row)
            row["minors"][1] = minor
            row["wheels"].update(wheels)
    for row in rows:
        if row["minors"][1] == newest:
            row["minors"][1] = None
        row["wheels"] = dict(sorted(row["wheels"].items()))
    return sorted(rows, key=lambda row: (row["name"], row["minors"][0]))


#: Lock file -> groups of pyproject.toml in it, and the oldest and the newest Python 3 that it
#: is for; newer ones take what the newest takes.
LOCKS = {
    "requirements.lock": ((), OLDEST, NEWEST),
    "development.lock": (("dev",), 11, NEWEST),
}


def main(names: Sequence[str]) -> None:
    """Write the lock files *names*, by default all."""
    default_index_wheel = hashlib.sha256((SHARE / DEFAULT_INDEX_WHEEL).read_bytes()).hexdigest()
    for name in names or LOCKS:
        chooser = Chooser(pure=name == "requirements.lock")
        groups, oldest, newest = LOCKS[name]
        lock = {
            "knows-the-index": {"file": DEFAULT_INDEX_WHEEL, "sha256": default_index_wheel},
            "packages": merged(chooser, requirements(groups), oldest, newest),
        }
        body = json.dumps(lock, indent=1)[1:].lstrip("\n") + "\n"
        digest = hashlib.sha256(body.encode()).hexdigest()
        text = f'{{"digest": "{digest}",\n{body}'
        (SHARE / name).write_text(text, encoding="utf-8")
        for row in lock["packages"]:
            print(row["name"], row["version"], row["minors"], len(row["wheels"]))


if __name__ == "__main__":
    main(sys.argv[1:])
