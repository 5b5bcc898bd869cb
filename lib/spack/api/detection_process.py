"""The process that asks recipes what software of the machine is: it runs their code.

Standard input is a JSON document: ``path`` (``sys.path``), ``repositories`` (their roots) and
``work``, a list of ``[repository, directory, {prefix: [files]}]``. For each software found a JSON
line is written: ``{"name", "spec", "prefix", "extra_attributes"}``; for a recipe that fails,
``{"name", "error"}``.

What a recipe may define (as classmethods, upstream's names): ``filter_detected_exes``,
``determine_version``, ``determine_variants``, ``determine_spec_details`` and
``validate_detected_spec``.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["main"]


def main() -> int:
    """Run the process."""
    request = json.load(sys.stdin)
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what recipes print is not an answer
    from spack.recipe.package_names import package_name
    from spack.repo.finder import install_finder
    from spack.repo.repository import Repository

    repositories = [Repository.open(Path(root)) for root in request["repositories"]]
    install_finder(repositories)
    for index, directory, groups in request["work"]:
        name = package_name(directory)
        try:
            for row in _detected(repositories[index], directory, groups):
                answers.write(json.dumps({"name": name, **row}) + "\n")
        except (Exception, SystemExit) as error:
            answers.write(json.dumps({"name": name, "error": str(error) or repr(error)}) + "\n")
        answers.flush()
    return 0


def _detected(
    repository: Any, directory: str, groups: Mapping[str, Sequence[str]]
) -> Iterator[Mapping[str, Any]]:
    from spack.repo.load_class import load_class

    cls = load_class(repository, directory)
    if not hasattr(cls, "determine_version") and not hasattr(cls, "determine_spec_details"):
        return  # what its names are for, the recipe does not say
    for prefix, files in groups.items():
        for text, extra in _specs(cls, prefix, files):
            yield {"spec": text, "prefix": prefix, "extra_attributes": extra}


def _specs(cls: Any, prefix: str, files: Sequence[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    from spack.recipe.package_names import package_name
    from spack.spec import Spec

    own = package_name(cls.__module__.split(".")[-2])
    details = getattr(cls, "determine_spec_details", None)
    if details is not None:
        found = details(prefix, set(files))
        for spec in found if isinstance(found, (list, tuple)) else filter(None, [found]):
            yield str(spec), getattr(spec, "extra_attributes", None) or {}
        return
    choose = getattr(cls, "filter_detected_exes", None)
    chosen = sorted(choose(prefix, list(files)) if choose is not None else files)
    by_version: dict[str, list[str]] = {}
    failed: list[Exception] = []
    for file in chosen:
        try:
            version = cls.determine_version(file)
        except Exception as error:  # a program of this name that is something else
            failed.append(error)
            continue
        if version:
            by_version.setdefault(str(version), []).append(file)
    if failed and not by_version:
        raise failed[0]
    for version, of in by_version.items():
        for variants, extra in _variants(cls, of, version):
            text = f"{own}@{version} {variants}".strip()
            Spec.parse(text)
            if _is_valid(cls, text, extra):
                yield text, extra


def _variants(
    cls: Any, files: Sequence[str], version: str
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the variants of one installation, each with what else is known of it."""
    determine = getattr(cls, "determine_variants", None)
    found = determine(files, version) if determine is not None else ""
    for row in found if isinstance(found, list) else [found or ""]:
        variants, extra = row if isinstance(row, tuple) else (row, {})
        yield " ".join(str(variants).split()), dict(extra or {})


def _is_valid(cls: Any, text: str, extra: Mapping[str, Any]) -> bool:
    """Return whether the recipe takes what it has found for what it describes."""
    from spack.spec import Spec

    validate = getattr(cls, "validate_detected_spec", None)
    if validate is None:
        return True
    try:
        validate(Spec.parse(text), extra)
    except Exception:  # whatever a recipe raises means no
        return False
    return True
