"""One section in the file of one scope, to be changed; comments and order stay."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from spack.config.schema import key_name
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
        self._document = yaml.round_trip(path)
        location = self._document.data
        if within is not None:
            location = location[within]
        self._location = location
        self._key = next((key for key in location if key_name(str(key)) == section), section)

    @property
    def data(self) -> Any:
        """The section's mapping or list; an empty mapping where the file has none."""
        if self._location.get(self._key) is None:
            self._location[self._key] = type(self._location)()
        return self._location[self._key]

    def key(self, name: str) -> str:
        """Return *name* as a key of the section's mapping, with the suffix as written."""
        return next((str(key) for key in self.data if key_name(str(key)) == name), name)

    def replace(self, data: Any) -> None:
        """Replace the section by *data*."""
        self._location[self._key] = data

    def written(self, path: Path) -> str:
        """Return *path* as the file names it: what an environment has inside moves with it."""
        folder = self.path.parent
        if self._within is not None and folder in path.parents:
            return str(path.relative_to(folder))
        return str(path)

    def save(self) -> None:
        """Write the file.

        :raises OSError: it cannot be written.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._document.save()
