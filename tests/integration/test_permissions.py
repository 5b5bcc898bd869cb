"""What is installed is read-only, whatever the umask; the configuration says that may read it."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from kits.command import Command, TakeSnapshot
from kits.recipe_repository import RecipeRepository

INSTALL = """\
mkdirp(prefix.etc.deep)
with open(prefix.etc.deep.secret, "w") as stream:
    stream.write("x")
__import__("os").chmod(prefix.etc.deep.secret, 0o600)
__import__("os").chmod(prefix.etc.deep, 0o700)
"""


SET_ID = """\
touch(prefix.su)
__import__("os").chmod(prefix.su, 0o4755)
"""


def modes(prefix: Path) -> dict[str, str]:
    """Of the prefix and all below it but links."""
    paths = [prefix, *(path for path in prefix.rglob("*") if not path.is_symlink())]
    return {str(p.relative_to(prefix)): oct(stat.S_IMODE(p.stat().st_mode)) for p in paths}


@pytest.fixture
def installed(spack: Command, recipes: RecipeRepository) -> Command:
    """Return a package with odd modes and a Python project."""
    recipes.plain("odd", install=INSTALL)
    recipes.python_project("sweet", {"sweet.py": "x = 1\n"})
    spack("install", "odd", "py-sweet")
    return spack


def test_files_cannot_be_written_and_the_umask_does_not_matter(installed: Command) -> None:
    spack = installed
    found = {name: modes(spack.prefix(name)) for name in ("odd", "py-sweet")}
    for tree in found.values():
        assert set(tree.values()) <= {"0o755", "0o555", "0o444"}, tree
    assert found["odd"]["bin/odd"] == "0o555"
    assert found["odd"]["etc/deep"] == "0o755"
    assert found["odd"]["etc/deep/secret"] == "0o444"
    assert found["odd"][".spack/install_record.json"] == "0o444"
    for umask in ("077", "000"):
        narrow = ("sh", "-c", f'umask {umask}; exec "$@"', "sh")
        spack("install", "--overwrite", "odd", "py-sweet", under=narrow)
        for name, tree in found.items():
            assert modes(spack.prefix(name)) == tree, umask
    for folder in (spack.prefix("odd").parent, spack.prefix("odd")):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    # Marking writes into the prefix, and keeps its mode.
    spack("uninstall", "-y", "py-sweet")
    spack("gc", "-y")
    assert spack.names() == ["odd"]
    spack("uninstall", "-y", "odd")
    assert list(spack.home.store.iterdir()) == [spack.home.store / ".spack-db"]


def test_verify_reports_modes(installed: Command) -> None:
    spack = installed
    location = spack.prefix("odd") / "bin" / "odd"
    location.chmod(0o755)
    result = spack("verify", "odd", check=False)
    assert result.code == 1
    assert "    bin/odd: mode 0755, not 0555" in result.lines


@pytest.mark.parametrize("link_type", ["symlink", "hardlink", "copy"])
def test_views_of_read_only_files(
    installed: Command, link_type: str, tree_of: TakeSnapshot, tmp_path: Path
) -> None:
    """What pip does in a view, and a user to its files, does not reach the store."""
    spack = installed
    before = {name: tree_of(spack.prefix(name)) for name in ("odd", "py-sweet")}
    directory = tmp_path / "environment"
    directory.mkdir()
    (directory / "spack.yaml").write_text(
        "spack:\n  specs: [odd, py-sweet]\n  view:\n    default:\n      root: view\n"
        f"      link_type: {link_type}\n"
    )
    spack("-e", directory, "install")
    view = directory / "view"
    odd = view / "etc" / "deep" / "secret"
    writable = bool(odd.stat().st_mode & 0o200)
    assert writable == (link_type == "copy")
    for path in (odd, *view.rglob("sweet.py")):
        path.unlink()
        path.write_text("the person's own\n")
    spack("-e", directory, "env", "view", "regenerate")
    assert {name: tree_of(spack.prefix(name)) for name in before} == before


def test_permissions_of_packages(spack: Command, recipes: RecipeRepository) -> None:
    recipes.plain("odd", install=INSTALL)
    recipes.plain("other")
    group = subprocess.run(["id", "-gn"], capture_output=True, text=True).stdout.strip()
    (spack.home.config / "packages.yaml").write_text(
        "packages:\n  all:\n    permissions:\n      read: group\n      group: "
        f"{group}\n  other:\n    permissions:\n      read: world\n      write: group\n"
    )
    spack("install", "odd", "other")
    odd, other = modes(spack.prefix("odd")), modes(spack.prefix("other"))
    assert (odd["."], odd["etc/deep"], odd["bin/odd"]) == ("0o2750", "0o2750", "0o550")
    assert odd[".spack/install_record.json"] == "0o440"
    assert (other["bin"], other["bin/other"]) == ("0o2775", "0o775")
    assert {path.lstat().st_gid for path in spack.prefix("odd").rglob("*")} == {os.getgid()}
    spack("-c", "config:allow_sgid:false", "install", "--overwrite", "odd")
    assert modes(spack.prefix("odd"))["bin"] == "0o750"


def test_permissions_that_make_no_sense(spack: Command, recipes: RecipeRepository) -> None:
    recipes.plain("one")
    for setting, reported in (
        ("{read: user, write: group}", "write: group lets more write than read: user"),
        ("{group: no-such-group}", "the group 'no-such-group' is not known"),
    ):
        text = f"packages:one:permissions:{setting}"
        result = spack.fails("-c", text, "install", "one")
        assert reported in result.err
        assert spack.names() == []


def test_set_id_bits_are_dropped(spack: Command, recipes: RecipeRepository) -> None:
    recipes.plain("one", install=SET_ID)
    result = spack("install", "one")
    assert "su is installed without its set-id bit" in result.text
    assert modes(spack.prefix("one"))["su"] == "0o555"
