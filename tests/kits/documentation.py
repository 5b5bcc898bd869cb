"""The documentation as Sphinx builds it.

::

    .venv-dev/bin/python tests/kits/documentation.py html DIRECTORY
    .venv-dev/bin/python tests/kits/documentation.py man DIRECTORY
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

__all__ = ["build_pages"]

ROOT = Path(__file__).resolve().parents[2]


def build_pages(builder: str, target: Path, parsed: Path) -> str:
    """Build the pages; return what Sphinx says, and nothing if there is nothing to say.

    :param builder: ``html`` or ``man``.
    :param parsed: a directory for the parsed pages, which further builds use again.
    """
    options = ["-q", "-b", builder, "-c", str(ROOT / "docs"), "-d", str(parsed)]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *options, str(ROOT), str(target)],
        capture_output=True,
        text=True,
    )
    text = done.stdout + done.stderr
    return text or (f"status {done.returncode}" if done.returncode else "")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as trees:
        said = build_pages(sys.argv[1], Path(sys.argv[2]), Path(trees))
    print(said, end="")
    sys.exit(1 if said else 0)
