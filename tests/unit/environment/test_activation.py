"""``spack env activate``, ``load`` and ``cd`` through share/setup-env.* in the real shells.

``bin/spack`` is a small program here, that prints what the real one does for these commands.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from spack.environment.activation import (
    activation_text,
    deactivation_text,
    delta_text,
    load_delta,
    load_state,
    steps_from_settings,
)
from spack.errors import UsageError
from spack.view.activate import NAME, ROOT, EnvStep
from spack.view.view_manifest import Activation

REPO = Path(__file__).resolve().parents[3]
TEMPLATES = {p.name: p.read_text() for p in (REPO / "share/activate").iterdir()}

PROGRAM = """\
#!{python} -IS
import os, sys
sys.path.insert(0, {lib!r})
from pathlib import Path
from spack.environment import activation as a
from spack.view.activate import NAME, ROOT, EnvStep
from spack.view.view_manifest import Activation

words = [word for word in sys.argv[1:] if word not in ("--sh", "--csh", "--fish", "--")]
shell = next((word[2:] for word in sys.argv if word in ("--sh", "--csh", "--fish")), "")
templates = {{p.name: p.read_text() for p in Path({share!r}, "activate").iterdir()}}
active = Activation((
    EnvStep("set", "VIRTUAL_ENV", ROOT), EnvStep("set", "VIRTUAL_ENV_PROMPT", NAME),
    EnvStep("unset", "PYTHONHOME"), EnvStep("prepend", "PATH", ROOT + "/bin"),
    EnvStep("prepend", "MANPATH", ROOT + "/share/man", ":", ":"),
), "", True)
if words[:2] == ["env", "activate"] and shell and words[2] == "early":
    awaited = (EnvStep("set", a.AWAITS_VIEW, "1"),)
    print(a.activation_text(shell, templates, environment="one", name="one", extra=awaited), end="")
elif words[:2] == ["env", "activate"] and shell:
    if words[2] == "missing":
        sys.exit("no such environment")
    print(a.activation_text(shell, templates, environment="/envs/" + words[2], name=words[2],
                            view="/views/" + words[2], activation=active), end="")
elif words[:2] == ["env", "deactivate"] and shell:
    view = os.environ.get("VIRTUAL_ENV", "")
    print(a.deactivation_text(shell, os.environ, view=view, activation=active), end="")
elif words[0] in ("load", "unload") and shell:
    hashes = list(a.load_state(os.environ).hashes)
    for word in words[1:]:
        hashes.append(word) if words[0] == "load" else hashes.remove(word)
    if words[0] == "unload" and len(words) == 1:
        hashes = []
    delta = a.load_delta(os.environ, hashes, "/views/" + "-".join(hashes), active)
    print(a.delta_text(shell, delta, os.environ), end="")
elif words[0] == "location":
    print({location!r})
else:
    if "quiet" not in words:
        print("ran", *sys.argv[1:])
    sys.exit(3 if "fail" in words else 0)
