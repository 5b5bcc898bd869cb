"""This repository inside real Spack: ``python real_spack.py <upstream's recipes> [<spack>]``.

``share/spack_repo/venv`` is what real Spack reads: links to those recipes that it can use before or
after its own. A recipe is among them unless a recipe of upstream's asks for a version or a variant
that it does not have: as the first repository it would take that from upstream's.

* ``--write`` makes the links again.
* With the path of real Spack's command: concretize each of ``--specs`` with upstream's recipes
  alone, with this repository before, and after them; then ``venv.py-black``. ``--install`` installs
  it, with the Python of this machine, below ``--work``; ``--scope`` adds configuration (externals).

The status is 1 if links are missing or superfluous, or if something stops being concretized.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FACE = ROOT / "share" / "spack_repo" / "venv"
sys.path.insert(0, str(ROOT / "lib"))

#: Recipes of what is a part of this engine, or only stands for what a machine has.
STUBS = frozenset(
    (
        *("cmake", "compiler_wrapper", "gcc", "git", "gmake", "libyaml", "llvm", "meson"),
        *("ninja", "pkg_config", "pkgconf", "python", "python_venv", "rust"),
    )
)

SPECS = ("py-numpy", "py-pytest", "py-jupyterlab", "py-poetry", "hdf5+mpi", "py-mypy", "py-sphinx")

PYTHON = """\
packages:
  python:
    buildable: false
    externals:
    - spec: python@{version}+bz2+ctypes+dbm+lzma+pyexpat+pythoncmd+readline+sqlite3+ssl+uuid+zlib
      prefix: {prefix}
"""


def usable(upstream: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield the directories of recipes, each with the upstream packages that it would break."""
    from spack.repo import RepoPath, Repository
    from spack.spec import Spec, Version

    with tempfile.TemporaryDirectory() as cache:
        recipes = RepoPath([Repository.open(upstream), Repository.open(ROOT)], Path(cache))
        broken = recipes.errors()
        own = {}
        for directory in sorted(path.name for path in (ROOT / "packages").iterdir()):
            if directory not in STUBS:
                name = directory.lstrip("_").replace("_", "-")
                own[name] = recipes.get(f"venv.{name}")
        lost: dict[str, set[str]] = {name: set() for name in own}
        for name in recipes.names():
            recipe = None if name in broken else recipes.get(f"builtin.{name}")
            for record in recipe.dependencies if recipe else ():
                spec = Spec.parse(record.spec)
                mine = own.get(spec.name)
                if mine is None:
                    continue
                theirs = recipes.get(f"builtin.{spec.name}")
                variants = {row.name for row in mine.variants} | {"build_system"}
                fits = [
                    any(Version(row.version) in spec.versions for row in found.versions)
                    for found in (mine, theirs)
                    if found is not None
                ]
                if fits == [False, True] or set(spec.variants) - variants:
                    lost[spec.name].add(name)
        for name, names in lost.items():
            yield name.replace("-", "_"), sorted(names)


def check_links(upstream: Path, write: bool) -> list[str]:
    """Return what is wrong with the links, after making them again if asked."""
    wanted = set()
    for directory, lost in usable(upstream):
        if not lost:
            wanted.add(directory)
        else:
            print(f"left out: {directory}: {len(lost)} packages need others, {', '.join(lost[:3])}")
    packages = FACE / "packages"
    if write:
        packages.mkdir(parents=True, exist_ok=True)
        for link in packages.iterdir():
            link.unlink()
        for directory in sorted(wanted):
            (packages / directory).symlink_to(f"../../../../packages/{directory}")
    have = {path.name for path in packages.iterdir()}
    found = [f"{name} is to be linked" for name in sorted(wanted - have)]
    return found + [f"{name} breaks upstream's packages" for name in sorted(have - wanted)]


class RealSpack:
    """Real Spack's command, with directories of its own below *work*."""

    def __init__(self, command: Path, upstream: Path, work: Path, scopes: Sequence[Path]) -> None:
        self.command = command
        self.scopes = scopes
        self.upstream = upstream
        self.work = work

    def __call__(self, order: Sequence[str], *words: str, python: bool = False) -> tuple[int, str]:
        """Run it with the repositories in *order* (``builtin``, ``venv``)."""
        scope = self.work / "-".join(order)
        scope.mkdir(parents=True, exist_ok=True)
        paths = {"builtin": self.upstream, "venv": FACE}
        rows = "".join(f"  {name}: {paths[name]}\n" for name in order)
        (scope / "repos.yaml").write_text(f"repos:\n{rows}")
        (scope / "config.yaml").write_text(
            f"config:\n  install_tree: {{root: {self.work}/store}}\n"
            f"  build_stage: [{self.work}/stage]\n"
        )
        packages = scope / "packages.yaml"
        packages.unlink(missing_ok=True)
        if python:
            version = subprocess.check_output(["/usr/bin/python3", "-V"], text=True).split()[1]
            packages.write_text(PYTHON.format(version=version, prefix="/usr"))
        given = [word for path in self.scopes for word in ("-C", str(path))]
        environ = {**os.environ, "HOME": str(self.work / "home")}
        done = subprocess.run(
            [self.command, "-C", scope, *given, *words], env=environ, capture_output=True, text=True
        )
        return done.returncode, done.stdout + done.stderr


def compare(spack: RealSpack, specs: Sequence[str]) -> int:
    """Concretize *specs* with and without this repository; return how many are lost."""
    lost = 0
    for spec in specs:
        states = {}
        for order in (("builtin",), ("venv", "builtin"), ("builtin", "venv")):
            states[" ".join(order)] = spack(order, "spec", spec)[0] == 0
        lost += states["builtin"] and not all(states.values())
        shown = ", ".join(f"{order}: {'ok' if ok else 'FAILED'}" for order, ok in states.items())
        print(f"{spec:<24}{shown}")
    return lost


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("upstream", type=Path, help="its directory spack_repo/builtin")
    parser.add_argument("spack", type=Path, nargs="?", help="real Spack's command")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--specs", nargs="*", default=SPECS)
    parser.add_argument("--install", action="store_true")
    parser.add_argument("--work", type=Path)
    parser.add_argument("--scope", type=Path, action="append", default=[])
    args = parser.parse_args()
    problems = check_links(args.upstream, args.write)
    print("\n".join(problems) or f"{FACE}: the links are as they should be")
    failed = len(problems)
    if args.spack is not None:
        work = args.work or Path(tempfile.mkdtemp(prefix="real-spack-"))
        spack = RealSpack(args.spack, args.upstream, work, args.scope)
        failed += compare(spack, args.specs)
        words = ["install"] if args.install else ["spec"]
        code, text = spack(("venv", "builtin"), *words, "venv.py-black", python=args.install)
        print(text[-2000:] if code or args.install else "venv.py-black is concretized")
        failed += code != 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
