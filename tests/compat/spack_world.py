"""Real Spack and this tool on each other's locks, install trees and environments: a table.

Takes paths; nothing of it is downloaded. The mirror has the sources of SPEC and of what it needs,
such as ``spack mirror create -d DIR -D SPEC`` makes. Everything is written below WORK::

    python3 tests/compat/spack_world.py --spack ../spack/bin/spack --mirror MIRROR WORK

Exit code 1 if a row fails.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parents[2] / "bin" / "spack"


class World:
    """Both tools with their own directories below *work*."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.work = Path(args.work).resolve()
        self.work.mkdir(parents=True)
        scope = self.work / "scope"
        scope.mkdir()
        url = f"file://{Path(args.mirror).resolve()}"
        (scope / "mirrors.yaml").write_text(f"mirrors: {{sources: '{url}'}}\n")
        self.tree = self.work / "tree-of-spack"
        self.theirs = [args.spack, *(["-C", args.scope] if args.scope else [])]
        self.theirs += ["-C", str(scope), "-c", f"config:install_tree:root:{self.tree}"]
        self.theirs += ["-c", f"config:extensions:[{HERE.parents[1]}/share/spack-venv]"]
        self.ours = [str(HERE), "-c", f"config:install_tree:root:{self.work / 'tree-of-venv'}"]
        self.ours += ["-C", str(scope)]
        if args.recipes:
            self.ours += ["-c", f"repos:builtin:{args.recipes}"]

    def run(self, command: list[str], *words: object) -> str:
        """Run it and return what it printed; print both."""
        shown = [os.path.basename(command[0]), *map(str, words)]
        of_spack = command[0] == self.args.spack
        print(f"$ {'real ' if of_spack else ''}{' '.join(shown)}", flush=True)
        variables = {**os.environ, "HOME": str(self.work / "home")}
        done = subprocess.run(
            [*command, *map(str, words)],
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        print("".join(f"    {line}\n" for line in done.stdout.splitlines()[-self.args.lines :]))
        assert done.returncode == 0, f"exit code {done.returncode}"
        return done.stdout

    def environment(self, name: str) -> Path:
        path = self.work / name
        path.mkdir()
        (path / "spack.yaml").write_text(f"spack: {{specs: ['{self.args.spec}'], view: false}}\n")
        return path

    def locked(self, path: Path) -> set[str]:
        """Return the hashes in a lock file that are not those of externals."""
        nodes = json.loads((path / "spack.lock").read_text())["concrete_specs"]
        return {key for key, node in nodes.items() if "external" not in node}

    def lock_of_spack(self) -> None:
        path = self.environment("lock-of-spack")
        self.run(self.theirs, "-e", path, "concretize")
        before = (path / "spack.lock").read_bytes()
        self.run(self.ours, "-e", path, "concretize")
        self.run(self.ours, "-e", path, "install")
        assert (path / "spack.lock").read_bytes() == before
        installed = set(self.run(self.ours, "find", "--format", "{hash}").split())
        assert self.locked(path) <= installed

    def lock_of_this_tool(self) -> None:
        path = self.environment("lock-of-venv")
        self.run(self.ours, "-e", path, "concretize", "--fresh")
        before = self.locked(path)
        assert self.args.spec in self.run(self.theirs, "-e", path, "find", "-c")
        self.run(self.theirs, "-e", path, "concretize")
        assert self.locked(path) == before

    def tree_of_spack(self) -> None:
        path = self.environment("env-of-spack")
        self.run(self.theirs, "-e", path, "concretize")
        self.run(self.theirs, "-e", path, "install")
        ours = [*self.ours, "-c", f"config:install_tree:root:{self.work / 'empty-tree'}"]
        ours += ["-c", f"upstreams:site:install_tree:{self.tree}"]
        assert f"[^] {self.args.spec}@" in self.run(ours, "find", "-I")
        self.run(ours, "verify")
        venv = self.work / "venv"
        self.run(ours, "-e", path, "view", "make", venv)
        venv.rename(self.work / "moved")
        self.run([str(self.work / "moved" / "bin" / "python")], "-c", f"import {self.args.module}")

    def tree_of_this_tool(self) -> None:
        """Let Spack rebuild its database from the prefixes, in a copy of the tree."""
        copy = self.work / "copy"
        subprocess.run(["cp", "-a", self.work / "tree-of-venv", copy], check=True)
        theirs = [*self.theirs, "-c", f"config:install_tree:root:{copy}"]
        self.run(theirs, "reindex")
        assert self.args.spec in self.run(theirs, "find")

    def command_of_spack(self) -> None:
        path = self.work / "env-of-spack"
        self.run(self.theirs, "-e", path, "venv", "create", self.work / "bridge")
        self.run(self.theirs, "venv", "status", self.work / "bridge")
        self.run(self.theirs, "-e", path, "venv", "pack", self.work / "bridge.tar.gz")


#: What is tried, in this order.
ROWS: dict[str, Callable[[World], None]] = {
    "lock: Spack -> here": World.lock_of_spack,
    "lock: here -> Spack": World.lock_of_this_tool,
    "install tree: Spack -> here": World.tree_of_spack,
    "install tree: here -> Spack": World.tree_of_this_tool,
    "spack venv in Spack": World.command_of_spack,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spack", required=True, help="bin/spack of real Spack")
    parser.add_argument("--scope", help="its configuration, a directory")
    parser.add_argument("--recipes", help="its repository of recipes, for this tool")
    parser.add_argument("--mirror", required=True, help="a directory of sources")
    parser.add_argument("--spec", default="py-flake8", help="what is installed (py-flake8)")
    parser.add_argument("--module", default="flake8", help="a module of it (flake8)")
    parser.add_argument("--lines", type=int, default=6, help="shown of each command (6)")
    parser.add_argument("work", metavar="WORK", help="a new directory")
    world = World(parser.parse_args())
    rows = []
    for name, row in ROWS.items():
        print(f"== {name}\n")
        try:
            row(world)
            rows.append((name, "works"))
        except (AssertionError, OSError, subprocess.CalledProcessError) as error:
            rows.append((name, f"fails: {error}"))
    print("\n".join(f"{name:30} {result}" for name, result in rows))
    return int(any(result != "works" for _, result in rows))


if __name__ == "__main__":
    sys.exit(main())
