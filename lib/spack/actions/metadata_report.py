"""Findings about a build's metadata: written into its log, reported, and used as hints."""

from __future__ import annotations

from dataclasses import replace
from typing import Callable

from spack.build.job import BuildFailure
from spack.build.options import BuildOptions
from spack.errors import InstallError
from spack.install.interfaces import BuildRequest
from spack.recipe.records import Recipe
from spack.recipe.requirements import RequirementFinding
from spack.spec import ConcreteSpec
from spack.util.report import Reporter

__all__ = ["report_findings", "with_module_hint"]

#: Compares a node's recipe with metadata; the last argument finds other recipes.
Look = Callable[
    [ConcreteSpec, Recipe, Callable[[str], "Recipe | None"]], "list[RequirementFinding]"
]


def with_module_hint(
    failure: BuildFailure, spec: ConcreteSpec, build_options: BuildOptions
) -> BuildFailure:
    """Return the failure with the package that has the missing module, if it names one."""
    from spack.actions import metadata  # start-up: only after a failure

    text = "\n".join((*failure.excerpt, failure.long_message or "", failure.message))
    recipe, recipe_of = build_options.recipe(spec), build_options.recipes.get
    suggested = metadata.module_hint(text, recipe, recipe_of, spec)
    return replace(failure, hint=suggested) if suggested is not None else failure


def report_findings(
    build_options: BuildOptions,
    request: BuildRequest,
    reporter: Reporter,
    look: Look,
) -> None:
    """Write what the recipe and the package's needs differ in into the log, and report it.

    Superfluous dependencies do the user no harm, nor do narrow bounds: these are for
    ``spack audit``.

    :raises InstallError: there is something, and the metadata is to be taken strictly.
    """
    spec = request.spec
    recipes = build_options.recipes
    found = look(spec, build_options.recipe(spec), recipes.get)
    found = [row for row in found if row.kind != "narrow"]
    if not found:
        return
    lines = [f"metadata: {row.kind}: {row}" for row in found]
    with open(request.log, "a", encoding="utf-8") as log:
        log.writelines(f"==> Warning: {line}\n" for line in lines)
    if build_options.strict_metadata:
        raise InstallError(
            f"the recipe of {spec.name} and its metadata differ",
            "\n".join(lines),
            facts={"findings": [tuple(row) for row in found]},
            hint="correct the recipe, or install without --strict-metadata",
            ref="metadata",
        )
    for row in found:
        if row.kind == "missing":
            reporter.warning(f"{spec.short}: {row}")
