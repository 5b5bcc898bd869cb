"""Whether ``env`` splits its argument, asked of real and of old programs."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from spack.host.launch import splits_env

OLD = """\
#!/bin/sh
case $1 in -*) echo "env: invalid option -- 'S'" >&2; exit 125 ;; esac
exec "$@"
"""


class Runner:
    """Runs programs and counts them."""

    def __init__(self) -> None:
        self.ran: list[Sequence[str]] = []

    def __call__(self, argv: Sequence[str]) -> subprocess.CompletedProcess[Any]:
        self.ran.append(argv)
        return subprocess.run(argv, stderr=subprocess.DEVNULL)


def test_the_systems_own(tmp_path: Path) -> None:
    assert splits_env(Runner(), str(tmp_path / "cache"))


@pytest.mark.parametrize("there", [True, False], ids=["refuses -S", "missing"])
def test_one_that_cannot(tmp_path: Path, there: bool) -> None:
    env = tmp_path / "env"
    if there:
        env.write_text(OLD)
        env.chmod(0o755)
    assert not splits_env(Runner(), str(tmp_path / "cache"), str(env))


def test_it_is_asked_once(tmp_path: Path) -> None:
    env = tmp_path / "env"
    env.write_text(OLD)
    env.chmod(0o755)
    run = Runner()
    assert [splits_env(run, str(tmp_path / "cache"), str(env)) for _ in range(3)] == [False] * 3
    assert len(run.ran) == 1
    env.write_text('#!/bin/sh\n[ "$1" != -S ] || exec sh -c "$2"\n')
    assert splits_env(run, str(tmp_path / "cache"), str(env)) and len(run.ran) == 2
    (tmp_path / "file").write_text("")
    assert splits_env(run, str(tmp_path / "file"), str(env))