"""


class Shell(NamedTuple):
    name: str
    family: str
    command: list[str]
    setup: str
    strict: str = ""


SHELLS = [
    Shell("bash", "sh", ["bash", "--norc"], "setup-env.sh", "set -eu\n"),
    Shell("dash", "sh", ["dash"], "setup-env.sh", "set -eu\n"),
    Shell("zsh", "sh", ["zsh", "-f"], "setup-env.sh", "set -eu\n"),
    Shell("ksh", "sh", ["ksh"], "setup-env.sh", "set -eu\n"),
    Shell("fish", "fish", ["fish", "--no-config"], "setup-env.fish"),
    Shell("tcsh", "csh", ["tcsh", "-f"], "setup-env.csh"),
]
EVERY = pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell.name)

BASE = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", "TERM": "dumb"}
OWN = {"_", "SHLVL", "PWD", "OLDPWD", "HOST", "HOSTTYPE", "VENDOR", "OSTYPE", "MACHTYPE"} | {
    "GROUP", "LOGNAME", "USER", "REMOTEHOST", "SHELL",
}  # fmt: skip


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """Return a clone with our share and a small program, in a directory with a difficult name."""
    top = tmp_path / "a clone's dir"
    (top / "bin").mkdir(parents=True)
    shutil.copytree(REPO / "share", top / "share", ignore=shutil.ignore_patterns("environments"))
    program = top / "bin/spack"
    (tmp_path / "a place").mkdir()
    program.write_text(
        PROGRAM.format(
            python=sys.executable,
            lib=str(REPO / "lib"),
            share=str(top / "share"),
            location=str(tmp_path / "a place"),
        )
    )
    program.chmod(0o755)
    return top


def run(shell: Shell, top: Path, script: str, status: int = 0, **env: str) -> str:
    if shutil.which(shell.name) is None:
        pytest.skip(f"the shell {shell.name} is not installed")
    text = str(top / "share" / shell.setup)
    if shell.family == "fish":
        quoted = "'" + text.replace("'", "\\'") + "'"
    else:
        quoted = "'" + text.replace("'", "'\\''") + "'"
    source = "." if shell.family == "sh" else "source"
    path = top.parent / f"script.{shell.name}"
    path.write_text(f"{shell.strict}{source} {quoted}\n{script}")
    done = subprocess.run(
        [*shell.command, str(path)],
        capture_output=True,
        env={**BASE, **env},
        cwd=top.parent,
        text=True,
    )
    assert done.returncode == status, done.stderr
    if status == 0:
        assert done.stderr == ""
    return done.stdout


def environments(text: str) -> list[dict[str, str]]:
    found = []
    for part in text.split("@@"):
        rows = [row.strip("\n").partition("=") for row in part.split("\0") if row.strip("\n")]
        found.append({name: value for name, _, value in rows if name not in OWN})
    return found


SHOW = "env -0\nprintf '@@'\n"


@EVERY
def test_an_environment_that_was_activated_before_its_first_install(
    shell: Shell, top: Path
) -> None:
    """The command that makes the view activates it; others do not, nor one that fails."""
    script = SHOW + "spack env activate early\nspack add quiet\n" + SHOW
    script += "spack install quiet\n" + SHOW + "spack env deactivate\n" + SHOW
    before, early, after, left, _ = environments(run(shell, top, script, MANPATH=":/m::"))
    changed = {key: value for key, value in early.items() if before.get(key) != value}
    assert changed == {"SPACK_ENV": "one", "SPACK_ENV_AWAITS_VIEW": "1"}
    changed = {key: value for key, value in after.items() if before.get(key) != value}
    assert changed["SPACK_ENV"] == "/envs/one"
    assert changed["PATH"].startswith("/views/one/bin:")
    assert "SPACK_ENV_AWAITS_VIEW" not in after
    assert left == before


@EVERY
def test_activate_and_deactivate(shell: Shell, top: Path) -> None:
    script = SHOW + "spack env activate one\n" + SHOW + "spack env activate two\n" + SHOW
    out = run(shell, top, script + "spack env deactivate\n" + SHOW, MANPATH=":/m::")
    before, one, two, after, _ = environments(out)
    assert after == before
    for during, name in ((one, "one"), (two, "two")):
        changed = {key: value for key, value in during.items() if before.get(key) != value}
        assert changed == {
            "SPACK_ENV": f"/envs/{name}",
            "VIRTUAL_ENV": f"/views/{name}",
            "VIRTUAL_ENV_PROMPT": name,
            "PATH": f"/views/{name}/bin:" + before["PATH"],
            "MANPATH": f"/views/{name}/share/man::/m::",
        }


@EVERY
def test_deactivate_in_a_child_shell(shell: Shell, top: Path) -> None:
    """The function is not inherited: the variables are taken back as far as they are known."""
    script = SHOW + "spack env deactivate\n" + SHOW
    out = run(
        shell,
        top,
        script,
        SPACK_ENV="/envs/one",
        VIRTUAL_ENV="/views/one",
        VIRTUAL_ENV_PROMPT="one",
        PATH="/views/one/bin:/usr/bin:/bin",
        MANPATH="/views/one/share/man:",
    )
    before, after, _ = environments(out)
    missing = {"SPACK_ENV", "VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT", "MANPATH"}
    assert set(before) - set(after) == missing
    assert "/views" not in after["PATH"] and after["PATH"].endswith("/usr/bin:/bin")


@EVERY
def test_load_and_unload(shell: Shell, top: Path) -> None:
    script = SHOW + "spack load a\n" + SHOW + "spack load b\n" + SHOW
    script += "spack unload a\n" + SHOW + "spack unload\n" + SHOW
    before, a, both, b, after, _ = environments(run(shell, top, script))
    assert after == before
    assert a["PATH"] == "/views/a/bin:" + before["PATH"]
    assert both["PATH"] == "/views/a-b/bin:" + before["PATH"]
    assert both["SPACK_LOADED_HASHES"] == "a:b"
    assert b["PATH"] == "/views/b/bin:" + before["PATH"]
    assert a["MANPATH"] == "/views/a/share/man:"
    assert not {"VIRTUAL_ENV", "PYTHONPATH", "LD_LIBRARY_PATH"} & set(a)


@EVERY
def test_cd_and_other_commands(shell: Shell, top: Path) -> None:
    script = "spack cd zlib\npwd\nspack find \"a b\" '$x'\nspack load --help\n"
    assert run(shell, top, script).splitlines() == [
        str(top.parent / "a place"),
        "ran find a b $x",
        "ran load --help",
    ]


@EVERY
def test_a_failing_command_changes_nothing(shell: Shell, top: Path) -> None:
    script = {
        "csh": "spack env activate missing || echo failed $status\n",
        "sh": "spack env activate missing || echo failed $?\n",
        "fish": "spack env activate missing; or echo failed $status\n",
    }[shell.family]
    script += "printenv SPACK_ENV || true\nspack fail\n"
    out = run(shell, top, script, status=3)
    assert out.splitlines()[0] == "failed 1"
    assert "/envs" not in out


@EVERY
def test_sourcing_twice_is_silent_and_adds_nothing(shell: Shell, top: Path) -> None:
    path = str(top / "share" / shell.setup).replace("'", "'\\''")
    if shell.family == "fish":
        path = str(top / "share" / shell.setup).replace("'", "\\'")
    source = "." if shell.family == "sh" else "source"
    out = run(shell, top, f"{source} '{path}'\nprintenv PATH\nprintenv SPACK_ROOT\n")
    assert out == f"{top}/bin:/usr/bin:/bin\n{top}\n"


@pytest.mark.parametrize("shell", [x for x in SHELLS if x.family == "sh"], ids=lambda x: x.name)
def test_the_short_names(shell: Shell, top: Path) -> None:
    script = "spacktivate one\nprintenv SPACK_ENV\ndespacktivate\nprintenv SPACK_ENV || true\n"
    assert run(shell, top, script) == "/envs/one\n"


# -- without a shell ---------------------------------------------------------------------------

STEPS = Activation(
    (
        EnvStep("set", "VIRTUAL_ENV", ROOT),
        EnvStep("set", "VIRTUAL_ENV_PROMPT", NAME),
        EnvStep("prepend", "PATH", f"{ROOT}/bin"),
        EnvStep("prepend", "XDG_DATA_DIRS", f"{ROOT}/share", ":", ":/usr/share"),
        EnvStep("append", "FLAGS", "-x", " "),
    ),
    "",
    True,
)


def apply(delta: object, environ: dict[str, str]) -> dict[str, str]:
    result = dict(environ)
    for name, value in dict(delta).items():  # type: ignore[call-overload]  # a mapping
        if value is None:
            result.pop(name)
        else:
            result[name] = value
    return result


@pytest.mark.parametrize(
    "environ",
    [{}, {"PATH": "/bin", "XDG_DATA_DIRS": "", "FLAGS": "a  b"}, {"PATH": ":/bin::"}],
)
def test_unloading_gives_everything_back(environ: dict[str, str]) -> None:
    loaded = apply(load_delta(environ, ["h1"], "/v/1", STEPS), environ)
    assert loaded["PATH"].startswith("/v/1/bin")
    again = apply(load_delta(loaded, ["h1", "h2"], "/v/2", STEPS), loaded)
    assert "/v/1" not in again["PATH"] and load_state(again).hashes == ("h1", "h2")
    assert apply(load_delta(again, []), again) == environ


def test_unloading_keeps_what_was_changed_since() -> None:
    loaded = apply(load_delta({"PATH": "/bin"}, ["h"], "/v/1", STEPS), {"PATH": "/bin"})
    loaded["PATH"] = "/mine:" + loaded["PATH"]
    del loaded["FLAGS"]
    after = apply(load_delta(loaded, []), loaded)
    assert after == {"PATH": "/mine:/bin"}


def test_a_damaged_load_state_is_nothing() -> None:
    for text in ("{", "[]", "3", '{"values": {"a": 1}}'):
        assert load_state({"SPACK_LOAD_STATE": text}).hashes == ()


def test_settings_become_steps() -> None:
    steps = steps_from_settings(
        {"set": {"A": 1}, "unset": ["B"], "prepend_path": {"C": "/c"}, "append_path": {"D": "/d"}}
    )
    assert steps == (
        EnvStep("unset", "B"),
        EnvStep("set", "A", "1"),
        EnvStep("prepend", "C", "/c"),
        EnvStep("append", "D", "/d"),
    )


def test_an_environment_without_a_view() -> None:
    text = activation_text("bash", TEMPLATES, environment="/e", name="e")
    assert "SPACK_ENV='/e'" in text and "VIRTUAL_ENV=" not in text.replace("SPACK_OLD", "")


def test_unknown_shells() -> None:
    with pytest.raises(UsageError):
        activation_text("cmd", TEMPLATES, environment="/e", name="e")
    with pytest.raises(UsageError):
        deactivation_text("cmd", {})


def test_a_delta_leaves_out_what_is_so() -> None:
    assert delta_text("sh", {"A": "1", "B": None, "C": "2"}, {"A": "1"}) == "export C=2;\n"


@pytest.mark.parametrize("name", ["bash", "dash", "fish", "tcsh"])
@pytest.mark.parametrize("shown", [False, True], ids=["without", "with"])
def test_the_prompt_is_chosen(name: str, shown: bool, tmp_path: Path) -> None:
    shell = next(shell for shell in SHELLS if shell.name == name)
    if shutil.which(name) is None:
        pytest.skip(f"the shell {name} is not installed")
    text = activation_text(
        shell.family, TEMPLATES, environment="/e", name="e", view="/v", activation=STEPS,
        prompt=shown,
    )  # fmt: skip
    (tmp_path / "text").write_text(text)
    script = {
        "sh": "set -eu\nPS1='old> '\neval \"$(cat text)\"\nprintf '%s\\n' \"$PS1\"\n",
        "fish": "function fish_prompt; echo 'old> '; end\ncat text | source\nfish_prompt\n",
        "csh": "set prompt = 'old> '\neval \"`cat text`\"\nprintf '%s\\n' \"$prompt:q\"\n",
    }[shell.family]
    script += "printenv VIRTUAL_ENV\nprintenv SPACK_ENV\nenv | grep -c DISABLE_PROMPT || true\n"
    (tmp_path / "script").write_text(script)
    done = subprocess.run(
        [*shell.command, "script"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**BASE, **({"VIRTUAL_ENV_DISABLE_PROMPT": "1"} if shown else {})},
    )
    assert done.stderr == ""
    prompt = "(e) old> " if shown else "old> "
    assert done.stdout == f"{prompt}\n/v\n/e\n{int(shown)}\n"
