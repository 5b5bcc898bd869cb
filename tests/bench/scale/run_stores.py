#!/usr/bin/env python3
"""Commands on generated install trees of growing size: processor seconds, and how they grow.

    tests/bench/scale/run_stores.py [--sizes 500,5000,50000] [--dir DIR] [--root DIR] [--only NAMES]

A tree repeats a real graph (four style tools and what they are built with) with other versions, so
every package is there in hundreds of versions. The exponent says how seconds grow with the size
between the two largest trees: 0 not at all, 1 linearly. ``pass`` is ``python3 -c pass``.
"""

from __future__ import annotations

import argparse
import math
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[2]

#: What the trees are made of.
ROOTS = ("py-black", "py-isort", "py-flake8", "py-mypy", "py-click")

#: Name -> words of the command; {hash} is an installed root that nothing needs.
COMMANDS: dict[str, tuple[str, ...]] = {
    "version": ("--version",),
    "find one": ("find", "py-isort@{version}"),
    "find": ("find",),
    "find -d": ("find", "-d"),
    "spec -I": ("spec", "-I", "py-click"),
    "spec -I black": ("spec", "-I", "py-black"),
    "install nothing": ("install", "/{hash}"),
    "install dry": ("install", "--dry-run", "py-click"),
    "gc dry": ("gc", "-n"),
    "uninstall": ("uninstall", "-y", "-f", "/{hash}"),
    "reindex": ("reindex",),
    "gc": ("gc", "-y"),
}

#: What changes the tree: measured once, and last.
CHANGES = ("uninstall", "reindex", "gc")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--sizes", default="500,5000,50000")
    parser.add_argument("--dir", type=Path, help="where trees are made; those there are used again")
    parser.add_argument("--root", type=Path, default=CHECKOUT, help="the checkout to measure")
    parser.add_argument("--only", default="", help="commands, separated by commas")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    folder = (options.dir or Path(tempfile.mkdtemp(prefix="spack-bench-"))).resolve()
    sizes = [int(size) for size in options.sizes.split(",")]
    chosen = [name for name in COMMANDS if not options.only or name in options.only.split(",")]
    environ = {"HOME": str(folder / "home"), "PATH": "/usr/bin:/bin"}
    if "PIP_FIND_LINKS" in os.environ:
        environ["PIP_FIND_LINKS"] = os.environ["PIP_FIND_LINKS"]
    (folder / "home").mkdir(parents=True, exist_ok=True)
    spack = [str(options.root / "bin" / "spack")]
    for size in sizes:
        if not (folder / f"{size}.made").exists():
            shutil.rmtree(folder / f"{size}", ignore_errors=True)
            generate(folder, size, environ)
    bare = min(seconds(["python3", "-c", "pass"], environ) for _ in range(5))
    print(f"{'':<18}" + "".join(f"{size:>10}" for size in sizes) + "  exponent")
    for name in chosen:
        row = [measured(spack, folder / str(size), name, environ, options.rounds) for size in sizes]
        growth = ""
        if len(sizes) > 1 and row[-2] > 0:
            growth = f"{math.log(row[-1] / row[-2]) / math.log(sizes[-1] / sizes[-2]):8.2f}"
        print(
            f"{name:<18}" + "".join(f"{value:>10.3f}" for value in row) + f"  {growth}", flush=True
        )
    print(f"pass: {bare:.3f}")
    if not options.dir:
        shutil.rmtree(folder)


def generate(folder: Path, size: int, environ: dict[str, str]) -> None:
    """Make a tree in a process of its own, with this checkout's modules and its dependencies."""
    program = (
        "import sys, pathlib; sys.path[:0] = sys.argv[1:3]\n"
        "from stores import concretized, fill, repeated\n"
        "import os\n"
        "roots = concretized([sys.argv[3]], dict(os.environ), sys.argv[6:])\n"
        "fill(pathlib.Path(sys.argv[4]), repeated(roots, int(sys.argv[5])), True)\n"
    )
    subprocess.run(
        [
            sys.executable, "-c", program, str(HERE), str(CHECKOUT / "lib"),
            str(CHECKOUT / "bin" / "spack"), str(folder / f"{size}"), str(size), *ROOTS,
        ],
        env=environ, check=True,
    )  # fmt: skip
    (folder / f"{size}.made").touch()


def measured(
    spack: list[str], tree: Path, name: str, environ: dict[str, str], rounds: int
) -> float:
    """Return the least processor seconds of some runs."""
    configured = [*spack, "-c", f"config:install_tree:root:{tree}"]
    best = math.inf
    for _ in range(1 if name in CHANGES else rounds):
        words = COMMANDS[name]
        if "{" in "".join(words):
            words = filled(words, configured, environ)
        command = [*spack, "--version"] if name == "version" else [*configured, *words]
        best = min(best, seconds(command, environ))
    return best


def filled(words: tuple[str, ...], spack: list[str], environ: dict[str, str]) -> tuple[str, ...]:
    """Return *words* with the hash of an installed py-isort."""
    text = subprocess.run(
        [*spack, "find", "--format", "{hash} {version}", "py-isort"],
        env=environ, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    digest, version = text.split("\n")[0].split()
    return tuple(word.format(hash=digest, version=version) for word in words)


def seconds(command: list[str], environ: dict[str, str]) -> float:
    """Return the processor seconds of a command and its children."""
    process = subprocess.Popen(
        command, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    error = process.stderr.read() if process.stderr else ""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        print(f"{' '.join(command)}: status {process.returncode}\n{error[-400:]}", file=sys.stderr)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
