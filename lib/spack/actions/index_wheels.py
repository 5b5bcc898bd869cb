"""Wheels of the configured package index, for the solver: projects are looked up side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from spack.errors import FetchError
from spack.fetch.source import IndexSource, source_for
from spack.host.wheel_platforms import wheel_platforms
from spack.recipe.records import Recipe
from spack.recipe.wheel_offers import DigestOf, OfferedFile, WheelTable
from spack.util.hashing import hash_file
from spack.util.project_names import normalized

if TYPE_CHECKING:
    from spack.fetch.fetcher import Fetcher
    from spack.fetch.package_index import IndexLink, PackageIndex

__all__ = ["IndexWheels", "index_wheels"]

#: Connections at once.
_THREADS = 16


class IndexWheels:
    """See :class:`spack.solver.problem.WheelSource`; each project is looked up once.

    :param connect: returns the index; called when the first project is looked up.
    :param platforms: returns the platform tags of the machine.
    :param digest_of: see :class:`spack.recipe.wheel_offers.WheelTable`.
    """

    def __init__(
        self,
        connect: Callable[[], PackageIndex],
        platforms: Callable[[], Sequence[str]],
        digest_of: DigestOf | None = None,
    ) -> None:
        self._connect = connect
        self._platforms = platforms
        self._digest_of = digest_of
        self._answers: dict[str, Future[tuple[IndexLink, ...]]] = {}
        self._tables: dict[str, WheelTable | str] = {}
        self._pool: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()

    def project(self, recipe: Recipe) -> str | None:
        """Return the project that a recipe names with ``pypi``, or with the URLs of its versions.

        A project that only has the package's name may be another one.
        """
        pypi = recipe.attributes.get("pypi")
        if isinstance(pypi, str):
            return pypi.split("/")[0]
        for record in recipe.versions:
            if record.url:
                source = source_for(recipe, record.version)
                return source.project if isinstance(source, IndexSource) else None
        return None

    def start(self, project: str) -> None:
        """Begin to look a project up."""
        name = normalized(project)
        if name not in self._answers:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="index")
            self._answers[name] = self._pool.submit(self._links, name)

    def table(self, project: str) -> WheelTable | str:
        """Return the wheels of a project, or why the index could not be asked."""
        name = normalized(project)
        known = self._tables.get(name)
        if known is None:
            self.start(project)
            known = self._tables[name] = self._made(name)
        return known

    def close(self) -> None:
        """End the threads; what is being looked up is given up."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    def _links(self, name: str) -> tuple[IndexLink, ...]:
        with self._lock:
            index = self._connect()
        return index.links(name)

    def _made(self, name: str) -> WheelTable | str:
        try:
            links = self._answers[name].result()
        except FetchError as error:
            return error.message
        failures = self._connect().failures
        if not links and failures:
            return next(iter(failures.values())).message
        files = [_with_digest(link) for link in links]
        return WheelTable(name, files, self._platforms(), self._digest_of)


def index_wheels(
    fetcher: Fetcher, platforms: Callable[[], Sequence[str]] = wheel_platforms
) -> IndexWheels:
    """Return the wheels of the index that *fetcher* asks.

    :param platforms: the platform tags of the machine that they are for.

    Where it takes files without checksums, those are computed of what is downloaded.
    """

    def digest_of(file: OfferedFile) -> tuple[str, int]:
        project = file.filename.split("-")[0]
        source = IndexSource(project, file.filename, expand=False, what=file.filename)
        path = fetcher.fetch(source)
        return hash_file(path), path.stat().st_size

    computed = None if fetcher.options.checksum else digest_of
    return IndexWheels(lambda: fetcher.connect()[0], platforms, computed)


def _with_digest(link: IndexLink) -> IndexLink:
    """Return the link with the sha256 of a file of this machine where its index gives none."""
    if link.sha256 is not None or not link.filename.endswith(".whl"):
        return link
    parts = urlsplit(link.url)
    if parts.scheme != "file":
        return link
    path = Path(unquote(parts.path))
    try:
        found = hash_file(path)
        size = path.stat().st_size
    except OSError:
        return link
    return replace(link, hashes={**link.hashes, "sha256": found}, size=size)
