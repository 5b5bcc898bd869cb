"""What a user types and sees: ``tests/cases/cli/*.txt``.

A file is a title after ``#``, then commands after ``$`` with their output (standard output, then
standard error) and, unless it is 0, the status in brackets. The commands of a file share a HOME;
the recipes are those of ``tests/cases/cli/recipes``. ``spack`` is the command, everything else is
the shell's. In the output mean themselves::

    <hash> <hash7>   hashes          <time>  seconds         <n>  a number
    <home> <tree> <recipes>          directories
    <arch> <target>  this machine    <...>   anything in a line
    a line of three dots: any number of lines
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from kits.command import Command
from kits.transcripts import blocks, pattern

CASES = Path(__file__).parent.parent / "cases" / "cli"


@pytest.mark.parametrize("case", sorted(path.stem for path in CASES.glob("*.txt")))
def test_transcript(case: str, spack: Command) -> None:
    (spack.home.config / "repos.yaml").write_text(f"repos:\n  cases: {CASES / 'recipes'}\n")
    host = spack("arch").out.strip()
    platform, _, target = host.split("-")
    locations = {
        "home": str(spack.home.path),
        "tree": str(spack.root),
        "recipes": str(CASES / "recipes"),
        "arch": host,
        "target": f"{platform}-{target}",
        "node": " ".join(
            f"{key}={value}" for key, value in zip(("platform", "os", "target"), host.split("-"))
        ),
    }
    variables = spack.variables()
    variables["PATH"] = f"{spack.root / 'bin'}:{variables['PATH']}"
    for command, lines, code in blocks((CASES / f"{case}.txt").read_text()):
        done = subprocess.run(
            ["sh", "-c", command],
            env=variables,
            cwd=spack.home.path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
        )
        shown = "".join(f"{line.rstrip()}\n" for line in (done.stdout + done.stderr).splitlines())
        expected = "\n".join(lines)
        shown = shown.strip("\n") + "\n" if shown.strip() else ""
        assert re.fullmatch(pattern(lines, locations), shown), (
            f"$ {command}\n{shown}\n-- expected --\n{expected}"
        )
        assert done.returncode == code, f"$ {command}: {done.returncode}\n{shown}"
