"""A registry of container images that runs on the loopback: Debian's ``docker-registry``."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["REGISTRY", "run_registry"]

#: The program, or None.
REGISTRY = shutil.which("docker-registry")


@contextmanager
def run_registry(folder: Path) -> Iterator[str]:
    """Run a registry that keeps its files in *folder*; gives its host and port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder.mkdir()
    config = folder / "config.yml"
    config.write_text(
        "version: 0.1\n"
        f"storage: {{filesystem: {{rootdirectory: {folder}/data}}, delete: {{enabled: true}}}}\n"
        f"http: {{addr: '127.0.0.1:{port}'}}\nlog: {{level: error}}\n"
    )
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(
            [str(REGISTRY), "serve", str(config)], stdout=log, stderr=log, env={}
        )
        try:
            _wait(port, process)
            yield f"127.0.0.1:{port}"
        finally:
            process.kill()
            process.wait()


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        assert process.poll() is None, "docker-registry has ended"
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/v2/", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("docker-registry does not answer")
