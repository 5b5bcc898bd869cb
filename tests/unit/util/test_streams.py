"""Standard streams that are closed, full or unread."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

LIB = str(Path(__file__).parents[3] / "lib")


def run(code: str, shell: str) -> subprocess.CompletedProcess[str]:
    program = f"import sys; sys.path.insert(0, {LIB!r})\nfrom spack.util import streams\n{code}"
    return subprocess.run(
        ["sh", "-c", f'"$0" -I -c "$1" {shell}', sys.executable, program],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_no_file_gets_the_number_of_a_closed_stream(closed: str) -> None:
    done = run(
        "streams.open_missing()\n"
        "import os\n"
        "print('out'); print('err', file=sys.stderr); sys.stdin\n"
        "number = os.open(os.devnull, os.O_RDONLY)\n"
        "sys.stdout.flush()\n"
        "sys.exit(0 if number > 2 and None not in (sys.stdin, sys.stdout, sys.stderr) else 1)",
        closed,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no full device")
def test_a_full_output_is_reported_once_and_quiet_at_the_end() -> None:
    done = run(
        "print('text')\n"
        "lost = streams.flush_output()\n"
        "streams.abandon_output()\n"
        "print(lost.strerror, file=sys.stderr)",
        ">/dev/full",
    )
    assert done.returncode == 0
    assert done.stderr == "No space left on device\n"


def test_output_that_is_written_is_no_error() -> None:
    done = run("print('text')\nassert streams.flush_output() is None", "")
    assert (done.returncode, done.stdout) == (0, "text\n")


def test_the_end_of_a_process_flushes_and_runs_exit_handlers() -> None:
    done = run(
        "import atexit\n"
        "atexit.register(print, 'handler')\n"
        "class Slow:\n"
        "    def __del__(self): print('freed')\n"
        "kept = Slow()\n"
        "print('out'); print('err', end='', file=sys.stderr)\n"
        "streams.end_process(3)",
        "",
    )
    assert (done.returncode, done.stdout, done.stderr) == (3, "out\nhandler\n", "err")


def test_the_end_of_a_process_waits_for_its_threads() -> None:
    done = run(
        "import threading, time\n"
        "def work():\n"
        "    time.sleep(0.2); print('done')\n"
        "threading.Thread(target=work).start()\n"
        "streams.end_process(0)",
        "",
    )
    assert (done.returncode, done.stdout) == (0, "done\n")
