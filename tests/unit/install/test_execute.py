from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kits.installs import MakeServices, Shell
from kits.specs import MakeSpec
from spack.errors import FetchError, InstallError
from spack.install import events
from spack.install.check import PythonPaths
from spack.install.execute import Schedule, execute
from spack.install.interfaces import InstallerDependencies
from spack.install.plan import PlanOptions, make_plan
from spack.spec import ConcreteSpec
from spack.store import InstallRecord, Layout, Manifest, Metadata, Store
from spack.util.report import RecordingReporter, Warned

PLAIN = PlanOptions()


def install(
    services: InstallerDependencies,
    *roots: ConcreteSpec,
    options: Any = PLAIN,
    **schedule: Any,
) -> Any:
    plan = make_plan(roots, services.store.database.installed_hashes(), options)
    return execute(plan, services, Schedule(**schedule))


def records(reporter: RecordingReporter) -> Any:
    return [(entry.title, entry.event) for entry in reporter.events]


def names(steps: Any) -> Any:
    return [step.spec.name for step in steps]


def test_one_package_with_all_that_is_known_of_it(
    spec: MakeSpec,
    services: MakeServices,
    store: Store,
    tmp_path: Path,
    reporter: RecordingReporter,
) -> None:
    recipe = tmp_path / "packages" / "tool"
    (recipe / "__pycache__").mkdir(parents=True)
    (recipe / "package.py").write_text("class Tool: pass\n")
    (recipe / "fix.patch").write_text("")
    (recipe / "__pycache__" / "x.pyc").write_text("")
    node = spec("tool@2", spec("low"))
    base = services(tool='echo building; cp "$DEP_low/bin/low" "$PREFIX/"')
    full = InstallerDependencies(
        base.store, base.sources, base.builder, reporter, recipe=lambda s: recipe
    )
    report = install(full, node)
    report.raise_failures()
    assert names(report.installed) == ["low", "tool"]
    prefix = store.layout.prefix(node)
    assert prefix.name == f"tool-2-{node.dag_hash()}" and prefix.parent.name == "linux-x86_64"
    metadata = Metadata(prefix)
    assert metadata.build_log.read_text() == "building\n"
    assert f"PREFIX={prefix}" in metadata.build_environment.read_text()
    copied = metadata.recipe("test", "tool")
    assert sorted(p.name for p in copied.iterdir()) == ["fix.patch", "package.py"]
    assert list(Manifest.load(metadata.manifest).files) == ["low"]
    nodes = json.loads(metadata.spec.read_text())["spec"]["nodes"]
    assert [row["hash"] for row in nodes] == [node.dag_hash(), node["low"].dag_hash()]
    record = store.database.record(node.dag_hash())
    assert record.explicit and record.prefix == str(prefix) and record.installed_at == 1000
    (change,) = record.run_environment
    assert (change["name"], change["value"]) == ("PATH", f"{prefix}/bin")
    assert not store.database.records(name="low")[0].explicit
    assert store.log(node) == metadata.build_log
    assert list(store.layout.pending.iterdir()) == []
    assert list((tmp_path / "stages").iterdir()) == []
    phases = [event for title, event in records(reporter) if title.startswith("tool")]
    assert phases == [
        events.Fetching(),
        events.Queued(),
        events.Building(),
        events.InPhase("install"),
        events.Checking(),
        events.Installed(prefix),
    ]


def test_nothing_to_do_writes_nothing(spec: MakeSpec, services: MakeServices, store: Store) -> None:
    node = spec("a", spec("python", external="/usr"))
    install(services(), node)
    store.close()
    before = store.layout.database.stat().st_mtime_ns
    fetched = services()
    report = install(fetched, node)
    assert report.installed == () and fetched.sources.fetched == []
    assert store.layout.database.stat().st_mtime_ns == before


def test_externals_are_recorded(spec: MakeSpec, services: MakeServices, store: Store) -> None:
    python = spec("python@3.11", external="/usr")
    install(services(), spec("a", (python, ("run",))))
    record = store.database.record(python.dag_hash())
    assert record.external and record.prefix == "/usr" and not record.explicit
    install(services(), python)
    assert store.database.record(python.dag_hash()).explicit
    assert record is not None and store.log(record) is None


def test_an_implicit_package_becomes_explicit(
    spec: MakeSpec, services: MakeServices, store: Store
) -> None:
    low = spec("low")
    install(services(), spec("top", low))
    assert not store.database.record(low.dag_hash()).explicit
    install(services(), low)
    record = store.database.record(low.dag_hash())
    assert record.explicit
    text = Metadata(Path(record.prefix)).record.read_text()
    assert json.loads(text)["explicit"] is True


