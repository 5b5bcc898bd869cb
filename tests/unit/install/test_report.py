from __future__ import annotations

from spack.install.events import Building, PlanMade, Queued, Removed, WaitingForNode
from spack.install.plan import Plan
from spack.util.lock import Holder
from spack.util.report import (
    Failed,
    Recorded,
    RecordingReporter,
    Reporter,
    SilentReporter,
    Warned,
)


def test_what_was_reported_is_kept_in_order() -> None:
    reporter = RecordingReporter()
    waiting = WaitingForNode("name@1", Holder(7, "here"))
    reporter.report(waiting)
    task = reporter.task("hash", "name")
    task.phase(Building())
    task.progress(1, 2)
    task.finish(Removed())
    task.fail(Failed(ValueError("too late")))
    task.phase(Queued())
    reporter.warning("two")
    assert reporter.events == (
        Recorded("", waiting),
        Recorded("name", Building()),
        Recorded("name", Removed()),
        Recorded("", Warned("two")),
    )


def test_silence() -> None:
    reporter: Reporter = SilentReporter()
    reporter.report(PlanMade(Plan(())))
    reporter.warning("x")
    task = reporter.task("k", "t")
    for said in (
        task.phase(Building()),
        task.progress(0, 0),
        task.finish(Removed()),
        task.fail(Failed(ValueError("x"))),
    ):
        assert said is None
