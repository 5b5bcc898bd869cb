from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pytest

from spack.errors import HostError
from spack.host.interpreter import (
    _NAMES,
    PythonLayout,
    _preference,
    detect_pythons,
    find_interpreters,
    layout_of,
    probe,
)

from .conftest import Machine, base_interpreter, interpreters

BASE = base_interpreter()

#: What an interpreter says about a venv of its own; asked inside the venv, with its defaults.
VENV_FACTS = """
import json, os, sys, sysconfig
paths = sysconfig.get_paths()
facts = {key: os.path.relpath(paths[key], sys.prefix)
         for key in ("purelib", "platlib", "scripts", "data")}
facts["version"] = "%d.%d.%d" % sys.version_info[:3]
print(json.dumps(facts))
"""


@pytest.fixture(scope="module")
def layout() -> PythonLayout:
    return probe(BASE, Machine(Path("/")).runner)


@pytest.mark.parametrize("executable", interpreters(), ids=lambda path: path.strip("/"))
def test_the_record_is_what_a_venv_of_the_interpreter_says(
    executable: str, tmp_path: Path, machine: Machine
) -> None:
    layout = probe(executable, machine.runner)
    made = subprocess.run(
        [executable, "-I", "-m", "venv", "--without-pip", str(tmp_path / "v")],
        capture_output=True,
    )
    assert made.returncode == 0, made.stderr
    out = subprocess.run(
        [str(tmp_path / "v" / "bin" / "python3"), "-I", "-c", VENV_FACTS],
        capture_output=True,
        check=True,
    )
    facts: dict[str, Any] = json.loads(out.stdout)
    own = layout._asdict()
    assert {key: own[key] for key in facts if key != "version"} == {
        key: value for key, value in facts.items() if key != "version"
    }
    assert layout.version.startswith(facts["version"])
    assert "local" not in layout.purelib and "dist-packages" not in layout.purelib
    assert os.path.realpath(layout.executable) == executable
    assert os.path.dirname(os.path.realpath(layout.executable)) == os.path.join(
        os.path.realpath(layout.base_prefix), "bin"
    )
    assert layout.has_venv
    assert layout.tags[0] == "cp" + layout.short_version.replace(".", "")


def test_a_record_survives_json(layout: PythonLayout) -> None:
    data = json.loads(json.dumps(layout.to_json()))
    assert PythonLayout.from_json({**data, "of a later version": 1}) == layout
    del data["purelib"]
    with pytest.raises(HostError, match="has no 'purelib'") as caught:
        PythonLayout.from_json(data)
    assert "external find" in (caught.value.hint or "")


# -- distributions, simulated: the patch is real, the interpreter is real -----------------------

DEBIAN = """
_INSTALL_SCHEMES["posix_local"] = {
    key: value.replace("{base}", "{base}/local").replace("{platbase}", "{platbase}/local")
    .replace("site-packages", "dist-packages")
    for key, value in _INSTALL_SCHEMES["posix_prefix"].items()
}
_INSTALL_SCHEMES["posix_local"]["include"] = _INSTALL_SCHEMES["posix_prefix"]["include"]
_INSTALL_SCHEMES["deb_system"] = dict(
    _INSTALL_SCHEMES["posix_prefix"], purelib="{base}/lib/python3/dist-packages",
    platlib="{base}/lib/python3/dist-packages")
def get_default_scheme(): return "posix_local"
def _get_default_scheme(): return "posix_local"
"""

FEDORA = """
_INSTALL_SCHEMES["rpm_prefix"] = dict(_INSTALL_SCHEMES["posix_prefix"])
_INSTALL_SCHEMES["posix_prefix"].update(
    purelib="{base}/local/lib/python{py_version_short}/site-packages",
    platlib="{platbase}/local/lib64/python{py_version_short}/site-packages",
    scripts="{base}/local/bin", data="{base}/local")
for name in ("venv", "posix_venv", "rpm_prefix"):
    if name in _INSTALL_SCHEMES:
        _INSTALL_SCHEMES[name]["platlib"] = (
            "{platbase}/lib64/python{py_version_short}/site-packages")
"""

#: An older Fedora: the only explicit scheme that there is has been patched.
CRUEL = """
_INSTALL_SCHEMES.pop("venv", None)
_INSTALL_SCHEMES["posix_prefix"].update(
    purelib="{base}/local/lib/python{py_version_short}/dist-packages",
    platlib="{platbase}/local/lib/python{py_version_short}/dist-packages",
    scripts="{base}/local/bin", data="{base}/local")
"""

CONDA = ""


