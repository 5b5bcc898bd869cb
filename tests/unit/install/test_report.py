from __future__ import annotations

from spack.util.report import RecordingReporter, Reporter, SilentReporter


def test_what_was_said_is_kept_in_order():
    reporter = RecordingReporter()
    reporter.info("one")
    task = reporter.task("hash", "name")
    task.phase("build")
    task.progress(1, 2)
    task.finish("done")
    task.fail("too late")
    task.phase("too late")
    reporter.warning("two")
    assert reporter.events == (
        ("", "info", "one"),
        ("name", "start", "hash"),
        ("name", "phase", "build"),
        ("name", "finish", "done"),
        ("", "warning", "two"),
    )


def test_silence():
    reporter: Reporter = SilentReporter()
    reporter.info("x")
    reporter.warning("x")
    task = reporter.task("k", "t")
    for said in (task.phase("p"), task.progress(0, 0), task.finish(), task.fail("x")):
        assert said is None
