"""The text of a recipe that was drafted, in the form that its repository's formatter gives it."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator

from spack.actions.recipe_draft import DraftDependency, RecipeDraft
from spack.recipe.package_names import class_name
from spack.util.project_names import normalized

__all__ = ["dependency_text", "directive", "quoted", "recipe_text", "version_text"]

#: Columns of a recipe, as upstream formats them.
WIDTH = 99

_INDENT = "    "

#: Labels of ``Project-URL`` that name a project's page, best first.
_PAGES = ("homepage", "home", "home page", "repository", "source", "source code", "code", "github")


def recipe_text(draft: RecipeDraft) -> str:
    """Return the whole recipe."""
    blocks = [
        _docstring(draft),
        _addresses(draft),
        _imports(draft),
        _licenses(draft),
        _versions(draft),
        _variants(draft),
        _dependencies(draft),
        _notes(draft),
    ]
    body = "\n".join(
        "".join(f"{line}\n" if line else "\n" for line in lines)
        for lines in (list(block) for block in blocks)
        if lines
    )
    return (
        "from spack_repo.builtin.build_systems.python import PythonPackage\n\n"
        "from spack.package import *\n\n\n"
        f"class {class_name(draft.name)}(PythonPackage):\n{body}"
    )


def _docstring(draft: RecipeDraft) -> Iterator[str]:
    text = draft.newest.value("Summary").replace("\\", "\\\\").replace('"""', '"')
    text = text.rstrip('"').strip() or f"The Python project {draft.project}"
    text += "" if text[-1] in ".!?" else "."
    yield from _wrapped(f'"""{text}"""', "")


def _addresses(draft: RecipeDraft) -> Iterator[str]:
    page = _homepage(draft)
    yield (
        f"{_INDENT}homepage = {quoted(page)}"
        if page
        else _comment("homepage: the metadata name none")
    )
    project = normalized(draft.project)
    if draft.url is not None:
        yield f"{_INDENT}url = {quoted(draft.url)}"
        return
    yield f"{_INDENT}pypi = {quoted(f'{project}/{draft.newest.filename}')}"


def _homepage(draft: RecipeDraft) -> str:
    release = draft.newest
    named: dict[str, str] = {}
    for text in release.values("Project-URL"):
        label, _, url = text.partition(",")
        named.setdefault(label.strip().lower().replace("-", " "), url.strip())
    urls = [release.value("Home-page"), *(named.get(label, "") for label in _PAGES)]
    urls += named.values()
    return next((url for url in urls if url.startswith(("https://", "http://"))), "")


def _imports(draft: RecipeDraft) -> Iterator[str]:
    modules = list(draft.newest.modules)
    expected = normalized(draft.project).replace("-", "_")
    if modules and modules != [expected] and expected not in modules:
        yield f"{_INDENT}import_modules = [{', '.join(map(quoted, modules))}]"
    elif not modules:
        yield _comment("import_modules: the source archive does not show which modules there are")


def _licenses(draft: RecipeDraft) -> Iterator[str]:
    for text, when in draft.licenses:
        yield from directive("license", [quoted(text)], when=when)
    for text, when in draft.license_notes:
        yield from _comments(f"license: {text} (no SPDX expression){_about(when)}")
    if not draft.licenses and not draft.license_notes:
        yield _comment("license: the metadata name none")


def _versions(draft: RecipeDraft) -> Iterator[str]:
    for release in draft.releases:
        yield from version_text(release.version, release.sha256, release.filename)


def version_text(version: str, sha256: str, filename: str = "") -> list[str]:
    """Return the lines of one ``version``."""
    words = [quoted(version), f"sha256={quoted(sha256)}"]
    if filename.endswith(".whl"):
        words.append("expand=False")
    return directive("version", words)


def _variants(draft: RecipeDraft) -> Iterator[str]:
    for variant in draft.variants:
        words = [quoted(variant.name), "default=False"]
        words.append(f"description={quoted(f'Install what the extra {variant.extra} needs')}")
        yield from directive("variant", words, when=variant.when)
    for spec, when in draft.switched:
        yield from directive("requires", [quoted(spec)], when=when)
    if draft.left_out:
        names = ", ".join(draft.left_out)
        yield from _comments(f"extras for developers of the project, left out: {names}")


def _dependencies(draft: RecipeDraft) -> Iterator[str]:
    yield from _of_dependencies(draft.dependencies)


def _of_dependencies(rows: Iterable[DraftDependency]) -> Iterator[str]:
    before = None
    for row in rows:
        kind = "build" in row.need.types
        if before is not None and before != kind:
            yield ""
        before = kind
        yield from dependency_text(row)


def dependency_text(row: DraftDependency) -> list[str]:
    """Return the lines of one ``depends_on``."""
    types = [quoted(x) for x in row.need.types]
    shown = types[0] if len(types) == 1 else f"({', '.join(types)})"
    when = " ".join(filter(None, (row.when, row.need.when)))
    if row.need.when.startswith("+") and row.when:
        when = f"{row.when}{row.need.when}"
    return list(directive("depends_on", [quoted(row.need.spec), f"type={shown}"], when=when))


def _notes(draft: RecipeDraft) -> Iterator[str]:
    for text, when in draft.notes:
        yield from _comments(f"not in this recipe: {text}{_about(when)}")


def _about(when: str) -> str:
    return f" (versions {when[1:]})" if when else ""


def directive(name: str, words: list[str], when: str = "", indent: str = _INDENT) -> list[str]:
    """Return the lines of a call in a recipe, no longer than :data:`WIDTH` where that can be."""
    words = [*words, f"when={quoted(when)}"] if when else words
    line = f"{indent}{name}({', '.join(words)})"
    if len(line) <= WIDTH:
        return [line]
    inner = f"{indent}{_INDENT}{', '.join(words)}"
    if len(inner) <= WIDTH:
        return [f"{indent}{name}(", inner, f"{indent})"]
    return [f"{indent}{name}(", *(f"{indent}{_INDENT}{word}," for word in words), f"{indent})"]


def quoted(text: str) -> str:
    """Return a text as a literal of Python."""
    return json.dumps(text, ensure_ascii=False)


def _comment(text: str) -> str:
    return f"{_INDENT}# {text}"


def _comments(text: str) -> list[str]:
    return _wrapped(text, "# ")


def _wrapped(text: str, mark: str) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH - 4,
        initial_indent=_INDENT + mark,
        subsequent_indent=_INDENT + mark,
        break_long_words=False,
        break_on_hyphens=False,
    )
