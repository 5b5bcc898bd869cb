"""Loading recipe classes, with errors that name the recipe's file and line.

Only the build worker, the process that computes facts and explicit commands do this; the finder
(:mod:`spack.repo.finder`) must be installed.
"""

from __future__ import annotations

import importlib
import traceback
from typing import Any

from spack.errors import RecipeError, SpackError
from spack.recipe.package_names import class_name, package_name
from spack.repo.finder import module_name
from spack.repo.repository import Repository

__all__ = ["load_class", "recipe_error"]


def load_class(repository: Repository, directory: str) -> Any:
    """Return the package class of the recipe in *directory*.

    :raises RecipeError: the recipe cannot be read or run, or does not define the class.
    """
    file = repository.packages / directory / "package.py"
    try:
        module = importlib.import_module(module_name(repository, directory))
    except (Exception, SystemExit) as error:
        raise recipe_error(error, str(file)) from error
    expected = class_name(package_name(directory))
    cls = getattr(module, expected, None)
    if not isinstance(cls, type):
        raise RecipeError(
            f"{file}: defines no class {expected}",
            hint=f"the class of package {package_name(directory)} must be named {expected}",
            facts={"file": str(file), "class": expected},
        )
    return cls


def recipe_error(error: BaseException, file: str) -> RecipeError:
    """Return *error* of recipe *file* with the line of the recipe where it arose."""
    if isinstance(error, SyntaxError) and error.filename:
        file, line = error.filename, error.lineno or 1
        text = error.msg
    else:
        line = 0
        for frame in traceback.extract_tb(error.__traceback__):
            if frame.filename == file:
                line = frame.lineno or 0
        text = error.message if isinstance(error, SpackError) else str(error)
    kind = "" if isinstance(error, SpackError) else f"{type(error).__name__}: "
    return RecipeError(
        f"{file}:{line}: {kind}{text}",
        getattr(error, "long_message", None),
        hint=getattr(error, "hint", None) or _HINTS.get(type(error).__name__),
        facts={"file": file, "line": line, "error": type(error).__name__},
        causes=(error,) if isinstance(error, SpackError) else (),
    )


_HINTS = {
    "SyntaxError": "correct the Python of the recipe",
    "IndentationError": "correct the indentation of the recipe",
    "NameError": "is 'from spack.package import *' at the top of the recipe?",
    "ModuleNotFoundError": "recipes may import spack.package, spack_repo and the standard library",
    "SystemExit": "a recipe must not end the interpreter; raise an error instead",
    "ImportError": "the name may belong to a build system that this command does not have",
}
