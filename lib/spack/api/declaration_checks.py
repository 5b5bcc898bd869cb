"""What the texts of directives must be; any other text is an error when the recipe is loaded."""

from __future__ import annotations

import re
from collections.abc import Iterable

from spack.errors import RecipeError
from spack.recipe.records import LicenseRecord
from spack.spec import Spec, Version, VersionError

__all__ = ["check_dependency", "check_license", "check_version"]


def check_version(text: str) -> None:
    """Require that *text* is one exact version.

    :raises RecipeError: it is not.
    """
    if text.startswith("="):
        raise RecipeError(
            f'version("{text}") starts with "="', hint="declared versions are exact by themselves"
        )
    try:
        Version(text)
    except VersionError as error:
        raise RecipeError(
            f'version("{text}") is not one version',
            hint="declare each version by itself; ranges belong into conditions",
        ) from error


def check_dependency(text: str) -> None:
    """Require that *text* is a constraint on one named package. Cost: about 1 us.

    :raises RecipeError: it is not.
    """
    if "^" in text:
        raise RecipeError(
            f'depends_on("{text}"): "^" cannot be used here',
            hint="write one depends_on for each dependency",
        )
    name = re.match(r"[\w.-]+", text)
    if name is None or text[name.end() : name.end() + 1] in ("=", ":"):
        raise RecipeError(
            f'depends_on("{text}") names no package',
            hint="write the package first, as in zlib@1.2:",
        )


def check_license(declared: Iterable[object], record: LicenseRecord) -> None:
    """Require that no license in *declared* can hold together with that in *record*.

    :raises RecipeError: one can.
    """
    for other in declared:
        if isinstance(other, LicenseRecord) and Spec(other.when).intersects(record.when):
            raise RecipeError(
                f"two licenses hold at once: {_shown(other)} and {_shown(record)}",
                hint="write conditions that exclude each other, or one SPDX expression",
            )


def _shown(record: LicenseRecord) -> str:
    return f"{record.expression} when {record.when}" if record.when else record.expression
