"""Running programs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from spack.api.executable import (
    CommandNotFoundError,
    Executable,
    MakeExecutable,
    ProcessError,
    ProcessTimeoutError,
    which,
    which_string,
)
from spack.util.environment_modifications import EnvironmentModifications
from spack.util.jobserver import join_pool

SH = Executable("/bin/sh")


def test_output_error_and_both() -> None:
    script = "echo out; echo err >&2"
    assert SH("-c", script, output=str, error=os.devnull) == "out\n"
    assert SH("-c", script, output=str, error=str) == "out\nerr\n"
    assert SH("-c", "true") is None


def test_output_to_files_and_copies(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    SH("-c", "echo out", output=str(tmp_path / "file"))
    assert (tmp_path / "file").read_text() == "out\n"
    SH("-c", "cat", input=str(tmp_path / "file"))
    assert SH("-c", "echo twice", output=str.split) == "twice\n"
    assert capfd.readouterr().out == "out\ntwice\n"


def test_failures_carry_status_and_output() -> None:
    with pytest.raises(ProcessError) as info:
        SH("-c", "echo why; exit 3", output=str)
    assert info.value.facts["status"] == 3
    assert info.value.long_message == "why\n"
    assert "exited with status 3" in info.value.message
    command = SH.copy()
    command("-c", "exit 3", fail_on_error=False)
    assert command.returncode == 3
    SH("-c", "exit 3", ignore_errors=3)
    SH("-c", "exit 3", ignore_errors=[2, 3])


def test_a_missing_program_and_a_slow_one() -> None:
    with pytest.raises(ProcessError, match="No such file"):
        Executable("/none/such")()
    with pytest.raises(ProcessTimeoutError):
        SH("-c", "sleep 20", timeout=0.1)


def test_environment() -> None:
    program = Executable("/usr/bin/env")
    assert program(env={"ONLY": "this"}, output=str) == "ONLY=this\n"
    program.add_default_env("DEFAULT", "yes")
    changes = EnvironmentModifications()
    changes.append_flags("ONLY", "more")
    lines = program(env={"ONLY": "this"}, extra_env=changes, output=str)
    assert lines is not None and set(lines.split("\n")) == {"ONLY=this more", "DEFAULT=yes", ""}


def test_default_arguments_are_not_shared() -> None:
    program = SH.with_default_args("-c")
    assert program("echo a", output=str) == "a\n"
    assert SH.exe == ["/bin/sh"] and program != SH
    assert program.path == "/bin/sh" and program.name == "sh" and program.command == "/bin/sh -c"


def test_quoted_arguments_are_warned_of(capfd: pytest.CaptureFixture[str]) -> None:
    SH("-c", "true", "'quoted'")
    assert "the program sees the quotes" in capfd.readouterr().err
    SH("-c", "true", "'quoted'", ignore_quotes=True)
    assert capfd.readouterr().err == ""


def test_which(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\n")
    assert which("program", path=[str(tmp_path)]) is None
    program.chmod(0o755)
    assert which_string("none", "program", path=str(tmp_path)) == str(program)
    with pytest.raises(CommandNotFoundError, match="none") as info:
        which("none", path=str(tmp_path), required=True)
    assert info.value.hint


@pytest.mark.skipif(sys.platform != "linux", reason="tokens are taken through /proc")
def test_programs_without_a_job_server_take_what_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ninja = MakeExecutable("/bin/echo", jobs=8, supports_jobserver=False)
    with join_pool(tmp_path / "pool", 4) as server:
        monkeypatch.setenv("MAKEFLAGS", server.makeflags)
        assert ninja("all", output=str) == "-j4 all\n"
        with server.some_tokens(2):
            assert ninja("all", output=str) == "-j2 all\n"
        assert ninja("all", output=str, parallel=False) == "-j1 all\n"
        seen = Executable("/bin/ls")("-l", "/proc/self/fd", output=str) or ""
        assert f" {server.reading} -> {tmp_path / 'pool'}" in seen


@pytest.mark.parametrize(
    ("makeflags", "options", "expected"),
    [
        ("", {}, "-j4"),
        ("", {"parallel": False}, "-j1"),
        ("--jobserver-auth=3,4", {}, ""),
    ],
)
def test_make_gets_its_jobs(
    makeflags: str, options: dict[str, bool], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAKEFLAGS", makeflags)
    make = MakeExecutable("/bin/echo", jobs=4)
    assert make("all", output=str, **options) == f"{expected} all\n".lstrip()
    assert make("all", output=str, jobs_env="CTEST_PARALLEL_LEVEL", **options) is not None
