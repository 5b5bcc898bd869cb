#!/usr/bin/env python3
"""Caches of binaries between this tool and real Spack, in both directions.

Prints a table of what was pushed, by which, into what, and what installed it::

    python3 tests/compat/spack_caches.py /path/to/spack /path/to/builtin

The second path is that of the repository ``builtin`` (a directory with ``repo.yaml``). Registries
are not tried here: real Spack reads the index of one over TLS only.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

RECIPE = '''\
from spack_repo.builtin.build_systems.generic import Package

from spack.package import *


class {title}(Package):
    """For the comparison of caches."""

    homepage = "https://example.invalid"
    has_code = False
    version("1.0")
{needs}
    def install(self, spec, prefix):
        mkdirp(prefix.bin)
        with open(join_path(prefix.bin, "{name}"), "w") as stream:
            stream.write("#!/bin/sh\\n{command}\\n")
        set_executable(join_path(prefix.bin, "{name}"))
'''

#: A program in C: its cache has run paths, and the nodes of compiler, runtime and C library.
PROGRAM = '''\
from spack_repo.builtin.build_systems.generic import Package

from spack.package import *


class Third(Package):
    """For the comparison of caches."""

    homepage = "https://example.invalid"
    has_code = False
    version("1.0")
    depends_on("c", type="build")
    depends_on("second", type=("build", "link", "run"))

    def install(self, spec, prefix):
        mkdirp(prefix.bin)
        with open("third.c", "w") as stream:
            stream.write("#include <stdlib.h>\\nint main(void) { return system(PATH); }\\n")
        path = spec["second"].prefix.bin.second
        Executable(spack_cc)("-DPATH=\\"%s\\"" % path, "-o", prefix.bin.third, "third.c")
'''


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("spack", type=Path, help="a checkout of real Spack")
    parser.add_argument("builtin", type=Path, help="its repository builtin")
    parser.add_argument("--keep", action="store_true", help="keep the directory of the trial")
    args = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="spack-caches-"))
    try:
        rows = Trial(work, args.spack, args.builtin).run()
    finally:
        if not args.keep:
            shutil.rmtree(work, ignore_errors=True)
    for row in rows:
        print(" | ".join(row))
    return 0 if all(row[-1] == "ok" for row in rows) else 1


class Trial:
    def __init__(self, work: Path, spack: Path, builtin: Path) -> None:
        self._work = work
        self._programs = {"spack": spack / "bin" / "spack", "here": ROOT / "bin" / "spack"}
        repository = work / "spack_repo" / "trial"
        self._write_recipes(repository)
        for name in self._programs:
            scope = work / name
            scope.mkdir()
            (scope / "repos.yaml").write_text(
                f"repos:\n  trial: {repository}\n  builtin: {builtin}\n"
            )
            (scope / "bootstrap.yaml").write_text("bootstrap: {enable: false}\n")

    def _write_recipes(self, repository: Path) -> None:
        rows = (
            ("first", "", "echo first"),
            ("second", '    depends_on("first", type=("build", "link", "run"))\n', "$FIRST"),
        )
        for name, needs, command in rows:
            folder = repository / "packages" / name
            folder.mkdir(parents=True)
            text = RECIPE.format(title=name.title(), name=name, needs=needs, command=command)
            called = '" + spec["first"].prefix.bin.first + "' if needs else ""
            (folder / "package.py").write_text(text.replace("$FIRST", called))
        folder = repository / "packages" / "third"
        folder.mkdir(parents=True)
        (folder / "package.py").write_text(PROGRAM)
        (repository / "repo.yaml").write_text("repo:\n  namespace: trial\n  api: v2.2\n")

    def run(self) -> list[tuple[str, ...]]:
        rows = []
        for pusher, reader in (("spack", "here"), ("here", "spack"), ("here", "here")):
            rows.append((pusher, "directory", reader, self._try(pusher, reader)))
        return rows

    def _try(self, pusher: str, reader: str) -> str:
        """Install what *pusher* has built: real Spack's compiler wrapper is not a part of it."""
        name = "second" if pusher == "spack" else "third"
        cache = self._work / f"cache-{pusher}-{reader}"
        first = "store-one-with-some-room-for-the-other-one"
        self._run(pusher, first, "install", "--no-cache", name, "target=x86_64")
        push = ("buildcache", "push", "--unsigned", "--update-index", str(cache), name)
        self._run(pusher, first, *push)
        mirrors = f"mirrors:\n  trial: {{url: 'file://{cache}', signed: false}}\n"
        (self._work / reader / "mirrors.yaml").write_text(mirrors)
        store = f"store-two-{pusher}"
        self._run(reader, store, "buildcache", "install", "-u", "-o", name)
        (self._work / reader / "mirrors.yaml").unlink()
        found = sorted((self._work / reader / store).glob(f"*/{name}-*/bin/{name}"))
        if len(found) != 1:
            return f"{len(found)} prefixes"
        shown = subprocess.run([found[0]], capture_output=True, text=True)
        return "ok" if shown.stdout == "first\n" else f"it prints {shown.stdout!r}"

    def _run(self, program: str, store: str, *words: str) -> None:
        root = self._work / program / store
        command = [str(self._programs[program]), "-C", str(self._work / program)]
        command += ["-c", f"config:install_tree:root:{root}", *words]
        environ = {"HOME": str(self._work), "PATH": os.environ["PATH"]}
        environ.update((k, v) for k, v in os.environ.items() if k.startswith("PIP_"))
        environ["SPACK_PYTHON"] = sys.executable
        done = subprocess.run(command, env=environ, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{program} {' '.join(words)}:\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    sys.exit(main())
