"""``bin/activate*`` in the real shells: they find themselves, and give everything back."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from spack.util.environment_modifications import Change
from spack.util.shell import SHELLS
from spack.view.activate import NAME, ROOT, EnvStep, render

from .conftest import TEMPLATES, Make, Store, demo_sources


class Shell(NamedTuple):
    name: str
    family: str
    command: list[str]
    strict: str = ""

    @property
    def script(self) -> str:
        return SHELLS[self.family].activation.template


SHELL_ROWS = [
    Shell("bash", "sh", ["bash", "--norc"], "set -eu\n"),
    Shell("sh", "sh", ["sh"], "set -eu\n"),
    Shell("dash", "sh", ["dash"], "set -eu\n"),
    Shell("zsh", "sh", ["zsh", "-f"], "set -eu\n"),
    Shell("ksh", "sh", ["ksh"], "set -eu\n"),
    Shell("mksh", "sh", ["mksh"], "set -eu\n"),
    Shell("busybox", "sh", ["busybox", "ash"], "set -eu\n"),
    Shell("fish", "fish", ["fish", "--no-config"]),
    Shell("tcsh", "csh", ["tcsh", "-f"]),
    Shell("nu", "nu", ["nu", "--no-config-file"]),
]
IDS = [shell.name for shell in SHELL_ROWS]
EVERY = pytest.mark.parametrize("shell", SHELL_ROWS, ids=IDS)

LOCATIONS = ["view", "with space", "it's $HOME `id`", "ünï ☃", "l" * 200 + "/" + "m" * 100]

#: Set, empty and unset variables, that the activation changes.
BASE = {
    "PATH": "/usr/bin:/bin",
    "HOME": "/nonexistent",
    "LC_ALL": "C.UTF-8",
    "MANPATH": ":/opt/man::",
    "XDG_DATA_DIRS": "",
    "PYTHONHOME": "",
    "TERM": "dumb",
}


#: Prints the environment, and something that parts one such text from the next.
SHOW = "env -0\n"
PART = "printf '\\0@\\0'\n"


def run(shell: Shell, script: str, env: dict[str, str], cwd: Path) -> str:
    program = shutil.which(shell.command[0])
    if program is None:
        pytest.skip(f"the shell {shell.name} is not installed")
    if shell.family == "nu":
        script = script.replace(PART, 'print -n "\\u{0}@\\u{0}"\n')
    path = cwd / f"script.{shell.name}"
    path.write_text(shell.strict + script)
    done = subprocess.run(
        [program, *shell.command[1:], str(path)], capture_output=True, env=env, cwd=cwd, text=True
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    return done.stdout


def source(shell: Shell, path: object) -> str:
    text = str(path)
    if shell.family == "fish":
        quoted = "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
    else:
        quoted = "'" + text.replace("'", "'\\''") + "'"
    if shell.family == "nu":
        return 'overlay use "' + text.replace("\\", "\\\\").replace('"', '\\"') + '"\n'
    return f"{'.' if shell.family == 'sh' else 'source'} {quoted}\n"


def environment(text: str) -> dict[str, str]:
    """Return what ``env -0`` printed, without what shells set for themselves."""
    own = {"_", "SHLVL", "PWD", "OLDPWD", "HOST", "HOSTTYPE", "VENDOR", "OSTYPE", "MACHTYPE"}
    own |= {"CURRENT_FILE", "FILE_PWD", "NU_VERSION", "LAST_EXIT_CODE"}
    own |= {"GROUP", "LOGNAME", "USER", "REMOTEHOST", "SHELL"}
    rows = [row.partition("=") for row in text.split("\0") if row]
    return {name: value for name, _, value in rows if name not in own}


@EVERY
@pytest.mark.parametrize(
    "location", LOCATIONS, ids=["plain", "space", "special", "unicode", "long"]
)
def test_it_finds_itself_where_it_was_moved_to(
    shell: Shell, location: str, tmp_path: Path, store: Store, make: Make
) -> None:
    first = tmp_path / "old" / "view"
    make(first, demo_sources(store))
    view = tmp_path / "new" / location
    view.parent.mkdir(parents=True)
    first.rename(view)
    script = source(shell, view / "bin" / shell.script)
    script += 'printenv VIRTUAL_ENV; tool; python3 -c "import sys; print(sys.prefix)"\n'
    lines = run(shell, script, BASE, tmp_path).splitlines()
    assert lines == [str(view), f"1 2 {view}", str(view)]


@EVERY
def test_deactivate_gives_the_environment_back_byte_for_byte(
    shell: Shell, tmp_path: Path, store: Store, make: Make
) -> None:
    view = tmp_path / "view"
    changes = (
        Change("set", "DEMO_SET", "it's $5"),
        Change("set", "HOME", "/other"),
        Change("append_path", "DEMO_LIST", "/a"),
        Change("append_flags", "DEMO_FLAGS", "-x", " "),
        Change("unset", "DEMO_GONE"),
        Change("prepend_path", "PYTHONPATH", "/nowhere"),
        Change("prepend_path", "LD_LIBRARY_PATH", "/nowhere"),
    )
    make(view, [*demo_sources(store), store.package("env", {"x": ""}, environment=changes)])
    env = {**BASE, "DEMO_LIST": "/z", "DEMO_FLAGS": "-a  -b", "DEMO_GONE": "here"}
    script = SHOW + PART + source(shell, view / "bin" / shell.script)
    script += SHOW + PART + "deactivate\n" + SHOW
    before, during, after = (environment(x) for x in run(shell, script, env, tmp_path).split("@"))
    assert after == before
    changed = {name: value for name, value in during.items() if before.get(name) != value}
    assert changed == {
        "PATH": f"{view}/bin:/usr/bin:/bin",
        "VIRTUAL_ENV": str(view),
        "VIRTUAL_ENV_PROMPT": "view",
        "MANPATH": f"{view}/share/man::/opt/man::",
        "PKG_CONFIG_PATH": f"{view}/lib/pkgconfig",
        "CMAKE_PREFIX_PATH": str(view),
        "XDG_DATA_DIRS": f"{view}/share:/usr/local/share:/usr/share",
        "DEMO_SET": "it's $5",
        "HOME": "/other",
        "DEMO_LIST": "/z:/a",
        "DEMO_FLAGS": "-a  -b -x",
    }
    assert set(before) - set(during) == {"PYTHONHOME", "DEMO_GONE"}


@EVERY
def test_one_view_over_another_and_twice(
    shell: Shell, tmp_path: Path, store: Store, make: Make
) -> None:
    sources = demo_sources(store)
    for name in ("one", "two"):
        make(tmp_path / name, sources)
    script = SHOW + PART
    for name in ("one", "one", "two", "two"):
        script += source(shell, tmp_path / name / "bin" / shell.script)
    script += SHOW + PART + "deactivate\n" + SHOW
    before, during, after = (environment(x) for x in run(shell, script, BASE, tmp_path).split("@"))
    assert during["VIRTUAL_ENV"] == str(tmp_path / "two")
    assert during["PATH"] == f"{tmp_path}/two/bin:/usr/bin:/bin"
    assert after == before


@pytest.mark.parametrize(
    "shell", [row for row in SHELL_ROWS if row.family in ("sh", "csh")], ids=lambda row: row.name
)
def test_in_a_subshell(shell: Shell, tmp_path: Path, store: Store, make: Make) -> None:
    view = tmp_path / "view"
    make(view, demo_sources(store))
    inner = source(shell, view / "bin" / shell.script).strip()
    script = f"( {inner} ; printenv VIRTUAL_ENV )\nprintenv VIRTUAL_ENV || true\n"
    assert run(shell, script, BASE, tmp_path) == f"{view}\n"


@EVERY
@pytest.mark.parametrize("way", ["relative", "from bin", "symlink"])
def test_reached_by_other_ways(
    shell: Shell, way: str, tmp_path: Path, store: Store, make: Make
) -> None:
    view = tmp_path / "real" / "view"
    make(view, demo_sources(store))
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "real")
    script, expected = {
        "relative": (source(shell, f"./real/view/bin/{shell.script}"), view),
        "from bin": (
            # Nushell reads all files before it runs anything, "cd" included.
            ("" if shell.name == "nu" else "cd real/view/bin\n")
            + source(shell, f"./{'real/view/bin/' if shell.name == 'nu' else ''}{shell.script}"),
            view,
        ),
        "symlink": (source(shell, link / "view/bin" / shell.script), link / "view"),
    }[way]
    out = run(shell, script + "printenv VIRTUAL_ENV\ntool\n", BASE, tmp_path).splitlines()
    if way == "symlink" and shell.name not in ("bash", "zsh", "fish", "ksh"):
        # What /proc and Nushell say is the physical path.
        expected = view
    assert out[0] == str(expected)
    assert out[1] in (f"1 2 {expected}", f"1 2 {view}")


@pytest.mark.parametrize("name", ["bash", "zsh", "tcsh", "fish", "dash", "nu"])
def test_the_prompt(name: str, tmp_path: Path, store: Store, make: Make) -> None:
    shell = SHELL_ROWS[IDS.index(name)]
    view = tmp_path / "my view"
    make(view, demo_sources(store))
    start, show = {
        "tcsh": ('set prompt = "old> "\n', 'printf "%s\\n" "$prompt:q"\n'),
        "fish": ("function fish_prompt; printf 'old> '; end\n", "fish_prompt; echo\n"),
        "nu": ("$env.PROMPT_COMMAND = {|| 'old> '}\n", "print (do $env.PROMPT_COMMAND)\n"),
    }.get(name, ("PS1='old> '\n", "printf '%s\\n' \"$PS1\"\n"))
    script = start + source(shell, view / "bin" / shell.script) + show + "deactivate\n" + show
    assert run(shell, script, BASE, tmp_path) == "(my view) old> \nold> \n"


@pytest.mark.parametrize("name", ["bash", "zsh"])
def test_a_name_cannot_run_commands_in_the_prompt(
    name: str, tmp_path: Path, store: Store, make: Make
) -> None:
    shell = SHELL_ROWS[IDS.index(name)]
    view = tmp_path / "$(touch pwned)"
    make(view, demo_sources(store))
    script = "PS1='old> '\n" + source(shell, view / "bin/activate") + "printf '%s\\n' \"$PS1\"\n"
    assert run(shell, script, BASE, tmp_path) == "(view) old> \n"


@EVERY
def test_the_text_for_eval_does_the_same(
    shell: Shell, tmp_path: Path, store: Store, make: Make
) -> None:
    view = tmp_path / "a 'view' $x"
    make(view, demo_sources(store))
    steps = (
        EnvStep("set", "SPACK_ENV", "/envs/a b"),
        EnvStep("set", "VIRTUAL_ENV", ROOT),
        EnvStep("set", "VIRTUAL_ENV_PROMPT", NAME),
        EnvStep("prepend", "PATH", f"{ROOT}/bin"),
    )
    text = render(shell.family, TEMPLATES[shell.script], steps, root=str(view), name="my env")
    (tmp_path / "text").write_text(text)
    load = {
        "sh": 'eval "$(cat text)"\n',
        "fish": "cat text | source\n",
        "csh": 'eval "`cat text`"\n',
        "nu": "overlay use ./text as activate\n",
    }[shell.family]
    script = SHOW + PART + load
    script += SHOW + PART + "deactivate\n" + SHOW
    before, during, after = (environment(x) for x in run(shell, script, BASE, tmp_path).split("@"))
    assert after == before
    assert {name: during[name] for name in during if during[name] != before.get(name)} == {
        "SPACK_ENV": "/envs/a b",
        "VIRTUAL_ENV": str(view),
        "VIRTUAL_ENV_PROMPT": "my env",
        "PATH": f"{view}/bin:/usr/bin:/bin",
    }


def test_a_stdlib_venv_over_a_view_and_back(tmp_path: Path, store: Store, make: Make) -> None:
    view = tmp_path / "view"
    make(view, demo_sources(store))
    assert store.python is not None
    venv = tmp_path / "venv"
    subprocess.run([store.python.executable, "-m", "venv", "--without-pip", venv], check=True)
    shell = SHELL_ROWS[0]
    script = source(shell, view / "bin/activate") + source(shell, venv / "bin/activate")
    script += "printenv PATH\n" + source(shell, view / "bin/activate") + "printenv PATH\n"
    script += "deactivate\nprintenv PATH\n"
    assert run(shell, script, BASE, tmp_path).splitlines() == [
        f"{venv}/bin:/usr/bin:/bin",
        f"{view}/bin:/usr/bin:/bin",
        "/usr/bin:/bin",
    ]


def test_lists_of_nushell_stay_lists(tmp_path: Path, store: Store, make: Make) -> None:
    shell = SHELL_ROWS[IDS.index("nu")]
    view = tmp_path / "view"
    make(view, demo_sources(store))
    script = source(shell, view / "bin/activate.nu")
    script += "print ($env.PATH | to json --raw) $env.MANPATH $env.XDG_DATA_DIRS\n"
    assert run(shell, script, BASE, tmp_path).splitlines() == [
        f'["{view}/bin","/usr/bin","/bin"]',
        f"{view}/share/man::/opt/man::",
        f"{view}/share:/usr/local/share:/usr/share",
    ]
