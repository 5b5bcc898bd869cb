"""Packages that customize how they appear in a view.

A recipe may override ``view_source``, ``view_destination``, ``view_file_conflicts`` and
``add_files_to_view``. Its code runs in one child process for all such packages of a view
(:mod:`spack.view.hooks_worker`), and only when a plan is made. There the view is a scratch folder:
what the recipe links is recorded, what it writes is read back, so that the result is a part of the
plan like any other and is still made in staging and exchanged at once.

``remove_files_from_view`` has nothing to do here and is not called: a view without the package is
planned without its files, and a file that another package provides too stays by itself.

In the same way recipes are asked for the run environment of packages that another tool installed.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from spack.errors import ViewError
from spack.util.frozen import frozen
from spack.util.json_input import parse_json
from spack.view.plan_types import Files, ViewSource

__all__ = [
    "HOOKS",
    "HookContext",
    "HookRecord",
    "HookResult",
    "ask_recipes",
    "ask_run_environments",
]

#: The methods of a recipe that make a view ask it.
HOOKS = ("add_files_to_view", "view_destination", "view_file_conflicts", "view_source")

_BOOT = """
import sys
sys.path.extend(sys.argv[2:])
from spack.view.hooks_worker import main
sys.exit(main(sys.argv[1]))
"""

#: No recipe needs longer to link files.
_SECONDS = 600


class HookResult(NamedTuple):
    """One path that a recipe put into the view.

    :ivar location: relative to the view.
    :ivar kind: ``file`` (*source* is an absolute path), ``link`` (*source* is the target) or
        ``text`` (*content* is what the recipe wrote).
    """

    location: str
    kind: str
    source: str
    mode: int
    content: bytes = b""


class HookRecord(NamedTuple):
    """What a recipe did.

    :ivar tolerated: paths that other packages provide too, and that the recipe says are fine.
    """

    locations: tuple[HookResult, ...]
    tolerated: frozenset[str]


@frozen
class HookContext:
    """What the child process needs.

    :param graph: ``spack.spec.concrete.dump`` of the packages with all their dependencies.
    :param prefixes: install prefix by hash, for every node.
    :param repositories: (namespace, root), in order of precedence.
    :param library_path: further folders of ``sys.path``.
    """

    graph: Mapping[str, Any]
    prefixes: Mapping[str, str]
    repositories: tuple[tuple[str, str], ...]
    library_path: tuple[str, ...]
    interpreter: str = sys.executable


def ask_recipes(
    context: HookContext,
    asked: Sequence[ViewSource],
    rest: Sequence[ViewSource],
    link_type: str,
    root: str,
) -> dict[str, HookRecord]:
    """Run the hooks of the packages *asked*; what they did, by hash.

    :param rest: the packages of the view that are not asked.
    :param root: where the view will be; text that names the scratch folder will name it.
    :raises ViewError: a recipe failed, with its line.
    """
    with _scratch() as folder:
        data = {
            "task": "view",
            "link_type": link_type,
            "folder": folder,
            "final": root,
            "packages": [_package(source, rest, asked) for source in asked],
        }
        answer = _answer(context, data, folder)
    return {key: _recorded(row) for key, row in answer["packages"].items()}


def ask_run_environments(
    context: HookContext, asked: Mapping[str, Sequence[str]]
) -> dict[str, list[dict[str, str]]]:
    """Return what using installed packages changes of the environment, as their recipes say.

    :param asked: by hash of a package, those that it needs at run time and whose recipes
        have ``setup_dependent_run_environment``.
    :returns: changes as ``EnvironmentModifications.to_json`` gives them, by hash.
    :raises ViewError: a recipe failed, with its line.
    """
    with _scratch() as folder:
        rows = {digest: list(below) for digest, below in asked.items()}
        answer = _answer(context, {"task": "run", "packages": rows}, folder)
    found: dict[str, list[dict[str, str]]] = answer["packages"]
    return found


@contextmanager
def _scratch() -> Iterator[str]:
    import tempfile  # start-up: few packages have hooks

    with tempfile.TemporaryDirectory(prefix="spack-view-") as folder:
        yield os.path.realpath(folder)  # recipes may compare real paths


def _answer(context: HookContext, task: Mapping[str, Any], folder: str) -> dict[str, Any]:
    """Return what the child process answers to a task.

    :raises ViewError: a recipe failed, or the child ended early.
    """
    import subprocess  # start-up: few packages have hooks

    job, result = Path(folder, "job.json"), Path(folder, "result.json")
    data = {
        "graph": context.graph,
        "prefixes": context.prefixes,
        "repositories": context.repositories,
        "result": str(result),
        **task,
    }
    job.write_text(json.dumps(data), encoding="utf-8")
    library = str(Path(__file__).resolve().parents[2])
    command = [context.interpreter, "-I", "-S", "-c", _BOOT, str(job), library]
    done = subprocess.run(
        [*command, *context.library_path],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        env={"PATH": "/usr/bin:/bin", "HOME": folder, "LC_ALL": "C.UTF-8"},
        cwd=folder,
        timeout=_SECONDS,
    )
    if not result.exists():
        raise _failure("the recipes' view hooks ended early", done.stderr, {})
    answer: dict[str, Any] = parse_json(result.read_text(encoding="utf-8"))
    if "error" in answer:
        raise _failure(answer["error"], answer.get("details", ""), {"package": answer["package"]})
    return answer


def _failure(message: str, details: str, facts: Mapping[str, Any]) -> ViewError:
    name = str(facts.get("package", "")).partition("@")[0]
    hint = (
        f", or leave the package out: 'view: {{exclude: [{name}]}}' in spack.yaml" if name else ""
    )
    return ViewError(
        message,
        details.strip() or None,
        facts=dict(facts),
        hint=f"mend the recipe{hint}",
        ref="view-hook",
    )


def _package(
    source: ViewSource, rest: Sequence[ViewSource], asked: Sequence[ViewSource]
) -> dict[str, Any]:
    own = _paths(source, source.load_files())
    present: list[str] = []
    for other in [*rest, *(x for x in asked if x is not source)]:
        present.extend(own & _paths(other, other.load_files()))
    return {
        "hash": source.hash,
        "name": source.name,
        "projection": source.projection,
        "files": [path for path, row in source.load_files().items() if row[0] != "dir"],
        "present": sorted(set(present)),
    }


def _paths(source: ViewSource, files: Files) -> frozenset[str]:
    top = source.projection.strip("/")
    start = top + "/" if top else ""
    return frozenset(start + path for path, row in files.items() if row[0] != "dir")


def _recorded(row: Mapping[str, Any]) -> HookRecord:
    locations = tuple(
        HookResult(location, kind, source, mode, content.encode("latin-1"))
        for location, kind, source, mode, content in row["locations"]
    )
    return HookRecord(locations, frozenset(row["tolerated"]))
