"""Concretize upstream's stack files: ``python stack_files.py <checkout> [NAME…]``.

*checkout* is one of upstream's repository of recipes; its directory ``stacks`` has an environment
in each of its directories. Each is copied and concretized by ``bin/spack`` of this project in a
process of its own. Prints a table: name, whether the file was understood, number of roots, result,
seconds. A result is ``concretized``, ``clash`` (explained, so right), ``error`` or ``time``.

The status is 1 if a file was not understood.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

SPACK = Path(__file__).resolve().parents[2] / "bin" / "spack"

#: Targets of upstream's pipelines, which ask for one by a variable.
TARGETS = ("x86_64_v3", "x86_64_v4", "neoverse_v1", "neoverse_v2", "aarch64")


#: How an explained contradiction reads.
CLASH = re.compile(r"cannot concretize .*: (these \d+ constraints contradict|this constraint )")


class Row(NamedTuple):
    """One stack file; *note* is the first line of what went wrong."""

    name: str
    understood: bool
    roots: int
    result: str
    seconds: float
    note: str = ""

    def __str__(self) -> str:
        understood = "yes" if self.understood else "no"
        return (
            f"{self.name:<36}{understood:<5}{self.roots:>5}  {self.result:<12}"
            f"{self.seconds:>7.1f}  {self.note[:140]}"
        )


class Runner:
    """Runs the command with a home of its own."""

    def __init__(self, home: Path, seconds: float) -> None:
        self.home = home
        self.seconds = seconds

    def __call__(
        self, *words: str, environ: Mapping[str, str] | None = None
    ) -> tuple[int | None, str, str]:
        """Return status (None when it took too long), standard output and error."""
        settings = ["-c", f"config:install_tree:root:{self.home}/store"]
        settings += ["-c", "config:misc_cache:$user_cache_path/cache"]
        process = subprocess.Popen(
            [str(SPACK), *settings, *words],
            env={
                "HOME": str(self.home),
                "PATH": os.environ["PATH"],
                "TERM": "dumb",
                **(environ or {}),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            out, err = process.communicate(timeout=self.seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return None, "", ""
        return process.returncode, out, err


def with_downloads(file: Path, downloads: Path | None, scratch: Path) -> Path:
    """Return *file*, or a copy beside it whose includes of URLs are files in *downloads*."""
    text = file.read_text()
    known = {sha256(x.read_bytes()).hexdigest(): x for x in (downloads or scratch).glob("*.yaml")}
    changed = re.sub(
        r"path: https://\S+(\s+sha256: \"?(\w+))",
        lambda match: f"path: {known[match[2]]}{match[1]}" if match[2] in known else match[0],
        text,
    )
    # What else is relative is relative to the original.
    changed = changed.replace("- ../../", f"- {file.parents[2].resolve()}/")
    copy = scratch / f"{file.parent.name}.yaml"
    copy.write_text(changed)
    return file if changed == text else copy


def tried(run: Runner, file: Path, scratch: Path, downloads: Path | None) -> Row:
    """Return the row of one stack file."""
    name = file.parent.name
    folder = scratch / name
    if downloads is not None:
        file = with_downloads(file, downloads.resolve(), scratch)
    target = next((x for x in TARGETS if x in name.replace("-v", "_v")), "x86_64_v3")
    environ = {"SPACK_CI_TARGET": target}
    code, _, err = run("env", "create", "--dir", str(folder), str(file), environ=environ)
    if code != 0:
        return Row(name, False, 0, "error", 0, _first_line(err))
    code, out, err = run("-e", str(folder), "env", "status", environ=environ)
    roots = len(re.findall(r"\(not concretized\)$", out, re.M))
    if code != 0:
        return Row(name, False, roots, "error", 0, _first_line(err))
    # Stacks for other machines are solved for those.
    every = ["-c", "concretizer:targets:host_compatible:false"] if "x86" not in target else []
    start = time.monotonic()
    code, out, err = run(*every, "-e", str(folder), "concretize", environ=environ)
    seconds = time.monotonic() - start
    if code is None:
        return Row(name, True, roots, "time", seconds)
    result = "concretized" if code == 0 else "clash" if CLASH.search(err) else "error"
    return Row(name, True, roots, result, seconds, "" if code == 0 else _first_line(err))


def _first_line(text: str) -> str:
    lines = [line for line in text.splitlines() if "Error" in line]
    return (lines or text.splitlines() or [""])[0]


def rows(
    run: Runner, checkout: Path, names: Iterable[str], scratch: Path, downloads: Path | None
) -> Iterable[Row]:
    """Yield a row for each stack file; the first solve is preceded by one that reads recipes."""
    every = sorted(checkout.glob("stacks/*/spack.yaml"))
    chosen = [x for x in every if not names or x.parent.name in names]
    builtin = checkout / "repos" / "spack_repo" / "builtin"
    Runner(run.home, 600)("-c", f"repos:builtin:{builtin}", "spec", "zlib")
    for file in chosen:
        yield tried(run, file, scratch, downloads)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkout", type=Path, help="of upstream's repository of recipes")
    parser.add_argument("name", nargs="*", help="only these stacks")
    parser.add_argument("--seconds", type=float, default=60, help="bound for each (60)")
    parser.add_argument("--home", type=Path, help="keep what is remembered in this directory")
    parser.add_argument(
        "--downloads", type=Path, help="included files, used instead of downloads of that sha256"
    )
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        home = args.home or Path(temporary)
        scratch = Path(temporary) / "environments"
        scratch.mkdir()
        good = True
        run = Runner(home, args.seconds)
        for row in rows(run, args.checkout.resolve(), args.name, scratch, args.downloads):
            sys.stdout.write(f"{row}\n")
            sys.stdout.flush()
            good = good and row.understood
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
