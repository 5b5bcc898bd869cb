"""Builds in real worker processes: generic recipes, their errors, and their end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from spack.build import worker_process
from spack.build.job import PatchFile, write
from spack.spec import ConcreteSpec

GENERIC = {"build_system": "generic"}


def hello(workspace: Any, body: str, name: str = "hello") -> ConcreteSpec:
    """Return a generic package with *body* as the body of its class."""
    workspace.recipe(
        name,
        f"""
from spack_repo.builtin.build_systems.generic import Package

class {name.title().replace("-", "")}(Package):
    version("1.0")
    def url_for_version(self, version): return "file:///none"
{body}
""",
    )
    return workspace.node(name, "1.0", variants=GENERIC)


@pytest.mark.parametrize("background", [False, True])
def test_builds_in_the_background_are_nice(workspace: Any, background: bool) -> None:
    spec = hello(
        workspace,
        """
    def install(self, spec, prefix):
        import os
        mkdirp(prefix)
        with open(prefix.nice, "w") as stream:
            stream.write(str(os.nice(0)))
""",
    )
    prefix = workspace.install(spec, workspace.source("hello", a="a"), background=background)
    assert (int((prefix / "nice").read_text()) > os.nice(0)) is background


def test_a_generic_recipe_installs_and_reports_its_phases(workspace: Any) -> None:
    spec = hello(
        workspace,
        """
    def install(self, spec, prefix):
        mkdirp(prefix.bin)
        install("hello.sh", prefix.bin.hello)

    def setup_run_environment(self, env):
        env.set("HELLO", self.prefix)
""",
    )
    events: list[Any] = []
    job = workspace.job(spec, workspace.source("hello", hello_dot_sh="echo hello\n"))
    result = workspace.run(job, on_event=events.append)
    assert result.ok, result.failure
    assert (workspace.prefix(spec) / "bin" / "hello").read_text() == "echo hello\n"
    assert [x.name for x in events] == ["patch", "install", "finish"]
    assert [x.name for x in result.phases] == ["patch", "install"]
    assert [(x["name"], x["value"]) for x in result.run_environment] == [
        ("HELLO", str(workspace.prefix(spec)))
    ]


def test_patches_come_before_the_patch_method(workspace: Any) -> None:
    spec = hello(
        workspace,
        """
    def patch(self):
        filter_file("two", "three", "text", string=True)

    def install(self, spec, prefix):
        mkdirp(prefix)
        install("text", prefix)
""",
    )
    source = workspace.source("hello", text="one\n")
    patch = workspace.tmp / "one.patch"
    patch.write_text("--- a/text\n+++ b/text\n@@ -1 +1 @@\n-one\n+two\n")
    assert workspace.build(spec, source, patches=(PatchFile(str(patch)),)).ok
    assert (workspace.prefix(spec) / "text").read_text() == "three\n"


def test_a_patch_that_does_not_apply_is_named(workspace: Any) -> None:
    spec = hello(workspace, "    def install(self, spec, prefix): pass")
    patch = workspace.tmp / "wrong.patch"
    patch.write_text("--- a/text\n+++ b/text\n@@ -1 +1 @@\n-missing\n+two\n")
    source = workspace.source("hello", text="one\n")
    result = workspace.build(spec, source, patches=(PatchFile(str(patch)),))
    assert not result.ok
    assert "wrong.patch cannot be applied: hunk 1 of 1" in result.failure.message
    assert result.failure.phase == "patch"


def test_a_python_error_in_a_recipe_shows_its_file_and_line(workspace: Any) -> None:
    spec = hello(workspace, "    def install(self, spec, prefix):\n        undefined_name(prefix)")
    failure = workspace.build(spec, workspace.source("hello", text="")).failure
    assert failure.kind == "NameError"
    file, _, line = failure.recipe.rpartition(":")
    assert Path(file).read_text().splitlines()[int(line) - 1].strip() == "undefined_name(prefix)"
    assert failure.excerpt == ("        undefined_name(prefix)",)
    error = failure.as_error("hello@1.0", "/log")
    assert "hello@1.0 failed in phase 'install': NameError" in error.message
    assert failure.recipe in str(error.long_message)


def test_a_recipe_that_does_not_load_is_an_error_with_its_line(workspace: Any) -> None:
    spec = hello(workspace, "    def install(self, spec, prefix)\n        pass")
    failure = workspace.build(spec).failure
    assert failure.kind == "RecipeError"
    assert "package.py:8: SyntaxError" in failure.message


def test_a_failing_program_shows_its_own_error(workspace: Any) -> None:
    spec = hello(
        workspace,
        """
    def install(self, spec, prefix):
        Executable("sh")("-c", "echo working; echo 'x.c:3:1: error: no such thing' >&2; exit 3")