def test_a_failure_stays_with_what_needs_it(
    spec: MakeSpec,
    services: MakeServices,
    store: Store,
    contents: Callable[[Path], list[str]],
    tmp_path: Path,
) -> None:
    bad = spec("bad")
    above = spec("above", bad)
    good = spec("good")
    top = spec("top", above, good)
    broken = services(bad='mkdir "$PREFIX/bin"; echo "the reason" >&2; exit 3')
    report = install(broken, top)
    assert names(report.installed) == ["good"]
    assert [f.step.spec.name for f in report.failures] == ["bad"]
    assert sorted(names(report.skipped)) == ["above", "top"]
    with pytest.raises(InstallError) as caught:
        report.raise_failures()
    error = caught.value
    assert error.message == f"{bad.short} could not be installed"
    assert "above@1.0/" in error.long_message and "top@1.0/" in error.long_message
    assert str(error.causes[0]) == "the reason"
    log = store.log(bad)
    assert log.read_text() == "the reason\n" and str(log) in error.facts["logs"]
    assert not any("bad-" in path for path in contents(store.root))
    assert (tmp_path / "stages" / bad.dag_hash()).exists(), "the stage of a failure stays"
    again = services()
    report = install(again, top)
    assert sorted(names(report.installed)) == ["above", "bad", "top"]
    assert "good" not in again.sources.fetched


def test_a_failed_fetch(
    spec: MakeSpec,
    services: MakeServices,
    folders: Callable[..., Any],
    store: Store,
    contents: Callable[[Path], list[str]],
) -> None:
    low = spec("low")
    report = install(services(folders(broken=("low",))), spec("top", low))
    assert isinstance(report.failures[0].error, FetchError) and report.failures[0].log is None
    with pytest.raises(InstallError) as caught:
        report.raise_failures()
    assert caught.value.hint == "look for another"
    assert contents(store.root) == []


def test_fail_fast_stops_what_runs(
    spec: MakeSpec,
    services: MakeServices,
    store: Store,
    contents: Callable[[Path], list[str]],
) -> None:
    slow, bad, later = spec("slow"), spec("bad"), spec("later")
    top = spec("top", slow, bad, later)
    scripts = {"slow": "sleep 30; touch $PREFIX/x", "bad": "sleep 0.2; exit 1"}
    start = time.monotonic()
    report = install(services(**scripts), top, concurrent=2, fail_fast=True)
    assert time.monotonic() - start < 10
    assert [f.step.spec.name for f in report.failures] == ["bad"]
    assert set(names(report.skipped)) >= {"slow", "top"}
    assert not any("slow-" in path for path in contents(store.root))


def test_builds_run_side_by_side_within_the_limit(
    spec: MakeSpec, services: MakeServices, tmp_path: Path
) -> None:
    parts = [spec(f"p{n}") for n in range(6)]
    script = 'echo + >> "$STAGE/../../trace"; sleep 0.2; echo - >> "$STAGE/../../trace"'
    everything = services(**{f"p{n}": script for n in range(6)})
    install(everything, spec("top", *parts), concurrent=3)
    running = most = 0
    for line in (tmp_path / "trace").read_text().split():
        running += 1 if line == "+" else -1
        most = max(most, running)
    assert most == 3


def test_jobs_are_one_budget(spec: MakeSpec, services: MakeServices) -> None:
    low = spec("low")
    parts = [spec(f"p{n}", low) for n in range(3)]
    busy = services(**{f"p{n}": "sleep 0.3" for n in range(3)})
    install(busy, spec("top", *parts), concurrent=3, jobs=8)
    given = {order.spec.name: order.jobs for order in busy.builder.orders}
    assert given["low"] == 8 and given["top"] == 8
    assert sorted(given[f"p{n}"] for n in range(3)) == [2, 3, 3]


def test_builds_that_compile_share_the_jobs_among_themselves(
    spec: MakeSpec, services: MakeServices
) -> None:
    gcc = spec("gcc", external="/usr")
    compiled = [spec(f"c{n}", (gcc, ("build",), ("c",))) for n in range(2)]
    copied = [spec(f"p{n}") for n in range(2)]
    busy = services(**dict.fromkeys(("c0", "c1", "p0", "p1"), "sleep 0.3"))
    install(busy, spec("top", *compiled, *copied), concurrent=4, jobs=8, fetches=8)
    given = {order.spec.name: order.jobs for order in busy.builder.orders}
    assert given["c0"] + given["c1"] in (8, 9) and given["p0"] + given["p1"] <= 16


