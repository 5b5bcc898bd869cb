"""One section in the file of one scope, to be changed; comments and order stay."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

from spack.config.keys import SECTIONS
from spack.config.schema import ConfigReport, Record, key_name
from spack.config.scopes import check_environment, check_specs
from spack.util import yaml

__all__ = ["SectionFile"]


class SectionFile:
    """A section as it is in a file.

    :ivar path: the file; made, with its directory, by :meth:`save`.
    :ivar section: the section's name.

    :param within: the key that the section is below (``spack`` in a ``spack.yaml``).
    :raises ConfigError: the file is malformed.
    """

    def __init__(self, path: Path, section: str, within: str | None = None) -> None:
        self.path = path
        self.section = section
        self._within = within
        self._open(yaml.round_trip(path))

    def _open(self, document: yaml.Document) -> None:
        self._document = document
        location = document.data
        if self._within is not None:
            location = location[self._within]
        self._location = location
        found = (key for key in location if key_name(str(key)) == self.section)
        self._key = next(found, self.section)

    @property
    def data(self) -> Any:
        """The section's mapping or list; an empty mapping where the file has none."""
        if self._location.get(self._key) is None:
            self._location[self._key] = type(self._location)()
        return self._location[self._key]

    def key(self, name: str) -> str:
        """Return *name* as a key of the section's mapping, with the suffix as written."""
        return next((str(key) for key in self.data if key_name(str(key)) == name), name)

    def remove(self, name: str) -> bool:
        """Remove the entry *name* of the section's mapping; return whether the file had it."""
        if not any(str(key) == name for key in self.data):
            return False

        def remove() -> None:
            del self.data[name]

        self.changed(remove)
        return True

    def replace(self, data: Any) -> None:
        """Replace the section by *data*."""
        self._location[self._key] = data

    def written(self, path: Path) -> str:
        """Return *path* as the file names it: what an environment has inside moves with it."""
        folder = self.path.parent
        if self._within is not None and folder in path.parents:
            return str(path.relative_to(folder))
        return str(path)

    def changed(self, change: Callable[[], None]) -> None:
        """Carry out *change* on the data, check the file as it would be, and write it.

        :raises ConfigError: the section is not as it should be then; the file is not touched, and
            the data is as before.
        :raises OSError: it cannot be written.
        """
        before = self._document.text()
        try:
            change()
            self._check()
        except BaseException:
            self._open(yaml.round_trip(self.path, before))
            raise
        if self._document.text() != before:
            self.save()

    def _check(self) -> None:
        loaded = yaml.load(str(self.path), self._document.text())
        if self._within is not None:
            check_environment(loaded)
            return
        report = ConfigReport()
        Record({self.section: SECTIONS[self.section]}).check(loaded.tree, loaded.file, (), report)
        check_specs(report.specs, report)
        report.raise_if_any()

    def save(self) -> None:
        """Write the file.

        :raises OSError: it cannot be written.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._document.save()
