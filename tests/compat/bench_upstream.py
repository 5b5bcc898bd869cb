"""Time the index over a repository of recipes: ``python bench_upstream.py <checkout>``.

Prints a line for each figure: computing all facts, opening the fresh index, reading one package's
facts and those of sixty.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "lib"))

from spack.repo import RepoPath, Repository  # the path comes first


def timed(title: str, start: float) -> None:
    sys.stdout.write(f"{title:<44}{1000 * (time.perf_counter() - start):10.1f} ms\n")


def main(checkout: str) -> None:
    """Print the figures."""
    repository = Repository.open(Path(checkout))
    with tempfile.TemporaryDirectory() as scratch:
        start = time.perf_counter()
        repo = RepoPath([repository], Path(scratch))
        names = repo.names()
        timed(f"facts of {len(names)} recipes ({len(repo.errors())} with errors)", start)

        start = time.perf_counter()
        repo = RepoPath([repository], Path(scratch))
        repo.indexes()
        timed("open the index, check that it is fresh", start)

        start = time.perf_counter()
        repo.indexes()[0].stale()
        timed("of that the check", start)

        for count in (1, 60):
            start = time.perf_counter()
            for name in names[-count:]:
                recipe = repo.get(name)
                assert recipe is not None and recipe.versions is not recipe.dependencies
            timed(f"facts of {count}", start)


if __name__ == "__main__":
    main(sys.argv[1])
