"""Slurm with three nodes on this machine, of one core each; for root, where it is installed."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

__all__ = ["NODES", "SlurmCluster", "slurm_cluster"]

NODES = ("n1", "n2", "n3")

_PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "sinfo")

#: Daemons are where users do not look for programs.
_PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"

#: Seconds in which the nodes must answer; a loaded machine takes some.
_START = 60.0

_CONFIGURATION = """\
ClusterName=test
SlurmctldHost=localhost
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmctldPort={port}
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmdSpoolDir={folder}/spool-%n
StateSaveLocation={folder}/state
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
ReturnToService=2
KillWait=5
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=1,batch_sched_delay=0
MpiDefault=none
{nodes}
PartitionName=all Nodes=n1,n2,n3 Default=YES MaxTime=INFINITE State=UP
"""


class SlurmCluster:
    """A running cluster.

    :ivar environ: variables that its commands need.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {"SLURM_CONF": str(folder / "slurm.conf")}
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, *words: str) -> None:
        with open(self.folder / f"{name}.out", "wb") as output:
            program = shutil.which(words[0], path=_PATH) or words[0]
            self._daemons[name] = subprocess.Popen(
                [program, *words[1:]],
                env={**os.environ, **self.environ, "PATH": _PATH},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def run(self, *words: str) -> str:
        done = subprocess.run(
            words,
            env={**os.environ, **self.environ, "PATH": _PATH},
            capture_output=True,
            text=True,
        )
        return done.stdout

    def runs_jobs(self) -> bool:
        """Return whether a job that does nothing succeeds; in some containers none does."""
        words = ["sbatch", "--wait", "--wrap=true", f"--output={self.folder}/trial.out"]
        try:
            done = subprocess.run(
                words,
                env={**os.environ, **self.environ, "PATH": _PATH},
                cwd=self.folder,
                capture_output=True,
                timeout=_START,
            )
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0

    def kill_node(self, node: str) -> None:
        """End a node with all that runs on it, as if its power were cut."""
        jobs = self.run("squeue", "--noheader", f"--nodelist={node}", "--format=%i").split()
        self._end(node, signal.SIGKILL)
        for entry in Path("/proc").glob("[0-9]*/environ"):
            try:
                variables = entry.read_bytes().split(b"\0")
            except OSError:
                continue
            if any(f"SLURM_JOB_ID={job}".encode() in variables for job in jobs):
                _kill(int(entry.parent.name))
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if any(words.startswith(f"slurmstepd: [{job}.") for job in jobs):
                _kill(int(entry.parent.name))

        # Otherwise the controller finds out after SlurmdTimeout.
        self.run("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=killed")

    def stop(self) -> None:
        for name in reversed(list(self._daemons)):
            self._end(name, signal.SIGTERM)

    def _end(self, name: str, number: signal.Signals) -> None:
        process = self._daemons.pop(name)
        process.send_signal(number)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@contextmanager
def slurm_cluster(folder: Path) -> Iterator[SlurmCluster]:
    """Start a cluster; skip the test where there can be none."""
    missing = [name for name in _PROGRAMS if shutil.which(name, path=_PATH) is None]
    if missing or os.getuid() != 0:
        pytest.skip(f"Slurm is missing: {', '.join(missing) or 'root'}")
    port, *ports = _free_ports(1 + len(NODES))
    (folder / "state").mkdir(parents=True)
    rows = (
        f"NodeName={name} NodeHostname=localhost NodeAddr=127.0.0.1 Port={number} CPUs=1"
        for name, number in zip(NODES, ports)
    )
    text = _CONFIGURATION.format(folder=folder, port=port, nodes="\n".join(rows))
    (folder / "slurm.conf").write_text(text)
    key = folder / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    folder.chmod(0o755)
    cluster = SlurmCluster(folder)
    files = {"key-file": key, "log-file": folder / "munged.log", "pid-file": folder / "munged.pid"}
    options = [f"--{name}={path}" for name, path in files.items()]
    socket_ = ["-S", str(folder / "munge.sock"), f"--seed-file={folder / 'munge.seed'}"]
    try:
        cluster.start("munged", "munged", "--force", "-F", *socket_, *options)
        cluster.start("slurmctld", "slurmctld", "-D")
        for name in NODES:
            (folder / f"spool-{name}").mkdir()
            cluster.start(name, "slurmd", "-D", "-N", name)
        deadline = time.monotonic() + _START
        while cluster.run("sinfo", "--noheader", "--Node", "--format=%t").split() != ["idle"] * 3:
            if time.monotonic() > deadline:
                pytest.skip(f"Slurm does not start here: {cluster.run('sinfo')}")
            time.sleep(0.2)
        if not cluster.runs_jobs():
            pytest.skip("Slurm runs no jobs here: this machine does not let it")
        yield cluster
    finally:
        cluster.stop()
