"""The pages in ``docs``: their links lead to something, and each is led to from the index."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kits import key_meanings, reference_pages
from kits.transcripts import run_page

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]


def prose(page: Path) -> str:
    """Return the text of a page without its code."""
    text = page.read_text(encoding="utf-8")
    return re.sub(r"^```.*?^```$|`[^`\n]*`", "", text, flags=re.M | re.S)


def anchors(page: Path) -> set[str]:
    """Return the anchors of the headings of a page, as GitHub makes them."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    headings = re.findall(r"^#+ (.*)", text, re.M)
    return {re.sub(r"[^\w -]", "", x.lower()).replace(" ", "-") for x in headings}


def links(page: Path) -> list[tuple[Path, str]]:
    """Return the files that a page links to, each with an anchor or an empty text."""
    found = []
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if "://" not in target:
            path, _, anchor = target.partition("#")
            found.append(((page.parent / path).resolve() if path else page, anchor))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_something(page: Path) -> None:
    for target, anchor in links(page):
        assert target.exists(), target
        assert not anchor or anchor in anchors(target), f"{target}#{anchor}"


def test_the_index_leads_to_every_page() -> None:
    index = DOCS / "index.md"
    reached = {target for target, _ in links(index)} | {index}
    assert {page for page in PAGES if page not in reached} == set()


def test_readme_leads_to_the_index() -> None:
    assert DOCS / "index.md" in {target for target, _ in links(ROOT / "README.md")}


def test_reference_pages_are_what_the_program_says() -> None:
    """``python3 tests/kits/reference_pages.py --write`` writes them."""
    assert reference_pages.outdated() == []


def test_every_key_has_a_meaning() -> None:
    """``docs/reference/configuration-keys.yaml`` has them; keys without an effect say so."""
    keys = list(reference_pages.effective_keys())
    assert [key for key in keys if not key_meanings.meaning_of(key)] == []
    assert key_meanings.unused_meanings(iter(keys)) == set()


def test_defaults_are_those_that_count() -> None:
    assert key_meanings.default_of("config:build_jobs") == "16"
    assert key_meanings.default_of("config:package_lock_timeout") == "null"
    assert key_meanings.default_of("config:stage_name") == "spack-stage-{name}-{version}-{hash}"
    assert key_meanings.default_of("config:build_env:pass") == ""


def test_every_command_and_section_has_a_heading() -> None:
    from spack.cli.main import COMMANDS
    from spack.config.keys import SECTIONS

    for page, names in (("commands", COMMANDS), ("configuration", SECTIONS)):
        assert set(names) <= anchors(DOCS / "reference" / f"{page}.md")


@pytest.mark.parametrize(
    ("page", "problems"),
    [
        ("```console\n$ echo py-click@8.1/abcdefg 3.2s\npy-click@9.0.1/gfedcba 1m 2s\n```\n", 0),
        ("```console\n$ echo one; echo two\none\n```\n", 1),
        ("```console\n$ echo one; echo two\none\n...\n```\n", 0),
        ("```console\n$ echo any\n```\n", 0),
        ("```console\n$ false\n```\n", 1),
        ("```console\n$ false\n[1]\n$ exit 1\n```\n", 1),
        ("<!-- run\nfalse\n-->\n", 1),
        ("```yaml\n# ~/a/b.yaml\nx: 1\n```\n```console\n$ cat ~/a/b.yaml\nx: 1\n```\n", 0),
        ("```console\n$ cd /; x=1\n(work) $ echo $PWD$x ~\n/1 ~\n```\n", 0),
    ],
)
def test_a_page_is_compared_with_its_run(page: str, problems: int, tmp_path: Path) -> None:
    variables = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    assert len(run_page(page, variables, tmp_path, {str(tmp_path): "~"})) == problems


def test_changelog_has_the_version() -> None:
    import spack

    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## {re.escape(spack.__version__)} - \d{{4}}-\d\d-\d\d$", changes, re.M)
    assert "## Unreleased" in changes
