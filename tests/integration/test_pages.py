"""The pages of the documentation, with their commands carried out as a reader does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kits.command import Command
from kits.transcripts import run_page

DOCS = Path(__file__).parents[2] / "docs"

#: The pages that show commands.
PAGES = sorted(path.stem for path in DOCS.glob("*.md") if "```console" in path.read_text("utf-8"))

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("page", PAGES)
def test_commands_of_a_page(
    page: str, make_spack: Callable[[Path], Command], tmp_path: Path
) -> None:
    home = tmp_path / "home"
    spack = make_spack(home)
    (home / "spack-venv").symlink_to(spack.root)
    names = {
        str(home): "~",
        str(spack.root): "~/spack-venv",
        str(spack.home.store): "~/spack-venv/opt/spack",
        str(home / "environments"): "~/spack-venv/var/spack/environments",
    }
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    variables = spack.variables()
    variables["PATH"] = f"{spack.root / 'bin'}:{variables['PATH']}"
    problems = run_page(text, variables, home, names)
    assert not problems, "\n\n".join(problems)
