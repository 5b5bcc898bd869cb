"""Concretize many of upstream's packages, one by one, and check each solution.

``python sweep.py <checkout>/repos/spack_repo/builtin [PATTERN…] [--sample N] [--jobs N]``

Each package is a problem of its own, solved in the configuration of an empty home. The checker is
that of the solver's scenarios (``tests/unit/solver/kit.py``): it knows the recipes' records and
shares no code with the solver. Prints refusals with their reason, what took over two seconds of
processor time, and violations; then the counts. The status is 1 if there was a violation.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

TREE = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TREE / "lib"), str(TREE / "tests" / "unit" / "solver")]

SLOW = 2.0


class Result(NamedTuple):
    """What became of one package; *reason* says why it was refused, or what is violated."""

    name: str
    kind: str
    seconds: float
    reason: str = ""
    rounds: int = 0


def _session() -> Any:
    from spack.cli.progress import make_reporter
    from spack.session import Session
    from spack.session.global_options import GlobalOptions

    home = Path(os.environ["HOME"])
    return Session(
        GlobalOptions(),
        environ={"HOME": str(home), "PATH": os.environ["PATH"]},
        cwd=home,
        home=home,
        make_reporter=lambda: make_reporter(sys.stderr, quiet=True),
    )


def solve(name: str) -> Result:
    """Return the result for one package; runs in a worker process."""
    import kit

    import spack.solver.concretize as solver
    from spack.actions.concretizing import ConcretizeOptions
    from spack.errors import SpackError
    from spack.spec import Spec

    global _SESSION
    _SESSION = _SESSION or _session()
    problems: list[Any] = []
    original = solver.concretize

    def recorded(problem: Any) -> Any:
        problems.append(problem)
        return original(problem)

    solver.concretize = recorded
    start = time.process_time()
    try:
        solution = _SESSION.concretize([Spec.parse(name)], ConcretizeOptions(again=True))
    except SpackError as error:
        lines = (error.long_message or "").splitlines()
        reason = error.message + (f" [{'; '.join(lines[:3])}]" if lines else "")
        return Result(name, "refused", time.process_time() - start, reason)
    finally:
        solver.concretize = original
    seconds = time.process_time() - start
    try:
        kit.check(replace(problems[0], reusable=()), solution.roots)  # the store is empty
    except AssertionError as error:
        return Result(name, "violation", seconds, str(error).splitlines()[0], solution.stats.rounds)
    return Result(name, "solved", seconds, "", solution.stats.rounds)


_SESSION: Any = None


def _names(root: Path, patterns: Sequence[str]) -> Iterator[str]:
    for folder in sorted((root / "packages").iterdir()):
        name = folder.name.lstrip("_").replace("_", "-")
        if (folder / "package.py").is_file() and (
            not patterns or any(fnmatch.fnmatch(name, pattern) for pattern in patterns)
        ):
            yield name


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repository", type=Path)
    parser.add_argument("pattern", nargs="*")
    parser.add_argument("--sample", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--json", type=Path, help="where to write all results")
    args = parser.parse_args()
    names = list(_names(args.repository.resolve(), args.pattern))
    if args.sample and args.sample < len(names):
        names = sorted(random.Random(args.seed).sample(names, args.sample))
    home = Path(tempfile.mkdtemp(prefix="sweep-"))
    (home / ".spack").mkdir()
    (home / ".spack" / "repos.yaml").write_text(f"repos:\n  builtin: {args.repository.resolve()}\n")
    os.environ["HOME"] = str(home)
    results = [solve(names[0])]  # makes the index, once
    with ProcessPoolExecutor(args.jobs) as pool:
        for result in pool.map(solve, names[1:], chunksize=4):
            results.append(result)
            if result.kind != "solved" or result.seconds > SLOW:
                print(f"{result.kind} {result.name} {result.seconds:.1f} s {result.reason[:300]}")
                sys.stdout.flush()
    if args.json:
        args.json.write_text(json.dumps([result._asdict() for result in results]))
    solved = sorted(r.seconds for r in results if r.kind == "solved")
    print(f"{len(results)} packages: {len(solved)} solved,", end=" ")
    print(f"{sum(r.kind == 'refused' for r in results)} refused,", end=" ")
    violations = sum(r.kind == "violation" for r in results)
    print(f"{violations} with violations; over {SLOW:g} s: {sum(s > SLOW for s in solved)}")
    if len(solved) > 1:
        part = statistics.quantiles(solved, n=20)
        print(
            f"seconds: median {statistics.median(solved):.2f}, mean {statistics.mean(solved):.2f}"
        )
        print(f"95 % below {part[18]:.2f}, longest {solved[-1]:.1f};", end=" ")
        print(f"rounds at most {max(r.rounds for r in results)}")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
