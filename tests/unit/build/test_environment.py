"""The clean environment: a pure function with an allow-list."""

from __future__ import annotations

import pytest

from spack.build.clean_environment import FIXED, clean_environment, kept_value, passed_names

#: What people have set, each of which has broken a user's build.
POISON = {
    "PIP_USER": "1",
    "PIP_TARGET": "/x",
    "PIP_CONSTRAINT": "/x",
    "PIP_REQUIRE_HASHES": "1",
    "PYTHONPATH": "/x",
    "PYTHONHOME": "/x",
    "PYTHONSTARTUP": "/x",
    "PYTHONUSERBASE": "/x",
    "PYTHONOPTIMIZE": "2",
    "PYTHONWARNINGS": "error",
    "PYTHONDONTWRITEBYTECODE": "1",
    "SETUPTOOLS_SCM_PRETEND_VERSION": "9",
    "VIRTUAL_ENV": "/x",
    "CONDA_PREFIX": "/x",
    "CC": "false",
    "CFLAGS": "-bad",
    "LD_LIBRARY_PATH": "/x",
    "CMAKE_PREFIX_PATH": "/x",
    "__PYVENV_LAUNCHER__": "/x",
    "http_proxy": "http://x",
    "PATH": "/x",
    "HOME": "/home/me",
    "LANG": "de_DE.UTF-8",
    "TERM": "xterm",
    "USER": "me",
    "LOGNAME": "me",
    "SHELL": "/usr/bin/fish",
}


def test_nothing_of_the_user_gets_through() -> None:
    found = clean_environment(POISON, "/stage/x")
    assert not [name for name, value in POISON.items() if found.get(name) == value]
    assert found["PATH"] == "/usr/bin:/bin:/usr/sbin:/sbin"
    assert found["HOME"] == "/stage/x/home" and found["TMPDIR"] == "/stage/x/tmp"
    assert found["GIT_CEILING_DIRECTORIES"] == "/stage"


def test_the_fixed_part() -> None:
    assert FIXED["PIP_CONFIG_FILE"] == "/dev/null" and FIXED["PYTHONNOUSERSITE"] == "1"
    assert FIXED["LANG"] == "C.UTF-8" and FIXED["TERM"] == "dumb" and FIXED["SOURCE_DATE_EPOCH"]


def test_the_configuration_lets_names_and_patterns_through() -> None:
    host = {"http_proxy": "p", "https_proxy": "q", "PATH": "/mine", "SECRET": "s"}
    found = clean_environment(host, "/stage", passed=["*_proxy", "PATH"])
    assert (found["http_proxy"], found["https_proxy"], found["PATH"]) == ("p", "q", "/mine")
    assert "SECRET" not in found


def test_names_that_are_let_through_are_reported_in_order_and_once() -> None:
    host = {"B_X": "", "A": "", "B_Y": "", "C": ""}
    assert passed_names(host, ["B_*", "A", "B_X", "D"]) == ("A", "B_X", "B_Y")
    assert passed_names(host, ["*"]) == ("A", "B_X", "B_Y", "C")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        *((name, False) for name in ("GH_TOKEN", "DB_PASSWORD", "AWS_SECRET_ACCESS_KEY", "auth_x")),
        *((name, True) for name in ("CFLAGS", "AUTHOR", "KEYBOARD", "PATH")),
    ],
)
def test_values_that_no_other_user_is_to_read(name: str, shown: bool) -> None:
    assert (kept_value(name, "value") == "value") is shown


def test_directories_of_externals_come_last_and_once() -> None:
    found = clean_environment({}, "/s", tool_directories=["/opt/x/bin", "/usr/bin", "/opt/x/bin"])
    assert found["PATH"].endswith("/sbin:/opt/x/bin")
