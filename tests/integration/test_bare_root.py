"""README's commands in a fresh root that has Python and certificates, and nothing else.

As root and as a user. Needs root, debootstrap and the index of its system.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kits.command import Command, network_variables
from kits.system_programs import find_program

#: Carries out a command in the root at ``$1``, with /proc, /dev and the directories of ``$2``.
#: That is the root of its mounts, as on a machine: after chroot there are no user namespaces.
ENTER = """\
root=$1 shared=$2
shift 2
mount --make-rprivate /
mount --bind "$root" "$root"
cd "$root"
mount -t proc proc proc
mount --rbind /dev dev
for path in $shared; do
    mkdir -p ".$path"
    mount --bind "$path" ".$path"
done
pivot_root . .
umount -l .
cd /
exec "$@"
"""


def suite() -> str:
    """Return the code name of this Debian; empty elsewhere."""
    try:
        text = Path("/etc/os-release").read_text()
    except OSError:
        return ""
    facts = dict(line.partition("=")[::2] for line in text.splitlines())
    return facts.get("VERSION_CODENAME", "") if facts.get("ID") == "debian" else ""


@pytest.fixture(scope="module")
def bare(
    tmp_path_factory: pytest.TempPathFactory, copy_tree: Callable[[Path], Path]
) -> Iterator[Path]:
    """Return a root of Debian's with a copy of this tree at ``/src``."""
    if os.getuid() != 0:
        pytest.skip("only root makes a root directory")
    debootstrap = find_program("debootstrap")
    if debootstrap is None:
        pytest.skip("debootstrap is not installed")
    if not suite():
        pytest.skip("this system is not Debian")
    root = tmp_path_factory.mktemp("bare")
    root.chmod(0o755)
    words = ["--variant=minbase", "--include=python3,ca-certificates", suite(), str(root)]
    done = subprocess.run([debootstrap, *words], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"debootstrap: {(done.stdout + done.stderr).strip().splitlines()[-1]}")
    copy_tree(root / "src")
    for name in ("etc/resolv.conf", "etc/hosts", "etc/pip.conf"):
        if Path("/", name).exists():
            shutil.copy(Path("/", name), root / name)
    certificates = Path("/etc/ssl/certs/ca-certificates.crt")
    if certificates.exists():
        shutil.copy(certificates, root / "etc/ssl/certs")
    yield root
    shutil.rmtree(root, ignore_errors=True)


def run(root: Path, script: str, user: int = 0, *, network: bool = True) -> str:
    """Run a script of sh in the root, and return what it prints; it succeeds."""
    variables = network_variables()
    local = [x for x in variables.get("PIP_FIND_LINKS", "").split() if os.path.isdir(x)]
    environ = {
        "HOME": "/root" if user == 0 else "/home/user",
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    }
    environ.update(variables)
    become = (
        [] if user == 0 else ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]
    )
    inside = [*become, "sh", "-ec", f"cd /src\n{script}"]
    own = ["unshare", "--mount", "--pid", "--fork", *([] if network else ["--net"])]
    done = subprocess.run(
        [*own, "sh", "-c", ENTER, "sh", str(root), " ".join(local), *inside],
        env=environ,
        capture_output=True,
        text=True,
        timeout=900,
    )
    print(f"$ {script}\n{done.stdout}{done.stderr}[status {done.returncode}]")
    assert done.returncode == 0
    return done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("user", [0, 54321])
def test_tests_are_set_up_and_run(bare: Path, user: int) -> None:
    """Without a compiler, git, pip or the venv module; what is missing is listed."""
    (bare / "home/user").mkdir(parents=True, exist_ok=True)
    for path in (bare / "home/user", *([bare / "src", *(bare / "src").rglob("*")])):
        os.chown(path, user, user, follow_symlinks=False)
    shutil.rmtree(bare / "src/.venv-dev", ignore_errors=True)
    tests = "tests/unit/util tests/unit/bootstrap tests/unit/spec/test_parser.py"
    text = run(bare, f"SPACK_TEST_INSTALL=0 tests/run -q {tests}", user)
    assert " passed" in text and " failed" not in text
    assert "git is not installed" in text
    assert "install it with: apt-get install" in text
    assert "python" in run(bare, "bin/spack list python; bin/spack spec py-click", user)


@pytest.mark.slow
def test_what_one_machine_has_built_runs_on_another(
    bare: Path, small: Command, tmp_path: Path
) -> None:
    """Another root without a compiler and a network, another user, a longer path."""
    small("buildcache", "push", "--unsigned", tmp_path / "c", "top", "prog")
    shutil.copytree(tmp_path / "c", bare / "cache", dirs_exist_ok=True)
    home = bare / "home/user"
    home.mkdir(parents=True, exist_ok=True)
    for path in (home, bare / "src", *(bare / "src").rglob("*")):
        os.chown(path, 54321, 54321, follow_symlinks=False)
    store = "/home/user/" + "/".join(["a-much-longer-path-than-on-the-first-machine"] * 2)
    assert len(store) > len(str(small.home.store))
    spack = (
        f"bin/spack -c config:install_tree:root:{store} "
        "-c 'mirrors:site:{url: /cache, signed: false}'"
    )
    run(bare, f"{spack} find", 54321)  # fetches the tool's own dependencies
    text = run(
        bare,
        f"! command -v cc && {spack} buildcache install -o top prog\n"
        f"{store}/*/prog-*/bin/prog && {store}/*/top-*/bin/top\n{spack} verify manifest -a",
        54321,
        network=False,
    )
    assert "top 1.0" in text and "0 with differences" in text