def distribution(root: Path, patch: str) -> str:
    """Return an interpreter of its own below ``root``, with a patched sysconfig."""
    name = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    stdlib = Path(os.__file__).resolve().parent
    (root / "bin").mkdir(parents=True)
    shutil.copy2(BASE, root / "bin" / name)
    (root / "bin" / "python3").symlink_to(name)
    ours = root / "lib" / name
    ours.mkdir(parents=True)
    for entry in stdlib.iterdir():
        if entry.name not in ("sysconfig", "sysconfig.py", "site-packages", "__pycache__"):
            (ours / entry.name).symlink_to(entry)
    if (stdlib / "sysconfig.py").exists():
        target, source = ours / "sysconfig.py", stdlib / "sysconfig.py"
    else:
        shutil.copytree(stdlib / "sysconfig", ours / "sysconfig")
        target, source = ours / "sysconfig" / "__init__.py", stdlib / "sysconfig" / "__init__.py"
    head, guard, tail = source.read_text().partition("\nif __name__ ==")
    target.write_text(head + "\n" + patch + guard + tail)
    return str(root / "bin" / "python3")


@pytest.mark.parametrize(
    ("patch", "platlibdir"),
    [(DEBIAN, "lib"), (FEDORA, "lib64"), (CRUEL, "lib"), (CONDA, "lib")],
    ids=["debian", "fedora", "cruel", "conda"],
)
def test_patched_distributions_do_not_leak(
    machine: Machine, layout: PythonLayout, patch: str, platlibdir: str
) -> None:
    executable = distribution(machine.root / "distribution", patch)
    found = probe(executable, machine.runner)
    assert found.purelib == layout.purelib
    assert found.platlib == layout.platlib.replace("lib/", f"{platlibdir}/", 1)
    assert (found.scripts, found.data, found.include) == ("bin", ".", layout.include)
    assert found.base_prefix == str(machine.root / "distribution")
    assert found.executable == os.path.join(found.base_prefix, "bin", layout.stdlib)


def test_suffixes_come_from_the_directory_of_the_standard_library(
    machine: Machine, layout: PythonLayout
) -> None:
    # a free-threaded build, as 3.13 lays it out
    patch = """
for scheme in {id(scheme): scheme for scheme in _INSTALL_SCHEMES.values()}.values():
    for key in set(scheme) - {"scripts", "data"}:
        text = scheme[key].replace("{abi_thread}", "")
        scheme[key] = text.replace("{py_version_short}", "{py_version_short}t")
import sys
get_config_var_before = get_config_var
def get_config_var(name):
    return 1 if name == "Py_GIL_DISABLED" else get_config_var_before(name)
"""
    root = machine.root / "free"
    executable = distribution(root, patch)
    (root / "lib" / f"{layout.stdlib}t").symlink_to(layout.stdlib)
    found = probe(executable, machine.runner)
    assert found.stdlib == f"{layout.stdlib}t"
    assert found.purelib == f"lib/{layout.stdlib}t/site-packages"
    assert "t" in found.abiflags
    (detected,) = detect_pythons(machine.search("free/bin"))
    assert detected.spec_text == f"python@{layout.version} +freethreading"


def test_a_debug_build_beside_the_usual_one_is_another(
    machine: Machine, layout: PythonLayout
) -> None:
    patch = "sys.abiflags = 'd' if sys.executable.endswith('d') else ''\n"
    usual = distribution(machine.root / "both", "import sys\n" + patch)
    shutil.copy2(os.path.realpath(usual), os.path.realpath(usual) + "d")
    for data in Path(usual).parent.parent.glob("lib/*/_sysconfigdata__*.py"):
        own = data.with_name(data.name.replace("data__", "data_d_"))
        if not own.exists():  # as where the system has a debug Python
            own.symlink_to(data)
    found = {
        item.spec_text: item.extra_attributes for item in detect_pythons(machine.search("both/bin"))
    }
    assert set(found) == {f"python@{layout.version}", f"python@{layout.version} +debug"}
    executable = found[f"python@{layout.version} +debug"]["executable"]
    assert os.path.basename(str(executable)) == f"{layout.stdlib}d"


# -- what is found, and what is not -------------------------------------------------------------


def test_one_interpreter_under_many_names(machine: Machine, layout: PythonLayout) -> None:
    for name in ("a/python3", "a/python", f"b/{layout.stdlib}", "b/python3"):
        machine.link(name, BASE)
    machine.link("c", "a")
    found = find_interpreters(machine.search("a", "b", "c"), [BASE, sys.executable])
    assert found == [layout]
    assert len(machine.runner.calls) == 1


def test_shims_and_scripts_are_passed_over(machine: Machine) -> None:
    machine.script("shims/python3", body="exec pyenv exec python3")
    machine.script("renamed/python3", body="exec pyenv exec python3")
    machine.script("wrapped/python3", body=f'exec {BASE} "$@"')
    machine.link("launcher/python3", "/bin/ls")
    machine.link("mise/python3", machine.script("opt/mise", body=f'exec {BASE} "$@"'))
    machine.link("real/shims/python3", BASE)
    names = ("shims", "renamed", "wrapped", "launcher", "mise", "real/shims")
    assert find_interpreters(machine.search(*names)) == []
    assert machine.runner.calls == []


