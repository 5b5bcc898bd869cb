"""The child process in which recipes' view hooks run; see :mod:`spack.view.hooks`."""

from __future__ import annotations

import json
import os
import shutil
import stat
import traceback
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Callable

from spack.api.context import BuildContext, current_build
from spack.api.node_classes import NodeClasses
from spack.errors import SpackError
from spack.spec import ConcreteSpec, load
from spack.util.environment_modifications import EnvironmentModifications

__all__ = ["RecordingView", "main"]


class RecordingView:
    """What a recipe sees as ``view``: a scratch folder in which links are recorded.

    :param root: the scratch directory, which represents the view.
    """

    def __init__(self, root: str, link_type: str, projections: Mapping[str, str]) -> None:
        self._root = root
        self.link_type = link_type
        self._projections = projections
        self.links: dict[str, str] = {}

    @property
    def root(self) -> str:
        return self._root

    def get_projection_for_spec(self, spec: Any) -> str:
        """Return the absolute directory of the view that the files of *spec* are shown in."""
        return os.path.join(self._root, self._projections.get(spec.dag_hash(), "")).rstrip("/")

    def link(self, src: Any, dst: Any, spec: Any = None) -> None:
        """Show the file *src* as *dst*; the last word counts."""
        source, target = str(src), os.path.normpath(str(dst))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if os.path.lexists(target):
            os.unlink(target)
        os.symlink(source, target)
        self.links[target] = source

    def remove_files(self, paths: Iterable[Any]) -> None:
        """Take paths out again."""
        for path in map(str, paths):
            self.links.pop(path, None)
            if os.path.lexists(path):
                os.unlink(path)


def main(job_path: str) -> int:
    """Run the hooks of every package of the job; always writes its ``result`` file."""
    job = json.loads(Path(job_path).read_text(encoding="utf-8"))
    answer: dict[str, Any] = {"packages": {}}
    name = ""
    try:
        nodes = load(job["graph"])
        classes = NodeClasses(root for _, root in job["repositories"])
        context = BuildContext(
            lambda digest: classes.package_class(nodes[digest]),
            lambda digest: str(job["prefixes"].get(digest, "/nonexistent/not-installed")),
        )
        current_build.set(context)
        for digest, run in _TASKS[job["task"]](job, context, nodes):
            name = nodes[digest].name
            answer["packages"][digest] = run()
    except Exception as error:
        answer = {"error": _message(error, name), "details": _details(error), "package": name}
    Path(job["result"]).write_text(json.dumps(answer), encoding="utf-8")
    return 0


def _views(
    job: Mapping[str, Any], context: BuildContext, nodes: Mapping[str, ConcreteSpec]
) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield each package with what runs its view hooks."""
    for number, row in enumerate(job["packages"]):
        yield row["hash"], partial(_in_view, job, context, nodes[row["hash"]], number=number)


def _in_view(
    job: Mapping[str, Any], context: BuildContext, node: ConcreteSpec, number: int
) -> dict[str, Any]:
    projections = {row["hash"]: row["projection"] for row in job["packages"]}
    root = os.path.join(job["folder"], f"view-{number}")
    view = RecordingView(root, job["link_type"], projections)
    return _run(context.package(node), view, job["packages"][number], job["final"])


def _run_environments(
    job: Mapping[str, Any], context: BuildContext, nodes: Mapping[str, ConcreteSpec]
) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield each package with what computes its run environment."""
    for digest, below in job["packages"].items():
        yield digest, partial(_run_environment, context, nodes[digest], [nodes[x] for x in below])


def _run_environment(
    context: BuildContext, node: ConcreteSpec, below: Iterable[ConcreteSpec]
) -> list[dict[str, str]]:
    changes = EnvironmentModifications()
    package = context.package(node)
    for dependency in below:
        context.package(dependency).setup_dependent_run_environment(changes, package.spec)
    package.setup_run_environment(changes)
    return list(changes.to_json())


#: What each task runs, package by package.
_TASKS = {"view": _views, "run": _run_environments}


def _run(package: Any, view: RecordingView, row: Mapping[str, Any], final: str) -> dict[str, Any]:
    os.makedirs(view.root)
    source = str(package.view_source())
    target = str(package.view_destination(view))
    files = row["files"] if source == str(package.prefix) else _walk(source)
    merge_map = {os.path.join(source, path): os.path.join(target, path) for path in files}
    tolerated = _tolerated(package, view, merge_map, row["present"])
    package.add_files_to_view(view, merge_map, skip_if_exists=False)
    locations = [_placed(path, view, final) for path in _walk(view.root)]
    return {"locations": locations, "tolerated": tolerated}


def _tolerated(
    package: Any, view: RecordingView, merge_map: Mapping[str, str], present: list[str]
) -> list[str]:
    """Return the paths of several packages that the recipe does not count as conflicts."""
    made = [os.path.join(view.root, path) for path in present]
    for path in made:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Path(path).touch()
    conflicts = set(map(str, package.view_file_conflicts(view, dict(merge_map))))
    shutil.rmtree(view.root)
    os.makedirs(view.root)
    return [path for path, full in zip(present, made) if full not in conflicts]


def _placed(path: str, view: RecordingView, final: str) -> tuple[str, str, str, int, str]:
    """Return a path of the scratch directory as a row of :class:`spack.view.hooks.HookResult`."""
    full = os.path.join(view.root, path)
    info = os.lstat(full)
    if not stat.S_ISLNK(info.st_mode):
        content = Path(full).read_bytes().replace(os.fsencode(view.root), os.fsencode(final))
        return path, "text", "", stat.S_IMODE(info.st_mode), content.decode("latin-1")
    target = os.readlink(full)
    if target.startswith(view.root + "/"):
        target = os.path.relpath(target, os.path.dirname(full))
        return path, "link", target, 0o777, ""
    if view.links.get(full) != target or not os.path.isabs(target):
        return path, "link", target, 0o777, ""
    mode = stat.S_IMODE(os.stat(target).st_mode) if os.path.exists(target) else 0o644
    return path, "file", target, mode, ""


def _walk(root: str) -> list[str]:
    """Return all files and links below *root*, links to folders among them."""
    found: list[str] = []
    for folder, folders, files in os.walk(root):
        if folder == root and ".spack" in folders:
            folders.remove(".spack")
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        found.extend(os.path.relpath(os.path.join(folder, x), root) for x in [*files, *links])
    return sorted(found)


def _recipe_line(error: BaseException) -> str | None:
    found = None
    for frame in traceback.extract_tb(error.__traceback__):
        if os.path.basename(frame.filename) == "package.py":
            found = f"{frame.filename}:{frame.lineno}"
    return found


def _message(error: BaseException, name: str) -> str:
    text = error.message if isinstance(error, SpackError) else f"{type(error).__name__}: {error}"
    line = _recipe_line(error)
    return f"{name} cannot be put into the view: {f'{line}: ' if line else ''}{text}"


def _details(error: BaseException) -> str:
    return str(getattr(error, "long_message", None) or "")