""",
    )
    failure = workspace.build(spec, workspace.source("hello", text="")).failure
    assert failure.kind == "ProcessError"
    assert "status 3" in failure.message
    assert "x.c:3:1: error: no such thing" in failure.excerpt
    assert failure.recipe is not None


def test_an_install_that_leaves_nothing_is_an_error(workspace: Any) -> None:
    spec = hello(workspace, "    def install(self, spec, prefix): pass")
    failure = workspace.build(spec, workspace.source("hello", text="")).failure
    assert "installed nothing" in failure.message


def test_a_tool_that_is_not_declared_names_the_missing_dependency(workspace: Any) -> None:
    spec = hello(workspace, "    def install(self, spec, prefix): make()")
    failure = workspace.build(spec, workspace.source("hello", text="")).failure
    assert "make is used without a declared dependency" in failure.message
    assert 'depends_on("gmake", type="build")' in failure.hint


def test_the_environment_of_a_build_is_clean(workspace: Any, tmp_path: Path) -> None:
    spec = hello(
        workspace,
        """
    def install(self, spec, prefix):
        mkdirp(prefix)
        Executable("env")(output=str(prefix.join("env.txt")))
""",
    )
    poison = {"PIP_TARGET": "/x", "PYTHONPATH": "/x", "CFLAGS": "-bad", "HOME": "/x", "USER": "me"}
    job = workspace.job(spec, workspace.source("hello", text=""))
    assert workspace.run(job, host=poison).ok
    lines = dict(
        line.partition("=")[::2]
        for line in (workspace.prefix(spec) / "env.txt").read_text().splitlines()
    )
    assert not {"PIP_TARGET", "PYTHONPATH", "CFLAGS"} & set(lines)
    assert lines["HOME"].startswith(job.stage_path)
    assert lines["USER"] == "spack"


def test_a_cancelled_build_ends_with_all_its_children(workspace: Any) -> None:
    spec = hello(
        workspace,
        """
    def install(self, spec, prefix):
        Executable("sh")("-c", "echo $$ > child.pid; sleep 60; true")
""",
    )
    source = workspace.source("hello", text="")
    cancelled = threading.Event()
    child = source / "child.pid"

    def cancel_when_running() -> None:
        while not child.exists() or not child.read_text():
            time.sleep(0.02)
        cancelled.set()

    threading.Thread(target=cancel_when_running).start()
    with pytest.raises(worker_process.Cancelled):
        workspace.run(workspace.job(spec, source), cancelled=cancelled)
    _wait_until_gone(int(child.read_text()))


def test_a_build_ends_when_its_parent_is_killed(workspace: Any) -> None:
    spec = hello(
        workspace,
        """
    def install(self, spec, prefix):
        Executable("sh")("-c", "echo $$ > child.pid; sleep 60; true")
""",
    )
    source = workspace.source("hello", text="")
    job = workspace.job(spec, source)
    job_file = workspace.tmp / "job.json"
    write(str(job_file), job)
    program = (
        "import sys; sys.path[:0] = sys.argv[2:]\n"
        "from spack.build import job, worker_process\n"
        "from spack.build.clean_environment import clean_environment\n"
        "j = job.read(sys.argv[1], job.BuildJob)\n"
        "worker_process.run(j, clean_environment({}, j.stage_path))\n"
    )
    library = str(workspace.root / "lib")
    parent = subprocess.Popen([sys.executable, "-c", program, str(job_file), library])
    child = source / "child.pid"
    while not child.exists() or not child.read_text():
        assert parent.poll() is None
        time.sleep(0.02)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    _wait_until_gone(int(child.read_text()))


def _wait_until_gone(pid: int) -> None:
    for _ in range(200):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        if state == "Z":  # dead; nothing has asked for its status
            return
        time.sleep(0.02)
    pytest.fail(f"process {pid} is still there")


def test_a_worker_that_dies_is_a_failure_not_a_crash(workspace: Any) -> None:
    body = "    def install(self, spec, prefix):\n        import os; os.kill(os.getpid(), 9)"
    spec = hello(workspace, body)
    failure = workspace.build(spec, workspace.source("hello", text="")).failure
    assert failure.message == "killed by SIGKILL"
    assert "memory" in failure.hint


def test_a_worker_that_dies_without_a_name_or_a_log_is_an_error(workspace: Any) -> None:
    spec = hello(
        workspace,
        """
    def install(self, spec, prefix):
        import os, signal
        os.unlink(os.path.join(self.stage.path, "spack-build-out.txt"))
        os.kill(os.getpid(), signal.SIGRTMIN + 1)
""",
    )
    failure = workspace.build(spec, workspace.source("hello", text="")).failure
    assert failure.message.startswith("killed by signal ")
    assert failure.excerpt == ()


def test_the_environment_task_reports_the_variables_without_building(workspace: Any) -> None:
    spec = hello(
        workspace,
        """
    def setup_build_environment(self, env): env.set("GIVEN", "by the recipe")
    def install(self, spec, prefix): raise AssertionError
""",
    )
    result = workspace.build(spec, workspace.source("hello", text=""), task="environment")
    assert result.ok and result.environment["GIVEN"] == "by the recipe"
