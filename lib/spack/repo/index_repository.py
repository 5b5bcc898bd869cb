"""The recipes of projects on the package index that have none: a file each, made when needed.

Such a recipe says of which project its package is, and nothing else. What the solver must know is
read from the index's metadata (:mod:`spack.recipe.index_recipes`); which file is installed is in
the node. So the file, and with it the hash of the recipe, is the same whatever is released.
"""

from __future__ import annotations

from pathlib import Path

from spack.recipe.package_names import INDEX_NAMESPACE, class_name, directory_name
from spack.recipe.records import Recipe
from spack.util.filesystem import atomic_write
from spack.util.hashing import sha256_hex

__all__ = ["IndexRepository"]

_REPO = f"repo:\n  namespace: {INDEX_NAMESPACE}\n  api: v2.0\n"

_RECIPE = '''\
from spack_repo.builtin.build_systems.python import PythonPackage

from spack.package import *


class {title}(PythonPackage):
    """The project {project} of the package index."""

    pypi = "{project}/{project}"
'''


class IndexRepository:
    """A repository of recipes below *root*, a directory that need not exist."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def recipe(self, name: str) -> Recipe:
        """Return the recipe of package *name*, which is ``py-`` and the project's name.

        :raises OSError: its file cannot be written.
        """
        from spack.recipe.index_recipes import bare_index_recipe  # start-up: only for such nodes

        project = name.partition("-")[2]
        text = _RECIPE.format(title=class_name(name), project=project)
        path = self.root / "packages" / directory_name(name) / "package.py"
        for file, content in ((self.root / "repo.yaml", _REPO), (path, text)):
            if not file.is_file() or file.read_text(encoding="utf-8") != content:
                file.parent.mkdir(parents=True, exist_ok=True)
                atomic_write(file, content)
        return bare_index_recipe(name, project, str(path), sha256_hex(text))