def test_builds_run_in_the_background_of_what_compiles(
    spec: MakeSpec, services: MakeServices
) -> None:
    gcc = spec("gcc", external="/usr")
    compiled = spec("compiled", (gcc, ("build",), ("c",)))
    first = spec("first")
    beside = spec("beside", first)
    slow = services(first="sleep 0.3", compiled="sleep 1")
    install(slow, spec("top", compiled), beside, concurrent=2)
    behind = {order.spec.name: order.background for order in slow.builder.orders}
    assert behind["beside"] and not behind["compiled"] and not behind["top"]


def test_fetches_run_ahead_of_builds(
    spec: MakeSpec,
    services: MakeServices,
    folders: Callable[..., Any],
    tmp_path: Path,
) -> None:
    """Ten fetches and a chain of ten builds, 0.2 s each, take little more than one of both."""
    node = spec("n0")
    for number in range(1, 10):
        node = spec(f"n{number}", node)
    slow = services(folders(delay=0.2), **{f"n{n}": "sleep 0.2" for n in range(10)})
    start = time.monotonic()
    install(slow, node, fetches=2)
    assert time.monotonic() - start < 3.9


def test_how_far_fetches_run_ahead_is_limited(
    spec: MakeSpec, services: MakeServices, folders: Callable[..., Any]
) -> None:
    node = spec("n0")
    for number in range(1, 8):
        node = spec(f"n{number}", node)
    sources = folders()
    seen = []
    base = services(sources, n0="sleep 0.3")

    class Watching(Shell):
        def build(self, order: Any, *rest: Any) -> Any:
            outcome = super().build(order, *rest)
            seen.append(len(sources.fetched))
            return outcome

    watching = InstallerDependencies(base.store, sources, Watching(n0="sleep 0.3"), base.reporter)
    report = install(watching, node, ahead=3)
    assert len(report.installed) == 8 and seen[0] <= 4


def test_something_is_built_while_all_that_was_fetched_waits(
    spec: MakeSpec, services: MakeServices, folders: Callable[..., Any]
) -> None:
    low = spec("low")
    waiting = [spec(f"w{n}", low, spec("above", low)) for n in range(3)]
    sources = folders()
    base = services(sources, low="sleep 0.5")
    install(base, spec("top", *waiting), spec("lone"), concurrent=2, ahead=2)
    order = [order.spec.name for order in base.builder.orders]
    # The two start side by side, each in its own thread: either may be reported first.
    assert set(order[:2]) == {"low", "lone"}


def test_the_longest_chain_goes_first(spec: MakeSpec, services: MakeServices) -> None:
    chain = spec("z0")
    for number in range(1, 4):
        chain = spec(f"z{number}", chain)
    lone = [spec(f"a{n}") for n in range(3)]
    ordered = services()
    install(ordered, chain, *lone, concurrent=1, fetches=8)
    first = [order.spec.name for order in ordered.builder.orders]
    assert first.index("z0") <= 1


def test_what_is_checked_decides(
    spec: MakeSpec,
    services: MakeServices,
    store: Store,
    contents: Callable[[Path], list[str]],
    reporter: RecordingReporter,
) -> None:
    script = 'd="$PREFIX/local/lib/python3.11/dist-packages"; mkdir -p "$d"; echo > "$d/m.py"'
    node = spec("py-wrong")
    base = services(**{"py-wrong": f"echo built; {script}"})
    paths = PythonPaths("lib/python3.11/site-packages", "lib/python3.11/site-packages")
    checked = InstallerDependencies(
        base.store, base.sources, base.builder, reporter, python=lambda spec, prefixes: paths
    )
    report = install(checked, node)
    error = report.failures[0].error
    assert error.ref == "install-check" and "posix_local" in error.message
    assert "local/lib/python3.11/dist-packages/m.py" in error.message and error.hint
    assert contents(store.root) == []
    assert store.log(node).read_text() == "built\n"


def test_a_warning_is_reported(
    spec: MakeSpec, services: MakeServices, reporter: RecordingReporter
) -> None:
    node = spec("a")
    report = install(services(a='echo "built in $STAGE" > "$PREFIX/note"'), node)
    assert names(report.installed) == ["a"]
    warnings = [event.text for _, event in records(reporter) if isinstance(event, Warned)]
    assert len(warnings) == 1 and "note" in warnings[0] and "stage" in warnings[0]


