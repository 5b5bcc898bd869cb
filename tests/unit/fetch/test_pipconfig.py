"""pip's configuration is read as pip reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from spack.errors import ConfigError
from spack.fetch.pipconfig import PipSettings, configuration_files, read


@pytest.fixture
def load(tmp_path: Path) -> Any:
    """Read the settings of a machine made of files below tmp_path."""

    def run(files: dict[str, str], **environ: str) -> PipSettings:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        environ = {name: value.replace("$T", str(tmp_path)) for name, value in environ.items()}
        return read(
            {"HOME": str(tmp_path / "home"), **environ},
            (str(tmp_path / "venv"),),
            system=tmp_path / "etc",
            platform="linux",
        )

    return run


def ini(value: str, section: str = "global") -> str:
    return f"[{section}]\nindex-url = {value}\n"


GLOBAL, XDG, SITE = "etc/pip.conf", "etc/xdg/pip/pip.conf", "venv/pip.conf"
LEGACY, USER = "home/.pip/pip.conf", "home/.config/pip/pip.conf"


def test_nothing_configured(load: Any) -> None:
    assert load({}) == PipSettings()


def test_order_of_files(load: Any) -> None:
    files: dict[str, str] = {}
    for name in (XDG, GLOBAL, LEGACY, USER, SITE, "named.conf"):
        files[name] = ini(name)
        variable = {"PIP_CONFIG_FILE": "$T/named.conf"} if name == "named.conf" else {}
        assert load(files, **variable).index_url == name
    assert load(files, PIP_INDEX_URL="variable").index_url == "variable"


def test_named_file_switches_the_users_off(load: Any) -> None:
    files = {LEGACY: "[global]\nproxy = user\n", GLOBAL: "[global]\ncert = c\n", "n": ini("x")}
    found = load(files, PIP_CONFIG_FILE="$T/n")
    assert (found.index_url, found.proxy, found.cert) == ("x", None, "c")
    assert load(files, PIP_CONFIG_FILE="$T/missing").proxy == "user"


def test_null_file_switches_all_off(load: Any) -> None:
    found = load({GLOBAL: ini("x"), SITE: ini("y")}, PIP_CONFIG_FILE="/dev/null", PIP_PROXY="p")
    assert (found.index_url, found.proxy) == (None, "p")


def test_sections(load: Any) -> None:
    text = ini("of-install", "install") + ini("of-global")
    assert load({GLOBAL: text}).index_url == "of-install"
    assert load({GLOBAL: text, USER: ini("later")}).index_url == "later"


def test_values_and_origins(load: Any, tmp_path: Path) -> None:
    text = (
        "[global]\nextra_index_url = https://a/simple\n  https://b/simple\n"
        "find-links = /w ./x\nno-index = yes\ntrusted-host = h1 h2:80\ntimeout = 2.5\nretries = 0\n"
    )
    found = load({GLOBAL: text}, PIP_DEFAULT_TIMEOUT="9", PIP_CLIENT_CERT="k.pem", PIP_NO_INDEX="0")
    assert found.extra_index_urls == ("https://a/simple", "https://b/simple")
    assert found.find_links == ("/w", "./x")
    assert found.trusted_hosts == ("h1", "h2:80")
    assert (found.timeout, found.retries, found.no_index) == (9.0, 0, False)
    assert found.client_cert == "k.pem"
    assert found.origin["find-links"] == f"{tmp_path}/etc/pip.conf [global]"
    assert found.origin["timeout"] == "PIP_DEFAULT_TIMEOUT"


def test_empty_variables_do_not_count(load: Any) -> None:
    assert load({GLOBAL: ini("x")}, PIP_INDEX_URL="").index_url == "x"


def test_xdg_directories(load: Any, tmp_path: Path) -> None:
    files = {"one/pip/pip.conf": ini("1"), "two/pip/pip.conf": ini("2")}
    assert load(files, XDG_CONFIG_DIRS="$T/one:$T/two").index_url == "2"
    assert load(files, XDG_CONFIG_HOME="$T/one").index_url == "1"


def test_macos_locations(tmp_path: Path) -> None:
    location = tmp_path / "Library" / "Application Support" / "pip"
    location.mkdir(parents=True)
    (location / "pip.conf").write_text(ini("x"))
    found = configuration_files({}, home=tmp_path, system=tmp_path, platform="darwin")
    assert found == (location / "pip.conf",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("index-url = x\n", ":1: pip's configuration file cannot be read"),
        ("[global]\nindex-url x\n", ":2: pip's configuration file cannot be read"),
        ("[global]\ntimeout = soon\n", "timeout = 'soon' is not a number"),
        ("[global]\nno-index = maybe\n", "no-index = 'maybe' is not true or false"),
    ],
)
def test_bad_files(load: Any, tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load({GLOBAL: text})
    assert caught.value.message.startswith(str(tmp_path / GLOBAL))
    assert message in caught.value.message
    assert caught.value.hint


def test_undecodable_file(load: Any, put: Any) -> None:
    put(GLOBAL, b"[global]\nproxy = \xff\n")
    with pytest.raises(ConfigError, match="cannot be read"):
        load({})
