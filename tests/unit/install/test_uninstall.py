from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from kits.installs import MakeServices
from kits.specs import MakeSpec
from spack.errors import StoreError
from spack.install.execute import execute
from spack.install.plan import make_plan
from spack.install.removal import collect, plan_removal, remove, unneeded
from spack.store import DependencyLink, InstallRecord, Store
from spack.store.layout import Layout
from spack.store.locks import BUILDS
from spack.util.report import SilentReporter


@pytest.fixture
def installed(spec: MakeSpec, services: MakeServices, store: Store) -> Any:
    """Backend builds library; app runs with library; python is external."""
    python = spec("python", external="/usr")
    backend = spec("backend", (python, ("run",)))
    library = spec("library", (backend, ("build",)), (python, ("run",)))
    app = spec("app", (library, ("run",)), (backend, ("build",)))
    execute(make_plan([app], set()), services()).raise_failures()
    return {node.name: node for node in (python, backend, library, app)}


def choose(store: Store, nodes: Any, *names: Any, **how: Any) -> Any:
    hashes = [nodes[name].dag_hash() for name in names]
    return plan_removal(store.database.records(), store.database.links(), hashes, **how)


def installed_names(store: Store) -> Any:
    return [record.name for record in store.database.records()]


def test_refused_when_something_needs_it(installed: Any, store: Store) -> None:
    with pytest.raises(StoreError) as caught:
        choose(store, installed, "library")
    error = caught.value
    app, library = installed["app"], installed["library"]
    assert error.message == f"{library.short} is needed by {app.short}"
    assert "--dependents" in error.hint and error.facts["dependents"] == (app.dag_hash(),)
    with pytest.raises(StoreError, match=r"python@1\.0/.* is needed by backend.*, library"):
        choose(store, installed, "python")


def test_what_was_only_built_with_can_go(installed: Any, store: Store) -> None:
    removal = choose(store, installed, "backend")
    missing = remove(store, removal, SilentReporter())
    assert [record.name for record in missing] == ["backend"]
    assert installed_names(store) == ["app", "library", "python"]
    assert not Path(missing[0].prefix).exists()
    assert store.database.specs()[installed["app"].dag_hash()] == installed["app"]


def test_dependents_and_force(installed: Any, store: Store) -> None:
    removal = choose(store, installed, "library", dependents=True)
    assert [record.name for record in removal.records] == ["app", "library"]
    forced = choose(store, installed, "library", force=True)
    assert [record.name for record in forced.records] == ["library"]
    remove(store, forced, SilentReporter())
    assert "app" in installed_names(store) and "library" not in installed_names(store)


def test_all_at_once_in_the_right_order(installed: Any, store: Store) -> None:
    removal = choose(store, installed, "backend", "python", "app", "library")
    names = [record.name for record in removal.records]
    assert names.index("app") < names.index("library") < names.index("backend")
    assert names[-1] == "python"
    remove(store, removal, SilentReporter())
    assert installed_names(store) == []
    assert [p.name for p in store.root.iterdir()] == [".spack-db"], "empty folders go too"
    assert Path("/usr").exists()


def test_gc(installed: Any, store: Store) -> None:
    def chosen(*roots: Any, **how: Any) -> Any:
        records, links = store.database.records(), store.database.links()
        hashes = [installed[name].dag_hash() for name in roots]
        return [record.name for record in unneeded(records, links, hashes, **how).records]

    assert chosen() == ["backend"]
    assert chosen(keep_build=True) == []
    store.writer().mark_explicit([installed["app"].dag_hash()], False)
    assert chosen() == ["app", "library", "backend", "python"]
    assert chosen("library") == ["app", "backend"]
    assert chosen("app") == ["backend"]


def test_what_is_in_use_stays(installed: Any, store: Store) -> None:
    removal = choose(store, installed, "backend")
    other = Store(Layout(store.root))
    with (
        other.locks.shared(installed["backend"].dag_hash()),
        pytest.raises(StoreError, match="locked by"),
    ):
        remove(store, removal, SilentReporter(), patience=0.1)
    assert "backend" in installed_names(store)
    remove(store, removal, SilentReporter())
    assert "backend" not in installed_names(store)


