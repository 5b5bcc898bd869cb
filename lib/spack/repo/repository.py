"""One repository of recipes on disk.

A repository is a directory with ``repo.yaml`` and ``packages/<directory>/package.py``::

    repo:
      namespace: venv
      api: v2.2

A directory that holds ``repo.yaml`` further down (``repos/spack_repo/builtin``, the layout of
upstream's repository) is found too.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from spack import package_api_version
from spack.errors import RecipeError
from spack.recipe.package_names import directory_name, package_name

__all__ = ["Repository", "is_namespace"]

#: Where ``repo.yaml`` may be below the directory that the user names.
_BELOW = (
    "spack_repo/*/repo.yaml",
    "spack_repo/*/*/repo.yaml",
    "repos/spack_repo/*/repo.yaml",
    "*/repo.yaml",
)

_LINE = re.compile(r"\s+(?P<key>\w+)\s*:\s*(?P<value>[^#]*?)\s*(?:#.*)?$")


@dataclass(frozen=True)
class Repository:
    """A repository.

    :param root: the directory of ``repo.yaml``.
    :param namespace: a dotted name; recipes import as ``spack_repo.<namespace>.packages...``.
    :param packages: the directory of the recipes.
    :param api: the version of the package API that the recipes are written for.
    """

    root: Path
    namespace: str
    packages: Path
    api: tuple[int, int]

    @classmethod
    def open(cls, path: Path) -> Repository:
        """Read the repository at *path*.

        :raises RecipeError: there is none, ``repo.yaml`` is malformed (with its line), or its API
            is too old or too new.
        """
        root = _find_root(path)
        file = root / "repo.yaml"
        values = _read(file)
        namespace, line = values.get("namespace", ("", 1))
        if not is_namespace(namespace):
            raise RecipeError(
                f"{file}:{line}: repo:namespace must be a dotted name, not {namespace!r}",
                hint="write for example 'namespace: mine'",
            )
        text, line = values.get("api", ("v2.0", 1))
        match = re.fullmatch(r"v(\d+)\.(\d+)", text)
        api = (int(match[1]), int(match[2])) if match else (0, 0)
        if api[0] != 2 or api > package_api_version:
            newest = ".".join(map(str, package_api_version))
            raise RecipeError(
                f"{file}:{line}: package API {text} is not supported",
                hint=f"this command reads v2.0 to v{newest}; "
                "the original tool's 'repo migrate' converts older repositories",
            )
        subdirectory, _ = values.get("subdirectory", ("packages", 1))
        return cls(root, namespace, root / subdirectory, api)

    def directory(self, name: str) -> Path:
        """Return the directory of package *name*, whether it exists or not."""
        return self.packages / directory_name(name)

    def recipe_file(self, name: str) -> Path:
        """Return the recipe of package *name*, whether it exists or not."""
        return self.directory(name) / "package.py"

    def exists(self, name: str) -> bool:
        """Return whether there is a recipe of this name."""
        return self.recipe_file(name).is_file()

    def names(self) -> list[str]:
        """Return the sorted names of all packages; one directory listing and a stat for each."""
        return sorted(package_name(entry) for entry in self._entries() if self._has_recipe(entry))

    def _entries(self) -> list[str]:
        try:
            return os.listdir(self.packages)
        except OSError:
            return []

    def _has_recipe(self, directory: str) -> bool:
        return os.path.isfile(f"{self.packages}/{directory}/package.py")


def is_namespace(text: str) -> bool:
    """Return whether *text* can be a namespace: Python names with dots between them."""
    return re.fullmatch(r"[a-zA-Z_]\w*(\.[a-zA-Z_]\w*)*", text) is not None


def _find_root(path: Path) -> Path:
    """Return the directory of ``repo.yaml`` at or below *path*."""
    path = path.absolute()
    if (path / "repo.yaml").is_file():
        return path
    for pattern in _BELOW:
        found = sorted(file.parent for file in path.glob(pattern))
        if len(found) > 1:
            shown = ", ".join(str(location.relative_to(path)) for location in found)
            raise RecipeError(
                f"{path} holds several repositories: {shown}",
                hint="give the directory of one of them",
            )
        if found:
            return found[0]
    raise RecipeError(
        f"{path} is not a repository: it has no repo.yaml",
        hint="give the directory of a repo.yaml, or create one: 'repo: {namespace: mine}'",
    )


def _read(file: Path) -> dict[str, tuple[str, int]]:
    """Return the keys below ``repo:`` with their lines.

    The file is a flat mapping of three known keys; reading it here spares a YAML parser at every
    start.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{file}: cannot be read: {error}") from error
    values: dict[str, tuple[str, int]] = {}
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#") or line.startswith("---"):
            continue
        if not line[0].isspace():
            flow = re.fullmatch(r"repo\s*:\s*\{(.*)\}\s*", line)
            if flow:
                for part in flow[1].split(","):
                    key, _, value = part.partition(":")
                    values[key.strip()] = (value.strip().strip("'\""), number)
            inside = re.fullmatch(r"repo\s*:\s*(#.*)?", line) is not None
            if not inside and not flow:
                raise RecipeError(
                    f"{file}:{number}: unexpected {line.strip()!r}",
                    hint="repo.yaml holds 'repo:' with 'namespace:' and 'api:' below it",
                )
            continue
        match = _LINE.fullmatch(line)
        if not inside or not match:
            raise RecipeError(f"{file}:{number}: unexpected {line.strip()!r}")
        values[match["key"]] = (match["value"].strip("'\""), number)
    return values
