"""How Sphinx builds these pages; ``tests/kits/documentation.py`` runs it.

The source directory is the top of the tree, so that pages may link to README and CONTRIBUTING as
they do on a web site that shows the files themselves::

    .venv-dev/bin/python -m sphinx -b html -c docs . docs-html
    .venv-dev/bin/python -m sphinx -b man -c docs . man
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from docutils import nodes

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "lib"))

import spack  # noqa: E402

project = "spack-venv"
author = "the spack-venv authors"
copyright = f"2026, {author}"
version = release = spack.__version__

extensions = ["myst_parser"]
root_doc = "docs/index"
include_patterns = ["*.md", "docs/**.md"]
nitpicky = True
# Anchors of headings are GitHub's, which the pages use.
myst_heading_anchors = 5
# `>` blocks of GitHub and bare URLs are not used; what is in the pages is CommonMark with tables.
myst_enable_extensions: list[str] = []
suppress_warnings: list[str] = []

html_theme = "alabaster"
html_theme_options = {"page_width": "1100px"}
html_show_sourcelink = False
html_copy_source = False
html_use_index = False

_AUTHORS = [author]
#: (page, name, description, authors, section).
man_pages = [
    ("docs/reference/commands", "spack", "a package manager for Python stacks", _AUTHORS, 1),
    ("docs/reference/configuration", "spack.yaml", "configuration of spack", _AUTHORS, 5),
    ("docs/reference/package-api", "spack-package-api", "the names of recipes", _AUTHORS, 5),
    ("docs/tutorial", "spack-tutorial", "from nothing to a moved environment", _AUTHORS, 7),
    ("docs/concretizer", "spack-concretizer", "how the concretizer decides", _AUTHORS, 7),
    ("docs/isolation", "spack-isolation", "how builds are isolated", _AUTHORS, 7),
]

_SECTION = re.compile(r"^## (?P<caption>.+)\n(?P<body>(?:(?!^## ).*\n?)*)", re.M)
_LINK = re.compile(r"\]\((?P<page>[\w./-]+)\.md\)")


def with_navigation(text: str) -> str:
    """Return the index with a table of contents for each section, made of the links in it."""
    trees = ["```{toctree}\n:hidden:\n\n/README\n```\n"]
    for section in _SECTION.finditer(text):
        pages = dict.fromkeys(_LINK.findall(section["body"]))
        lines = "\n".join(page.replace("../", "/", 1) for page in pages)
        trees.append(f"```{{toctree}}\n:hidden:\n:caption: {section['caption']}\n\n{lines}\n```\n")
    return "\n".join([text, *trees])


def _read(app: object, page: str, source: list[str]) -> None:
    if page == root_doc:
        source[0] = with_navigation(source[0])


def _for_man(app: Any, tree: nodes.document, page: str) -> None:
    """Give man pages lists of terms for tables of the reference, and no links to other pages."""
    if app.builder.name != "man":
        return
    for link in list(tree.findall(nodes.reference)):
        if link.get("internal") or "refid" in link:
            link.replace_self(link.children)
    if "reference/" in str(page):
        for table in list(tree.findall(nodes.table)):
            table.replace_self(_terms(table))


def _terms(table: nodes.table) -> nodes.definition_list:
    """Return a table as a list: the first column are terms, the last says what they mean."""
    head, body = next(table.findall(nodes.thead)), next(table.findall(nodes.tbody))
    names = [cell.astext() for cell in head[0]]
    found = nodes.definition_list()
    for row in body:
        first, *between, last = row
        term = nodes.term("", "", *[x.deepcopy() for part in first for x in part])
        said = nodes.definition()
        said += nodes.paragraph("", "", *[x.deepcopy() for part in last for x in part])
        facts = [f"{name}: {x.astext()}" for name, x in zip(names[1:], between) if x.astext()]
        if facts:
            said += nodes.paragraph("", "; ".join(facts))
        found += nodes.definition_list_item("", term, said)
    return found


def setup(app: Any) -> None:
    """Connect what happens when a page is read, and before it is written."""
    app.connect("source-read", _read)
    app.connect("doctree-resolved", _for_man)
