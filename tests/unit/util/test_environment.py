"""Changes of environment variables: order, laws, rendering."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from spack.util.environment_modifications import (
    ACTIONS,
    EnvironmentModifications,
    filter_system_paths,
    is_system_path,
    set_env,
)


def after(start: dict[str, str], *calls: Any) -> dict[str, str]:
    """Return the environment *start* after the calls (method, arguments...)."""
    env = EnvironmentModifications()
    for method, *args in calls:
        getattr(env, method)(*args)
    result = dict(start)
    env.apply_modifications(result)
    return result


@pytest.mark.parametrize(
    ("start", "call", "expected"),
    [
        (None, ("set", "X", 1), "1"),
        ("a", ("unset", "X"), None),
        (None, ("append_flags", "X", "-O2"), "-O2"),
        ("-g", ("append_flags", "X", "-O2"), "-g -O2"),
        ("-g -O2 -g", ("remove_flags", "X", "-g"), "-O2"),
        (None, ("prepend_path", "X", "/a/../b"), "/b"),
        ("/c", ("prepend_path", "X", "/b"), "/b:/c"),
        ("/c", ("append_path", "X", "/b"), "/c:/b"),
        ("/c", ("append_path", "X", "/b", ";"), "/c;/b"),
        (":/opt/man", ("prepend_path", "X", "/b"), "/b::/opt/man"),
        ("/a:/b/:/a", ("remove_path", "X", "/b"), "/a:/a"),
        ("/a", ("remove_path", "X", "/a"), None),
        ("/a:/b:/a", ("remove_first_path", "X", "/a"), "/b:/a"),
        ("/a:/b:/a", ("remove_last_path", "X", "/a"), "/a:/b"),
        ("/a:/b:/a", ("prune_duplicate_paths", "X"), "/a:/b"),
        ("/usr/bin:/a:/bin:/b", ("deprioritize_system_paths", "X"), "/a:/b:/usr/bin:/bin"),
        (None, ("set_path", "X", ["/a", "/b"]), "/a:/b"),
        (None, ("prune_duplicate_paths", "X"), None),
    ],
)
def test_actions(start: str | None, call: Any, expected: str | None) -> None:
    begin = {} if start is None else {"X": start}
    assert after(begin, call).get("X") == expected


def test_changes_are_applied_in_order() -> None:
    calls = [("set", "X", "/a"), ("prepend_path", "X", "/b"), ("unset", "Y"), ("set", "Y", "1")]
    assert after({"Y": "0"}, *calls) == {"X": "/b:/a", "Y": "1"}


def test_reversed_takes_back_what_was_added() -> None:
    env = EnvironmentModifications()
    env.prepend_path("PATH", "/a")
    env.append_path("PATH", "/z")
    env.append_flags("FLAGS", "-g")
    env.set("NEW", "1")
    values = {"PATH": "/usr/bin", "FLAGS": "-O"}
    changed = dict(values)
    env.apply_modifications(changed)
    env.reversed().apply_modifications(changed)
    assert changed == values


def test_every_inverse_is_an_action() -> None:
    assert all(row.inverse in ACTIONS for row in ACTIONS.values() if row.inverse)


def test_json_keeps_everything() -> None:
    env = EnvironmentModifications()
    env.set("A", "b c")
    env.append_path("P", "/x", separator=";")
    data = json.loads(json.dumps(env.to_json()))
    assert EnvironmentModifications.from_json(data) == env


def test_drop_clear_extend_and_is_unset() -> None:
    env = EnvironmentModifications()
    env.set("A", "1")
    env.unset("B")
    assert env.is_unset("B") and not env.is_unset("A") and not env.is_unset("C")
    assert env.drop("A") and not env.drop("A") and len(env) == 1
    other = EnvironmentModifications(env)
    other.extend(env)
    assert [change.name for change in other] == ["B", "B"]
    env.clear()
    assert len(env) == 0 and len(other) == 2
    with pytest.raises(TypeError):
        env.extend([])  # type: ignore[arg-type]  # that is the point


def test_shell_text_fetches_about_the_changes() -> None:
    env = EnvironmentModifications()
    env.set("WORDS", "a 'b' $c")
    env.prepend_path("PATH", "/first")
    env.unset("GONE")
    before = {"PATH": "/usr/bin:/bin", "GONE": "1"}
    text = env.shell_modifications("sh", env=before)
    shown = subprocess.run(
        ["sh", "-c", text + 'printf "%s|" "$WORDS" "$PATH" "${GONE-none}"'],
        env=before,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert shown == "a 'b' $c|/first:/usr/bin:/bin|none|"
    unchanged = {"PATH": "/first"}
    same = EnvironmentModifications()
    same.set("PATH", "/first")
    assert same.shell_modifications("sh", env=unchanged) == ""
    assert "/first" in same.shell_modifications("sh", explicit=True, env=unchanged)


def test_differences_become_changes() -> None:
    before, now = {"A": "1", "B": "2"}, {"A": "3", "C": "4"}
    env = EnvironmentModifications.from_environment_diff(before, now)
    env.apply_modifications(before)
    assert before == now


def test_what_lists_of_paths_gain_is_added_to_them() -> None:
    before = {"PATH": "/usr/bin:/bin", "MANPATH": "/m", "FLAGS": "a"}
    now = {"PATH": "/x:/x:/usr/bin:/bin:/y", "MANPATH": "/n", "FLAGS": "b", "XPATH": "/p:/q"}
    env = EnvironmentModifications.from_environment_diff(before, now, clean=True)
    changed = {"PATH": "/bin", "XPATH": "/r"}
    env.apply_modifications(changed)
    assert changed == {"PATH": "/x:/bin:/y", "MANPATH": "/n", "FLAGS": "b", "XPATH": "/p:/q:/r"}


def test_a_script_that_is_sourced(tmp_path: Path) -> None:
    script = tmp_path / "set up.sh"
    script.write_text(
        'export ROOT="$1"\nexport XYZ_PATH=$ROOT/lib:$XYZ_PATH\nexport LMOD_X=1 KEEP_ME=2 SKIP=3\n'
        "echo noise\nshopt -s expand_aliases\n"
    )
    with set_env(XYZ_PATH="/old"):
        env = EnvironmentModifications.from_sourcing_file(
            script, "/r o", exclude=["KEEP.*", "SKIP"], include=["KEEP_ME"], source_command="."
        )
    changed = {"XYZ_PATH": "/mine"}
    env.apply_modifications(changed)
    assert changed == {"ROOT": "/r o", "XYZ_PATH": "/r o/lib:/mine", "KEEP_ME": "2"}
    with pytest.raises(RuntimeError, match="non-existing file"):
        EnvironmentModifications.from_sourcing_file(tmp_path / "nowhere")
    script.write_text("return 3\n")
    with pytest.raises(RuntimeError, match="failed with status 3"):
        EnvironmentModifications.from_sourcing_file(script)


def test_system_paths() -> None:
    assert is_system_path("/usr/lib/") and not is_system_path("/usr/lib/x")
    assert filter_system_paths(["/usr", "/opt/x", "/"]) == ["/opt/x"]


@pytest.mark.parametrize(
    ("path", "system"),
    [
        ("/usr/lib/x86_64-linux-gnu", True),
        ("/lib/aarch64-linux-gnu/", True),
        ("/usr/lib/arm-linux-gnueabihf", True),
        ("/usr/include/x86_64-linux-gnu", True),
        ("/usr/local/lib/x86_64-linux-gnu", True),
        ("/usr/lib64", True),
        ("/usr/lib/x86_64-linux-gnu/openmpi", False),
        ("/usr/lib/openmpi", False),
        ("/opt/lib/x86_64-linux-gnu", False),
        ("/usr/lib/python3", False),
    ],
)
def test_directories_of_one_architecture_are_the_systems(path: str, system: bool) -> None:
    """The loader and the linker look there anyway; what is there may shadow a dependency's."""
    assert is_system_path(path) is system


def test_set_env_restores() -> None:
    os.environ["SPACK_TEST_OLD"] = "old"
    with set_env(SPACK_TEST_OLD=None, SPACK_TEST_NEW="new"):
        assert "SPACK_TEST_OLD" not in os.environ
        assert os.environ["SPACK_TEST_NEW"] == "new"
    assert os.environ.pop("SPACK_TEST_OLD") == "old"
    assert "SPACK_TEST_NEW" not in os.environ
