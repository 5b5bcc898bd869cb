#!/usr/bin/env python3
"""A stack of a thousand packages whose builds sleep: wall time beside the bound, and the overhead.

    tests/bench/scale/run_stack.py [--workers 1,4,16,64] [--scale 1.0] [--count 1000] [--dir DIR]

The graph is that of ``shape.json``: what some sixty upstream recipes need, as solved here, with a
build time for each package (lognormal, by a fixed seed: most take little, some take a hundred times
as much). All of the tool's own work is done: plan, locks, markers, checks, records, database. The
bound is the greater of the longest chain and of all work divided by the workers; no order of builds
is faster. "own ms" is the processor time of the tool for each package.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Callable

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "lib"))

from spack.errors import InstallError  # noqa: E402
from spack.install.execute import Schedule, execute  # noqa: E402
from spack.install.interfaces import BuildOutput, BuildRequest, InstallerDependencies  # noqa: E402
from spack.install.plan import Step, make_plan  # noqa: E402
from spack.spec import ConcreteSpec, Edge, Version  # noqa: E402
from spack.store import Layout, Store  # noqa: E402
from spack.util.filesystem import remove_tree  # noqa: E402
from spack.util.report import RecordingReporter, Task  # noqa: E402

#: Median and width of the logarithm of build times, in seconds before --scale.
MEDIAN, WIDTH = 0.02, 1.2


def shaped(count: int) -> list[ConcreteSpec]:
    """Return the nodes of the stack, dependencies first."""
    rows = json.loads((HERE / "shape.json").read_text(encoding="utf-8"))[:count]
    nodes: list[ConcreteSpec] = []
    for number, (build, run) in enumerate(rows):
        edges = [Edge(nodes[below], ("build",)) for below in build]
        edges += [Edge(nodes[below], ("link", "run")) for below in run]
        nodes.append(
            ConcreteSpec(
                f"package-{number}", "bench", Version("1.0"), platform="linux", os="debian12",
                target="x86_64", edges=edges, package_hash="0" * 52,
            )
        )  # fmt: skip
    return nodes


def times_of(nodes: list[ConcreteSpec], scale: float) -> dict[str, float]:
    chance = random.Random(14)
    return {node.name: scale * MEDIAN * chance.lognormvariate(0, WIDTH) for node in nodes}


def bound(nodes: list[ConcreteSpec], times: dict[str, float], workers: int) -> float:
    """Return the least possible wall time."""
    ends: dict[str, float] = {}
    for node in nodes:
        below = max((ends[edge.spec.name] for edge in node.edges), default=0.0)
        ends[node.name] = below + times[node.name]
    return max(*ends.values(), sum(times.values()) / workers)


class Stage:
    def __init__(self, path: Path) -> None:
        self.path = path

    def destroy(self) -> None:
        remove_tree(self.path)


class Stages:
    def __init__(self, root: Path) -> None:
        self._root = root

    def stage(self, step: Step, task: Task, cancelled: Callable[[], bool]) -> Stage:
        path = self._root / step.hash
        path.mkdir(parents=True)
        return Stage(path)


class Sleeper:
    """Builds that sleep and leave one file; each is counted."""

    def __init__(self, times: dict[str, float], leader: int) -> None:
        self._times = times
        self._leader = leader
        self.built: list[str] = []

    def build(
        self,
        order: BuildRequest,
        task: Task,
        cancelled: threading.Event,
        started: Callable[[int], None],
    ) -> BuildOutput:
        started(self._leader)
        self.built.append(order.spec.name)
        order.environment.write_text("")
        order.log.write_text("")
        if cancelled.wait(self._times[order.spec.name]):
            raise InstallError("cancelled")
        (order.prefix / "file").write_text(order.spec.name)
        return BuildOutput()


def measure(root: Path, nodes: list[ConcreteSpec], times: dict[str, float], workers: int) -> str:
    store = Store(Layout(root / "store"))
    leader = subprocess.Popen(["sleep", "3600"], start_new_session=True)
    sleeper = Sleeper(times, leader.pid)
    services: Any = InstallerDependencies(
        store, Stages(root / "stages"), sleeper, RecordingReporter()
    )
    needed = {edge.spec.name for node in nodes for edge in node.edges}
    roots = [node for node in nodes if node.name not in needed]
    begin, cpu = time.perf_counter(), time.process_time()
    report = execute(make_plan(roots, frozenset()), services, Schedule(workers, jobs=workers))
    wall, cpu = time.perf_counter() - begin, time.process_time() - cpu
    store.close()
    leader.kill()
    leader.wait()
    report.raise_failures()
    assert sorted(sleeper.built) == sorted(node.name for node in nodes), "one build each"
    least = bound(nodes, times, workers)
    own = 1000 * cpu / len(nodes)
    return f"{workers:>8}{wall:>10.2f}{least:>10.2f}{wall / least:>8.2f}{own:>9.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--workers", default="1,4,16,64")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--dir", help="where to work (default: the temporary directory)")
    args = parser.parse_args()
    nodes = shaped(args.count)
    times = times_of(nodes, args.scale)
    work, chain = sum(times.values()), bound(nodes, times, 10**9)
    print(f"{len(nodes)} packages, {work:.1f} s of work, longest chain {chain:.1f} s")
    print(f"{'workers':>8}{'wall':>10}{'bound':>10}{'ratio':>8}{'own ms':>9}   goals: 1.25, 5")
    for workers in map(int, args.workers.split(",")):
        folder = Path(tempfile.mkdtemp(prefix="spack-bench-stack-", dir=args.dir))
        try:
            print(measure(folder, nodes, times, workers), flush=True)
        finally:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
