"""Nodes of a batch system, as threads of the tests: jobs really run, as processes of this machine.

``sbatch``, ``squeue``, ``scancel`` and ``sinfo`` are programs that leave files in a directory,
which the thread of each node looks at. A node can be killed with all that runs on it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["BatchNodes", "batch_nodes"]

_PROGRAM = """\
#!{python} -IS
import json, os, sys, time
folder = {folder!r}
name = os.path.basename(sys.argv[0])
jobs = os.path.join(folder, "jobs")

def states():
    for file in sorted(os.listdir(jobs), key=lambda x: int(x)):
        yield file, open(os.path.join(jobs, file, "state")).read()

if name == "sbatch":
    options = dict(x[2:].partition("=")[::2] for x in sys.argv[1:-1])
    after = options.get("dependency", ":").split(":")[1:]
    number = 1
    while True:
        try:
            os.mkdir(os.path.join(folder, "new", str(number)))
            break
        except FileExistsError:
            number += 1
    path = os.path.join(folder, "new", str(number))
    data = dict(script=sys.argv[-1], output=options["output"], after=[x for x in after if x],
                environ=dict(os.environ), cwd=os.getcwd(), arguments=sys.argv[1:])
    with open(os.path.join(path, "job.json"), "w") as stream:
        json.dump(data, stream)
    with open(os.path.join(path, "state"), "w") as stream:
        stream.write("PENDING None")
    os.symlink(path, os.path.join(jobs, str(number)))
    print(number)
elif name == "squeue":
    if os.path.exists(os.path.join(folder, "silent")):
        sys.exit(1)
    for number, state in states():
        print(number, state)
elif name == "sinfo":
    for _ in range({nodes}):
        print("1 1")
elif name == "scancel":
    for number in sys.argv[1:]:
        open(os.path.join(jobs, number, "cancelled"), "w").close()
"""


class BatchNodes:
    """A batch system with some nodes.

    :ivar bin: the directory of its programs.
    """

    def __init__(self, folder: Path, nodes: int) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self._stopped = threading.Event()
        self._guard = threading.Lock()
        self._running: dict[str, tuple[str, subprocess.Popen[bytes]]] = {}
        self._dead: set[str] = set()
        for name in ("bin", "jobs", "new"):
            (folder / name).mkdir(parents=True)
        for name in ("sbatch", "squeue", "scancel", "sinfo"):
            text = _PROGRAM.format(python=sys.executable, folder=str(folder), nodes=nodes)
            (self.bin / name).write_text(text)
            (self.bin / name).chmod(0o755)
        self._threads = [
            threading.Thread(target=self._work, args=(f"node{number}",)) for number in range(nodes)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopped.set()
        for number in list(self._running):
            self._kill(number)
        for thread in self._threads:
            thread.join()

    def state(self, number: str) -> str:
        return (self.folder / "jobs" / number / "state").read_text()

    def jobs(self) -> list[str]:
        return sorted((path.name for path in (self.folder / "jobs").iterdir()), key=int)

    def running(self) -> dict[str, str]:
        """Return the nodes of the jobs that run, by job."""
        with self._guard:
            return {number: node for number, (node, _) in self._running.items()}

    def arguments(self, number: str) -> list[str]:
        """Return the words that submitted a job."""
        return list(self._data(number)["arguments"])

    def script(self, number: str) -> str:
        return Path(self._data(number)["script"]).read_text()

    def be_silent(self, silent: bool) -> None:
        """Let ``squeue`` fail, as without a controller."""
        file = self.folder / "silent"
        file.touch() if silent else file.unlink()

    def kill_node(self, node: str) -> list[str]:
        """End a node for good, with all that runs on it; return its jobs."""
        with self._guard:
            self._dead.add(node)
            lost = [number for number, (other, _) in self._running.items() if other == node]
        for number in lost:
            self._set(number, "NODE_FAIL None")
            self._kill(number)
        return lost

    # -- the threads -------------------------------------------------------------------------

    def _work(self, node: str) -> None:
        while not self._stopped.wait(0.05):
            if node in self._dead:
                return
            number = self._take(node)
            if number is not None:
                self._run(number, node)

    def _take(self, node: str) -> str | None:
        """Return a job that may run, marked as running; cancel those that never may."""
        with self._guard:
            for number in self.jobs():
                if not self.state(number).startswith("PENDING"):
                    continue
                if (self.folder / "jobs" / number / "cancelled").exists():
                    self._set(number, "CANCELLED None")
                    continue
                before = {self.state(needed).split()[0] for needed in self._data(number)["after"]}
                if before - {"PENDING", "RUNNING", "COMPLETED"}:
                    self._set(number, "CANCELLED DependencyNeverSatisfied")
                elif before <= {"COMPLETED"}:
                    self._start(number, node)
                    return number
        return None

    def _start(self, number: str, node: str) -> None:
        data = self._data(number)
        with open(data["output"], "wb") as output:
            process = subprocess.Popen(
                ["/bin/sh", data["script"]],
                cwd=data["cwd"],
                env={**data["environ"], "SLURMD_NODENAME": node, "SLURM_JOB_ID": number},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._set(number, "RUNNING None")
        self._running[number] = (node, process)

    def _run(self, number: str, node: str) -> None:
        process = self._running[number][1]
        while process.poll() is None:
            if (self.folder / "jobs" / number / "cancelled").exists():
                os.killpg(process.pid, signal.SIGTERM)
                process.wait()
                self._set(number, "CANCELLED None")
            self._stopped.wait(0.05)
        with self._guard:
            del self._running[number]
            if self.state(number).startswith("RUNNING"):
                self._set(number, "FAILED None" if process.returncode else "COMPLETED None")

    def _kill(self, number: str) -> None:
        process = self._running[number][1]
        # The whole session, and what has made one of its own.
        for pid in _descendants(process.pid):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def _data(self, number: str) -> dict[str, Any]:
        data = json.loads((self.folder / "jobs" / number / "job.json").read_text())
        assert isinstance(data, dict)
        return data

    def _set(self, number: str, state: str) -> None:
        path = self.folder / "jobs" / number / "state"
        staging = path.with_name("state.new")
        staging.write_text(state)
        staging.replace(path)


def _descendants(root: int) -> list[int]:
    """Return *root* and all its descendants, the lowest last."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_bytes().rpartition(b")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(path.parent.name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


@contextmanager
def batch_nodes(folder: Path, nodes: int = 3) -> Iterator[BatchNodes]:
    """Start a batch system."""
    system = BatchNodes(folder, nodes)
    system.start()
    try:
        yield system
    finally:
        system.stop()