def test_overwrite_keeps_the_old_until_the_new_is_there(
    spec: MakeSpec, services: MakeServices, store: Store
) -> None:
    node = spec("a")
    install(services(a='echo one > "$PREFIX/f"'), node)
    prefix = store.layout.prefix(node)
    again = PlanOptions(overwrite=frozenset({node.dag_hash()}))
    report = install(services(a='test ! -e "$PREFIX/f"; exit 1'), node, options=again)
    assert len(report.failures) == 1
    assert (prefix / "f").read_text() == "one\n" and store.database.record(node.dag_hash())
    report = install(
        services(a='test ! -e "$PREFIX/f"; echo two > "$PREFIX/f"'), node, options=again
    )
    report.raise_failures()
    assert (prefix / "f").read_text() == "two\n"
    assert list(store.layout.backup.iterdir()) == []


def test_an_unknown_prefix_is_not_touched(
    spec: MakeSpec, services: MakeServices, store: Store
) -> None:
    node = spec("a")
    prefix = store.layout.prefix(node)
    prefix.mkdir(parents=True)
    (prefix / "precious").write_text("")
    report = install(services(), node)
    assert report.failures[0].error.ref == "store-unknown-prefix"
    assert (prefix / "precious").exists() and "reindex" in report.failures[0].error.hint


def test_two_installers_share_the_work(
    spec: MakeSpec,
    services: MakeServices,
    store: Store,
    tmp_path: Path,
    reporter: RecordingReporter,
) -> None:
    """Two stores on one tree, as two processes have: nothing is built twice, both succeed."""
    parts = [spec(f"p{n}") for n in range(5)]
    top = spec("top", *parts)
    script = 'echo "$NAME" >> "$STAGE/../../built"; sleep 0.1; touch "$PREFIX/x"'
    scripts = {node.name: script for node in (*parts, top)}
    other = Store(Layout(store.root))
    reports = []

    def run(at: Any) -> None:
        reports.append(install(services(at=at, **scripts), top, concurrent=2))

    threads = [threading.Thread(target=run, args=(at,)) for at in (store, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    other.close()
    assert sorted((tmp_path / "built").read_text().split()) == sorted(scripts)
    assert len(reports) == 2 and all(not report.failures for report in reports)
    assert len(reports[0].installed) + len(reports[1].installed) == 6
    assert any(isinstance(event, events.WaitingForNode) for _, event in records(reporter))


def test_a_dependency_that_goes_away_meanwhile(
    spec: MakeSpec, services: MakeServices, store: Store
) -> None:
    low = spec("low")
    install(services(), low)
    plan = make_plan([spec("top", low)], store.database.installed_hashes())
    store.writer().remove([low.dag_hash()])
    report = execute(plan, services())
    error = report.failures[0].error
    assert isinstance(error, InstallError) and error.ref == "install-dependency-missing"


def test_ctrl_c_stops_builds_and_leaves_nothing_half_done(
    spec: MakeSpec,
    services: MakeServices,
    store: Store,
    contents: Callable[[Path], list[str]],
    reporter: RecordingReporter,
) -> None:
    done, slow = spec("done"), spec("slow")
    top = spec("top", slow, done)
    scripts = {"slow": 'mkdir "$PREFIX/bin"; echo $$ > "$STAGE/../../pid"; sleep 60'}
    pid_file = store.root.parent / "pid"

    def interrupt() -> None:
        while not pid_file.exists() or not store.database.records(name="done"):
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        install(services(**scripts), top, concurrent=2)
    thread.join()
    assert time.monotonic() - start < 10
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid_file.read_text()), 0)
    assert [r.name for r in store.database.records()] == ["done"]
    assert not any("slow-" in path for path in contents(store.root))
    assert list(store.layout.pending.iterdir()) == []
    lines = [event for title, event in records(reporter) if not title]
    assert lines == [events.InstallInterrupted(kept=1)]
    lock = store.locks.try_exclusive(slow.dag_hash())
    assert lock is not None
    lock.release()


def test_thirty_installs_cost_little(spec: MakeSpec, services: MakeServices) -> None:
    """What the installer itself costs, beside the shells that it starts."""
    parts = [spec(f"p{n}") for n in range(30)]
    start = time.process_time()  # of this process alone
    report = install(services(), *parts, concurrent=2)
    assert len(report.installed) == 30
    assert time.process_time() - start < 2


def test_records_have_a_location_for_facts(
    spec: MakeSpec, services: MakeServices, store: Store
) -> None:
    node = spec("a")
    record = InstallRecord.of(node, Path("/x"), facts={"dirty": True})
    store.writer().add(node, record)
    assert store.database.record(node.dag_hash()).facts == {"dirty": True}
