"""What real Spack reads of this repository: links to recipes (``tests/compat/real_spack.py``)."""

from __future__ import annotations

import os
from pathlib import Path

from spack.repo import Repository


def test_links_lead_to_recipes(root: Path) -> None:
    face = root / "share" / "spack_repo" / "venv"
    links = sorted((face / "packages").iterdir())
    assert len(links) > 30
    for link in links:
        assert os.readlink(link) == f"../../../../packages/{link.name}"
        assert (link / "package.py").is_file()
    repository = Repository.open(face)
    assert repository.namespace == "venv"
    assert repository.exists("py-black") and not repository.exists("python")
    index = (root / "spack-repo-index.yaml").read_text()
    assert "- share/spack_repo/venv\n" in index
