"""The style tools: where their environment is, and how each tool is called.

The tools are ordinary packages: built from their sdists into an install tree of their own and shown
by the view of one environment, so ``spack style`` works wherever ``spack install`` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from spack.util.filesystem import atomic_write

__all__ = ["LOCATION", "STORE", "TOOLS", "StyleTool", "arguments", "prepare_environment"]

#: The description of the environment, below ``share``.
DESCRIPTION = "environments/style/spack.yaml"

#: Where the environment, and the install tree of its packages, are below ``bootstrap:root``.
LOCATION, STORE = "style_tools", "store"


class StyleTool(NamedTuple):
    """How a tool is called.

    :ivar check: arguments that only look. :ivar fix: arguments that mend, or None.
    :ivar configured: (file, text in it) of which one means that a project configures the tool.
    :ivar defaults: arguments where the project does not.
    :ivar recipe: arguments for recipes; None leaves them out.
    """

    check: tuple[str, ...]
    fix: tuple[str, ...] | None
    configured: tuple[tuple[str, str], ...]
    defaults: tuple[str, ...]
    recipe: tuple[str, ...] | None


_WIDTH = ("--line-length", "99")

#: In the order in which they run: what mends comes before what only looks. Recipes follow the
#: style of upstream's: 99 columns, ``spack.package`` last among the imports and star-imported.
TOOLS: dict[str, StyleTool] = {
    "isort": StyleTool(
        ("--check-only", "--diff", "--quiet"),
        ("--quiet",),
        (("pyproject.toml", "[tool.isort"), (".isort.cfg", ""), ("setup.cfg", "[isort")),
        ("--profile", "black", *_WIDTH),
        ("--profile", "black", *_WIDTH, "-o", "spack_repo", "-p", "spack"),
    ),
    "black": StyleTool(
        ("--check", "--diff", "--quiet"),
        ("--quiet",),
        (("pyproject.toml", "[tool.black"),),
        _WIDTH,
        (*_WIDTH, "--skip-magic-trailing-comma"),
    ),
    "flake8": StyleTool(
        (),
        None,
        ((".flake8", ""), ("setup.cfg", "[flake8"), ("tox.ini", "[flake8")),
        ("--max-line-length", "99"),
        ("--max-line-length", "99", "--extend-ignore", "E203,F403,F405"),
    ),
    "mypy": StyleTool(
        ("--no-error-summary",),
        None,
        (
            ("pyproject.toml", "[tool.mypy"),
            ("mypy.ini", ""),
            (".mypy.ini", ""),
            ("setup.cfg", "[mypy"),
        ),
        ("--ignore-missing-imports",),
        None,
    ),
}


def prepare_environment(share: Path, root: Path) -> Path:
    """Return the directory of the tools' environment after its ``spack.yaml`` is up to date.

    :param root: of what is bootstrapped.
    :raises OSError: it cannot be written.
    """
    location = root / LOCATION
    text = (share / DESCRIPTION).read_text(encoding="utf-8")
    manifest = location / "spack.yaml"
    if not manifest.is_file() or manifest.read_text(encoding="utf-8") != text:
        location.mkdir(parents=True, exist_ok=True)
        atomic_write(manifest, text)
    return location


def arguments(name: str, files: Sequence[Path], root: Path, *, fix: bool) -> list[list[str]]:
    """Return the argument lists of the runs of one tool over *files*; none where nothing applies.

    :param root: of the project; its own configuration replaces our defaults.
    """
    tool = TOOLS[name]
    mode = tool.fix if fix and tool.fix is not None else tool.check
    recipes = [str(file) for file in files if file.name == "package.py"]
    modules = [str(file) for file in files if file.name != "package.py"]
    runs = []
    if modules:
        defaults = () if _is_configured(tool, root) else tool.defaults
        runs.append([*mode, *defaults, *modules])
    if recipes and tool.recipe is not None:
        runs.append([*mode, *tool.recipe, *recipes])
    return runs


def _is_configured(tool: StyleTool, root: Path) -> bool:
    for name, text in tool.configured:
        try:
            if text in (root / name).read_text(encoding="utf-8", errors="replace"):
                return True
        except OSError:
            continue
    return False