def test_a_venv_stands_for_its_base(machine: Machine, layout: PythonLayout) -> None:
    venv.create(machine.root / "one", symlinks=True)
    venv.create(machine.root / "two", symlinks=False)
    for name in ("one", "two"):
        (found,) = find_interpreters(machine.search(f"{name}/bin"))
        assert found == layout
    missing = machine.root / "two" / "pyvenv.cfg"
    missing.write_text("home = /nowhere/bin\n")
    assert find_interpreters(machine.search("two/bin")) == []
    missing.write_text("nothing\n")
    assert find_interpreters(machine.search("two/bin")) == []


def test_a_venv_of_a_venv(machine: Machine, layout: PythonLayout) -> None:
    venv.create(machine.root / "one", symlinks=True)
    inner = machine.root / "two"
    (inner / "bin").mkdir(parents=True)
    (inner / "bin" / "python3").symlink_to(machine.root / "one" / "bin" / "python3")
    (inner / "pyvenv.cfg").write_text(f"home = {machine.root}/one/bin\n")
    assert find_interpreters(machine.search("two/bin")) == [layout]


def test_the_store_is_not_the_system(machine: Machine) -> None:
    machine.link("prefix/bin/python3", BASE)
    (machine.root / "prefix" / ".spack").mkdir()
    assert find_interpreters(machine.search("prefix/bin")) != []
    (machine.root / "prefix" / ".spack" / "spec.json").write_text("{}")
    assert find_interpreters(machine.search("prefix/bin")) == []


def test_the_first_python3_is_preferred_to_other_ones(
    machine: Machine, layout: PythonLayout
) -> None:
    other = probe(distribution(machine.root / "other", ""), machine.runner)
    machine.link(f"first/{layout.stdlib}", other.executable)
    machine.link("second/python", other.executable)
    machine.link("third/python3", BASE)
    found = find_interpreters(machine.search("first", "second", "third"))
    assert [item.executable for item in found] == [layout.executable, other.executable]


def test_of_further_names_the_newest_comes_first(machine: Machine) -> None:
    names = [os.path.join("bin", f"python3.{minor}") for minor in (8, 10, 9)]
    for name in (*names, "bin/python3.10t", "bin/python", "bin/python3"):
        machine.script(name)
    programs = machine.search("bin").programs(_NAMES)
    ordered = sorted(programs, key=_preference(machine.path("bin")))
    assert [os.path.basename(path) for path in ordered] == [
        "python3", "python", "python3.10", "python3.9", "python3.8", "python3.10t",
    ]  # fmt: skip


def test_warm_runs_start_no_process(machine: Machine, layout: PythonLayout) -> None:
    machine.link("bin/python3", BASE)
    cache = str(machine.root / "cache")
    for _ in range(2):
        search = machine.search("bin", cache=cache)
        assert find_interpreters(search) == [layout]
        search.memory.save()
    assert len(machine.runner.calls) == 1


def test_an_exchanged_interpreter_is_asked_again(machine: Machine) -> None:
    location = machine.root / "bin" / "python3"
    distribution(machine.root, "")
    cache = str(machine.root / "cache")
    for _ in range(2):
        search = machine.search("bin", cache=cache)
        find_interpreters(search)
        search.memory.save()
    assert len(machine.runner.calls) == 1
    os.utime(location.resolve(), (1, 1))
    find_interpreters(machine.search("bin", cache=cache))
    assert len(machine.runner.calls) == 2


def test_headers_that_come_later_are_seen(machine: Machine, layout: PythonLayout) -> None:
    distribution(machine.root, "")
    include = machine.root / "include" / layout.stdlib
    cache = str(machine.root / "cache")
    search = machine.search("bin", cache=cache)
    (before,) = find_interpreters(search)
    search.memory.save()
    include.mkdir(parents=True)
    (include / "Python.h").write_text("")
    (after,) = find_interpreters(machine.search("bin", cache=cache))
    assert len(machine.runner.calls) == 1
    assert str(include) in after.include_dirs
    assert before._replace(include_dir=after.include_dir) == after
    assert after.has_headers


# -- errors -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("output", "status"), [("Python 2.7.18", 2), ("", 0), ("[1]", 0), ("not json", 0)]
)
def test_what_is_no_interpreter(machine: Machine, output: str, status: int) -> None:
    location = machine.script("python3", output, status)
    with pytest.raises(HostError, match="is not a usable Python interpreter") as caught:
        probe(str(location), machine.runner)
    assert caught.value.ref == "interpreter-unusable"


def test_a_missing_interpreter(machine: Machine) -> None:
    with pytest.raises(HostError, match="No such file"):
        probe(str(machine.root / "none"), machine.runner)


def test_failures_are_not_remembered(machine: Machine) -> None:
    location = str(machine.script("python3", "", 1))
    search = machine.search()
    for _ in range(2):
        with pytest.raises(HostError):
            layout_of(location, search)
    assert len(machine.runner.calls) == 2
