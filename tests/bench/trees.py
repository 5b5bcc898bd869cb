"""Builds Python packages with both builders and says where the trees differ, and the times.

    python3 tests/bench/trees.py py-click py-attrs@23
    python3 tests/bench/trees.py --repo path/to/builtin --file names.txt

Every package is installed twice, ``build_system=python_wheel`` and ``build_system=python_pip``,
into an install tree of its own (``--root``, kept when it is named). A row says the seconds of the
builds alone, what differs, or why there was nothing to compare: recipes that need pip have one
builder.

:mod:`kits.trees` says what always differs and is left out.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kits.language import ROOT
from kits.trees import BUILDERS, differences, tree


class Tree:
    """An install tree, and the command that builds into it."""

    def __init__(self, root: Path, repositories: list[Path]) -> None:
        self.root = root
        home = root / "home"
        (home / ".spack").mkdir(parents=True, exist_ok=True)
        (home / ".spack" / "config.yaml").write_text(
            f"config:\n  install_tree: {{root: {root / 'store'}}}\n"
            f"  build_stage: [{root / 'stages'}]\n"
        )
        rows = "".join(f"  repo{number}: {path}\n" for number, path in enumerate(repositories))
        (home / ".spack" / "repos.yaml").write_text(f"repos:\n{rows}" if rows else "repos: {}\n")
        self.environ = {**os.environ, "HOME": str(home)}

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """``spack`` with these words."""
        return subprocess.run(
            [str(ROOT / "bin" / "spack"), *words],
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )

    def install(self, spec: str) -> tuple[Path | None, float, str]:
        """Prefix, seconds of the package's own build, and the error if there is one."""
        done = self.run("install", spec)
        if done.returncode:
            lines = [line for line in done.stderr.splitlines() if line.strip()]
            told = [line for line in lines if "Error" in line or "hint" in line]
            return None, 0.0, " | ".join((told or lines)[-3:])[:300]
        prefix = Path(self.run("location", "-i", spec).stdout.strip())
        return prefix, self._seconds(prefix), ""

    @staticmethod
    def _seconds(prefix: Path) -> float:
        import json

        data = json.loads((prefix / ".spack" / "install_record.json").read_text())
        return sum(data.get("facts", {}).get("phases", {}).values())


def compare(tree_of: Tree, spec: str) -> bool:
    """Build both, and print a row; False if something differs that nothing has explained."""
    found = [tree_of.install(f"{spec} build_system={builder}") for builder in BUILDERS]
    prefixes = [prefix for prefix, _, _ in found]
    if None in prefixes:
        errors = [f"{b}: {error}" for b, (p, _, error) in zip(BUILDERS, found) if p is None]
        print(f"{spec:32} not compared  {'; '.join(errors)}", flush=True)
        return True
    trees = [tree(prefix, tree_of.root) for prefix in prefixes if prefix is not None]
    wrong = differences(*trees)
    times = f"wheel {found[0][1]:6.2f} s  pip {found[1][1]:6.2f} s"
    word = f"DIFFERENT: {', '.join(wrong[:6])}" if wrong else f"same, {len(trees[0])} entries"
    print(f"{spec:32} {times}  {word}", flush=True)
    return not wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repo", action="append", default=[], type=Path, help="more recipes")
    parser.add_argument("--root", type=Path, help="where everything goes, and stays")
    parser.add_argument("--file", type=Path, help="specs, one a line")
    parser.add_argument("spec", nargs="*")
    args = parser.parse_args()
    specs = [*args.spec]
    if args.file:
        specs += [line.split("#")[0].strip() for line in args.file.read_text().splitlines()]
    root = args.root or Path(tempfile.mkdtemp(prefix="trees-"))
    tree_of = Tree(root, [path.resolve() for path in args.repo])
    try:
        results = [compare(tree_of, spec) for spec in specs if spec]
    finally:
        if args.root is None:
            shutil.rmtree(root, ignore_errors=True)
    print(f"{len(results)} packages, {results.count(False)} with differences")
    return 1 if False in results else 0


if __name__ == "__main__":
    sys.exit(main())
