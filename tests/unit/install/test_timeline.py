"""What ran when in an install, from what it reports."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from kits.specs import MakeSpec
from spack.cli.timeline_page import timeline_page
from spack.install.events import (
    Building,
    Fetching,
    InPhase,
    Installed,
    PlanMade,
    Queued,
    Skipped,
)
from spack.install.plan import PlanOptions, make_plan
from spack.install.timeline import Period, Timeline, TimelineEntry, TimelineRecorder, make_timeline
from spack.util.report import Failed, RecordingReporter


def entry(
    name: str, fetch: tuple[float, float], build: tuple[float, float], *requires: str
) -> TimelineEntry:
    periods = (
        Period("fetch", "fetch", *fetch),
        Period("wait", "wait", fetch[1], build[0]),
        Period("build", "install", *build),
    )
    return TimelineEntry(name, f"{name}@1/{name}", "installed", periods, requires)


def small() -> Timeline:
    return make_timeline(
        [
            entry("top", (0, 1), (9, 10), "slow", "quick"),
            entry("slow", (0, 2), (3, 9), "base"),
            entry("quick", (0, 1), (3, 4), "base", "not-built-here"),
            entry("base", (0, 1), (1, 3)),
        ]
    )


def test_each_waited_for_what_was_ready_last() -> None:
    found = {x.hash: x.waited_for for x in small().entries}
    assert found == {"base": None, "slow": "base", "quick": "base", "top": "slow"}
    assert [x.hash for x in small().entries] == ["base", "quick", "slow", "top"]


def test_the_critical_chain_ends_with_the_last() -> None:
    assert small().critical == ("base", "slow", "top")
    assert small().seconds == 10


def test_the_chain_begins_with_what_waited_for_its_own_sources() -> None:
    timeline = make_timeline([entry("base", (0, 1), (1, 2)), entry("top", (0, 5), (5, 6), "base")])
    assert timeline.critical == ("top",)


def test_nothing_ran() -> None:
    assert make_timeline([]) == Timeline((), (), 0.0)
    assert "0 of 0 packages" in timeline_page(make_timeline([]), "nothing")


def test_the_recorder_notes_and_passes_on(spec: MakeSpec) -> None:
    base = spec("base@1")
    root = spec("root@1", base)
    reporter, now = RecordingReporter(), [100.0]
    recorder = TimelineRecorder(reporter, lambda: now[0])
    recorder.report(PlanMade(make_plan([root], frozenset(), PlanOptions())))
    first, second = (recorder.task(x.dag_hash(), x.short) for x in (base, root))
    for second_of, task, event in (
        (0, first, Fetching()),
        (0, second, Fetching()),
        (1, first, Building()),
        (2, second, Queued()),
        (2, first, InPhase("install")),
    ):
        now[0] = 100.0 + second_of
        task.phase(event)
    now[0] = 105.0
    first.finish(Installed.__new__(Installed))
    second.phase(Building())
    now[0] = 106.0
    second.fail(Failed(ValueError()))
    timeline = recorder.timeline()
    assert [x.result for x in timeline.entries] == ["installed", "failed"]
    assert timeline.entries[0].periods == (
        Period("fetch", "fetch", 0, 1),
        Period("build", "build", 1, 2),
        Period("build", "install", 2, 5),
    )
    assert timeline.entries[1].waited_for == base.dag_hash()
    assert timeline.critical == (base.dag_hash(), root.dag_hash())
    assert len(reporter.events) == 9


def test_what_was_skipped_has_no_time(spec: MakeSpec) -> None:
    root = spec("root@1")
    recorder = TimelineRecorder(RecordingReporter(), lambda: 1.0)
    recorder.report(PlanMade(make_plan([root], frozenset(), PlanOptions())))
    recorder.task(root.dag_hash(), root.short).finish(Skipped())
    (only,) = recorder.timeline().entries
    assert (only.result, only.total("build"), only.begin) == ("skipped", 0, only.end)


class _Tags(HTMLParser):
    """Collects start tags, and checks that each is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in ("meta", "line", "rect", "path"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open[-1] == "p" != tag:
            self.open.pop()
        if tag not in ("rect",):
            assert self.open.pop() == tag


def test_the_page_needs_nothing_else() -> None:
    page = timeline_page(small(), "spack install <top>")
    tags = _Tags()
    tags.feed(page)
    assert tags.open == []
    assert not re.search(r"(?:src|href|url\()|https?:", page)
    assert "<h1>spack install &lt;top&gt;</h1>" in page
    rows = {x["id"]: x for tag, x in tags.seen if tag == "g"}
    assert set(rows) == {"base", "quick", "slow", "top"}
    assert rows["top"]["class"] == "row critical" and rows["quick"]["class"] == "row"
    assert rows["top"]["data-requires"] == "slow quick"
    assert sum(x.get("class") == "chain" for _, x in tags.seen) == 2
    assert "<title>slow@1: install, 6.0s</title>" in page
