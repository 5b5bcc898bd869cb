"""The pages of the documentation, with their commands carried out as a reader does."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from kits.batch_nodes import batch_nodes
from kits.command import Command
from kits.spack_files import spack_prefix, to_spack_lock, write_spack_index, write_spack_prefix
from kits.transcripts import run_page

DOCS = Path(__file__).parents[2] / "docs"

#: The pages that show commands.
PAGES = sorted(path.stem for path in DOCS.glob("*.md") if "```console" in path.read_text("utf-8"))

pytestmark = pytest.mark.slow


def spack_with_click(spack: Command, home: Path) -> None:
    """Make an environment of Spack in ``~/science`` and what it installed in ``~/spack``."""
    science, root = home / "science", home / "spack" / "opt" / "spack"
    spack("env", "create", "-d", science)
    spack("-e", science, "add", "py-click")
    spack("-e", science, "concretize")
    nodes = to_spack_lock(science / "spack.lock")
    for node in nodes:
        files = {f"share/{node.name}": ""}
        if node.name == "py-click":
            site = f"lib/python{'.'.join(str(node['python'].version).split('.')[:2])}/site-packages"
            files = {f"{site}/click/__init__.py": "import sys\n"}
        if node.name == "python-venv":
            python = [node["python"].extra_attributes["executable"], "-I", "-m", "venv"]
            subprocess.run([*python, "--without-pip", spack_prefix(root, node)], check=True)
        if node.external is None:
            write_spack_prefix(root, node, files)
    write_spack_index(root, nodes)


def recipes_in_git(spack: Command, home: Path) -> None:
    """Make a repository of recipes in ``~/upstream``, as one that is cloned from its URL."""
    git = shutil.which("git")
    if git is None:
        pytest.skip("git is not installed")
    package = home / "upstream" / "spack_repo" / "builtin"
    recipe = package / "packages" / "hello" / "package.py"
    recipe.parent.mkdir(parents=True)
    (package / "repo.yaml").write_text("repo:\n  namespace: builtin\n  api: v2.0\n")
    recipe.write_text(
        "from spack.package import *\n\n\n"
        'class Hello(Package):\n    has_code = False\n    version("2.12")\n'
    )
    (home / "upstream" / "spack-repo-index.yaml").write_text(
        "repo_index:\n  paths:\n  - spack_repo/builtin\n"
    )
    author = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]
    for words in (["init", "-q", "-b", "main"], ["add", "."], [*author, "commit", "-qm", "x"]):
        subprocess.run([git, *words], cwd=home / "upstream", env=spack.variables(), check=True)


def squashfs_tools(spack: Command, home: Path) -> None:
    """Skip the page where the programs of squashfs are missing."""
    if shutil.which("mksquashfs") is None:
        pytest.skip("squashfs-tools is not installed")


#: What a reader of a page has, besides this tool.
HAVING: dict[str, Callable[[Command, Path], None]] = {
    "from-spack": spack_with_click,
    "ship": squashfs_tools,
    "upstream-recipes": recipes_in_git,
}


@pytest.mark.parametrize("page", PAGES)
def test_commands_of_a_page(
    page: str, make_spack: Callable[[Path], Command], tmp_path: Path
) -> None:
    home = tmp_path / "home"
    spack = make_spack(home)
    spack("arch")  # the first command of all also fetches what the tool itself needs
    (home / "spack-venv").symlink_to(spack.root)
    names = {
        str(home): "~",
        str(spack.root): "~/spack-venv",
        str(spack.home.store): "~/spack-venv/opt/spack",
        str(home / "environments"): "~/spack-venv/var/spack/environments",
    }
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    if page in HAVING:
        HAVING[page](spack, home)
    variables = spack.variables()
    variables["PATH"] = f"{spack.root / 'bin'}:{variables['PATH']}"
    with ExitStack() as stack:
        if page == "cluster":
            nodes = stack.enter_context(batch_nodes(tmp_path / "nodes"))
            variables["PATH"] = f"{nodes.bin}:{variables['PATH']}"
        problems = run_page(text, variables, home, names)
    assert not problems, "\n\n".join(problems)