def test_a_dependent_that_came_meanwhile_is_seen(
    installed: Any, spec: MakeSpec, services: MakeServices, store: Store
) -> None:
    store.writer().mark_explicit([installed["app"].dag_hash()], False)
    remove(store, choose(store, installed, "app"), SilentReporter())
    removal = choose(store, installed, "library")
    late = spec("late", (installed["library"], ("run",)))
    execute(make_plan([late], store.database.installed_hashes()), services()).raise_failures()
    with pytest.raises(StoreError, match="needed by late"):
        remove(store, removal, SilentReporter())


def test_removed_by_another_process_meanwhile(installed: Any, store: Store) -> None:
    removal = choose(store, installed, "backend")
    assert len(remove(store, removal, SilentReporter())) == 1
    assert remove(store, removal, SilentReporter()) == ()


def test_a_prefix_that_is_missing_already(installed: Any, store: Store) -> None:
    from spack.util.filesystem import remove_tree

    removal = choose(store, installed, "backend")
    remove_tree(removal.records[0].prefix)
    remove(store, removal, SilentReporter())
    assert "backend" not in installed_names(store)


def test_all_dependents_are_named(spec: MakeSpec) -> None:
    """Also those that need the node through other ones: all of them would break."""
    low = spec("low")
    middle = [spec(f"middle{n:02}", low) for n in range(12)]
    top = spec("top", middle[0])
    records = [InstallRecord.of(node, Path("/x")) for node in (low, *middle, top)]
    links = [
        DependencyLink(node.dag_hash(), low.dag_hash(), frozenset({"link"})) for node in middle
    ]
    links.append(DependencyLink(top.dag_hash(), middle[0].dag_hash(), frozenset({"run"})))
    with pytest.raises(StoreError) as caught:
        plan_removal(records, links, [low.dag_hash()])
    direct = ", ".join(sorted(node.short for node in middle))
    assert caught.value.message == (
        f"{low.short} is needed by {direct}, and through these by {top.short}"
    )
    assert len(caught.value.facts["dependents"]) == 13


def test_removal_waits_for_a_build_that_uses_it(
    installed: Any, spec: MakeSpec, services: MakeServices, store: Store
) -> None:
    """The build that is running keeps its dependencies; then they are needed."""
    top = spec("top", (installed["backend"], ("run",)))
    plan = make_plan([top], store.database.installed_hashes())
    slow = services(top='touch "$STAGE/../../running"; sleep 0.4; touch "$PREFIX/x"')
    thread = threading.Thread(target=lambda: execute(plan, slow).raise_failures())
    removal = choose(store, installed, "backend")
    thread.start()
    while not (store.root.parent / "running").exists():
        time.sleep(0.01)
    other = Store(Layout(store.root))
    with pytest.raises(StoreError, match="needed by top"):
        remove(other, removal, SilentReporter())
    thread.join()
    other.close()


def test_gc_leaves_what_a_running_install_may_need(installed: Any, store: Store) -> None:
    everything = unneeded(store.database.records(), store.database.links())
    with store.locks.shared(BUILDS):
        other = Store(store.layout)
        with pytest.raises(StoreError, match="are being installed now") as caught:
            collect(other, everything, SilentReporter())
        assert caught.value.hint
        other.close()
    before = installed_names(store)
    missing = collect(store, everything, SilentReporter())
    assert [record.name for record in missing] == [record.name for record in everything.records]
    assert set(before) - set(installed_names(store)) == {record.name for record in missing}


def test_gc_removes_only_what_was_agreed_on(installed: Any, store: Store) -> None:
    agreed = choose(store, installed, "backend")
    missing = collect(store, agreed, SilentReporter(), [installed["app"].dag_hash()])
    assert [record.name for record in missing] == ["backend"]
    assert collect(store, agreed, SilentReporter()) == ()
