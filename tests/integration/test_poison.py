"""Nothing of the user's environment reaches a build, and the tool runs under all of it.

The project's backend writes all that it can see of its process into the wheel: variables, flags,
the import path, warnings, configuration of pip and distutils, what importing has. So an install
that is byte-identical to the clean one proves that the build could not say the difference.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Callable, NamedTuple

import pytest

from kits.command import Command
from kits.recipe_repository import RecipeRepository

#: Runs in the backend: everything that it can see, as text without the stage's path.
WITNESS = """
import getpass, json, os, re, shutil, site, subprocess, sys, sysconfig, warnings
def told(*command):
    return subprocess.run(command, capture_output=True, text=True).stdout
seen = {
    "environ": {k: v for k, v in os.environ.items() if not k.startswith("_PYPROJECT_HOOKS")},
    "flags": str(sys.flags),
    "path": sys.path,
    "warnings": [str(row) for row in warnings.filters],
    "modules": sorted(name for name in ("sitecustomize", "usercustomize") if name in sys.modules
                      and "/usr/lib" not in str(getattr(sys.modules[name], "__file__", ""))),
    "user site": [site.ENABLE_USER_SITE, site.getusersitepackages()],
    "paths": sysconfig.get_paths(),
    "programs": {name: shutil.which(name) for name in ("python", "python3", "pip", "cc", "tool")},
    "configuration": [path for path in (os.path.expanduser("~/.pydistutils.cfg"),
                      os.path.expanduser("~/.config/pip/pip.conf"),
                      os.path.expanduser("~/.pip/pip.conf")) if os.path.exists(path)],
    "umask": os.umask(0o022),
    "person": getpass.getuser(),
    "repository": told("git", "rev-parse", "--show-toplevel"),
    "git": told("git", "config", "--list"),
    "signals": told("grep", "Sig[BI]", "/proc/self/status"),
    "a failure": subprocess.call(["false"]),
    "open": sorted(re.sub("[0-9]+]", "]", os.readlink("/proc/self/fd/" + name))
                   for name in os.listdir("/proc/self/fd")
                   if os.path.exists("/proc/self/fd/" + name)),
}
child = "import sys, os; print(sys.flags, sys.path, sorted(os.environ))"
seen["child"] = subprocess.run([sys.executable, "-c", child], capture_output=True, text=True,
                               check=True).stdout
try:
    import poison
    seen["poison"] = poison.__file__
except ImportError:
    pass
stage = os.path.dirname(os.environ["HOME"])
text = json.dumps(seen, indent=1, sort_keys=True).replace(stage, "@STAGE@")
text = text.replace(sys.prefix, "@PREFIX@")
text = re.sub("pip-([a-z-]+)-[a-z0-9_]{8}", r"pip-\\1", text)  # pip's temporary directories
with open("witness.py", "w") as stream:
    stream.write("seen = " + repr(text) + "\\n")
"""

#: Variables by the name of the case; ``{home}`` is the user's home, ``{evil}`` a directory with
#: modules that raise, and programs in ``bin`` that fail, ``{venv}`` a virtual environment.
VARIABLES: Mapping[str, Mapping[str, str]] = {
    "PYTHONPATH": {"PYTHONPATH": "{evil}"},
    "PYTHONHOME": {"PYTHONHOME": "{evil}"},
    "PYTHONSTARTUP": {"PYTHONSTARTUP": "{evil}/poison.py"},
    "PYTHONUSERBASE": {"PYTHONUSERBASE": "{evil}"},
    "PYTHONOPTIMIZE": {"PYTHONOPTIMIZE": "2"},
    "PYTHONDONTWRITEBYTECODE": {"PYTHONDONTWRITEBYTECODE": "1"},
    "PYTHONPYCACHEPREFIX": {"PYTHONPYCACHEPREFIX": "{evil}/cache"},
    "PYTHONWARNINGS": {"PYTHONWARNINGS": "error"},
    "PYTHONPLATLIBDIR": {"PYTHONPLATLIBDIR": "lib128"},
    "PYTHONSAFEPATH": {"PYTHONSAFEPATH": "1", "PYTHONINSPECT": "1", "PYTHONVERBOSE": "1"},
    "PIP_USER": {"PIP_USER": "1"},
    "PIP_TARGET": {"PIP_TARGET": "{evil}/target"},
    "PIP_PREFIX": {"PIP_PREFIX": "{evil}/prefix", "PIP_ROOT": "{evil}/root"},
    "PIP_CONSTRAINT": {"PIP_CONSTRAINT": "{evil}/none.txt", "PIP_REQUIREMENT": "{evil}/none.txt"},
    "PIP_REQUIRE_HASHES": {"PIP_REQUIRE_HASHES": "1", "PIP_NO_BINARY": ":all:"},
    "PIP_CONFIG_SETTINGS": {"PIP_CONFIG_SETTINGS": "a=b", "PIP_GLOBAL_OPTION": "--none"},
    "SETUPTOOLS_SCM_PRETEND_VERSION": {
        "SETUPTOOLS_SCM_PRETEND_VERSION": "9",
        "SETUPTOOLS_USE_DISTUTILS": "stdlib",
        "DISTUTILS_DEBUG": "1",
    },
    "compilers": {"CC": "false", "CXX": "false", "CFLAGS": "-bad", "LDFLAGS": "-bad"},
    "libraries": {"LD_LIBRARY_PATH": "{evil}", "CPATH": "{evil}", "LIBRARY_PATH": "{evil}"},
    "VIRTUAL_ENV": {"VIRTUAL_ENV": "{venv}", "PATH": "{venv}/bin:/usr/bin:/bin"},
    "CONDA_PREFIX": {"CONDA_PREFIX": "{venv}", "CONDA_DEFAULT_ENV": "base"},
    "XDG": {"XDG_CONFIG_HOME": "{evil}", "XDG_CONFIG_DIRS": "{evil}", "XDG_DATA_HOME": "{evil}"},
    "locale": {"LC_ALL": "C", "LANG": "tr_TR.UTF-8", "TZ": "Asia/Kathmandu", "TERM": "xterm"},
    "git": {"GIT_DIR": "{evil}", "GIT_CONFIG_GLOBAL": "{evil}/gitconfig"},
    "SOURCE_DATE_EPOCH": {"SOURCE_DATE_EPOCH": "1234567890", "PYTHONHASHSEED": "7"},
    "make": {"MAKEFLAGS": "-j99", "CMAKE_PREFIX_PATH": "{evil}", "PKG_CONFIG_PATH": "{evil}"},
    "launcher": {"PYTHONEXECUTABLE": "{evil}/python", "__PYVENV_LAUNCHER__": "{evil}/python"},
    "person": {"USER": "mallory", "LOGNAME": "mallory", "SHELL": "{evil}/bin/sh"},
    "shells": {"BASH_ENV": "{evil}/poison.py", "ENV": "{evil}/poison.py", "SHELLOPTS": "xtrace"},
    "PATH": {"PATH": "{evil}/bin:/usr/bin:/bin"},
    "TMPDIR": {"TMPDIR": "{evil}/a b", "TMP": "{evil}/a b", "TEMP": "{evil}/a b"},
    "LD_PRELOAD": {
        "LD_PRELOAD": "{evil}/none.so",
        "LD_RUN_PATH": "{evil}",
        "CPLUS_INCLUDE_PATH": "x",
    },
    "cmake": {
        "CMAKE_GENERATOR": "None",
        "CMAKE_TOOLCHAIN_FILE": "{evil}/none",
        "DESTDIR": "{evil}",
    },
    "backends": {
        "DIST_EXTRA_CONFIG": "{evil}/poison.py",
        "SETUPTOOLS_EXT_SUFFIX": ".none",
        "HATCH_BUILD_NO_HOOKS": "1",
        "HATCH_BUILD_CLEAN": "1",
        "PDM_BUILD_SCM_VERSION": "9",
        "POETRY_DYNAMIC_VERSIONING_BYPASS": "9",
        "FLIT_ROOT_INSTALL": "1",
        "MATURIN_PEP517_ARGS": "--none",
        "CARGO_HOME": "{evil}",
        "_PYTHON_HOST_PLATFORM": "none",
        "_PYTHON_SYSCONFIGDATA_NAME": "none",
    },
    "a hook of git's": {
        "GIT_INDEX_FILE": "{evil}/index",
        "GIT_WORK_TREE": "{evil}",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.autocrlf",
        "GIT_CONFIG_VALUE_0": "true",
    },
    "programs": {
        "TAR_OPTIONS": "--none",
        "PERL5OPT": "-Mnone",
        "POSIXLY_CORRECT": "1",
        "GZIP": "-1",
    },
    "our own": {
        "SPACK_CC": "{evil}",
        "SPACK_CFLAGS": "-bad",
        "SPACK_COMPILER_WRAPPER_PATH": "{evil}",
    },
    "automation": {"CI": "1", "GITHUB_ACTIONS": "1", "FORCE_COLOR": "1", "COLUMNS": "3"},
}

#: States of the process that calls, by the name of the case: statements that lead to them.
STATES: Mapping[str, str] = {
    "signals are ignored": "for n in all_signals: signal.signal(n, signal.SIG_IGN)",
    "signals are held back": "signal.pthread_sigmask(signal.SIG_BLOCK, all_signals)",
    "files are open": "[os.set_inheritable(os.dup(1), True) for _ in range(20)]",
    "no streams": "os.close(0)",
    "umask": "os.umask(0o077)",
    "limits": "resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))",
}

#: Comes before a command, and hands its own state down to it.
CALLER = """
import os, resource, signal, sys
all_signals = {n for n in signal.valid_signals() if n not in (signal.SIGKILL, signal.SIGSTOP)
               and n < signal.SIGRTMIN}
%s
os.execv(sys.argv[1], sys.argv[1:])
"""

_RAISES = "raise SystemExit('poisoned')\n"
_PRINTS = "print('poison on standard output')\n"


def user_site(home: Path) -> Path:
    """Return the user's site-packages, for all Pythons that the tests may run."""
    found = None
    for minor in range(8, 16):
        site = home / ".local" / "lib" / f"python3.{minor}" / "site-packages"
        site.mkdir(parents=True, exist_ok=True)
        found = found or site
    assert found is not None
    return found


def _in_user_site(home: Path, name: str, text: str) -> None:
    user_site(home)
    for site in home.glob(".local/lib/python3.*/site-packages"):
        path = site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _user_modules(home: Path) -> None:
    for name in ("poison", "backend", "argparse", "json", "setuptools", "pip", "distutils"):
        _in_user_site(home, f"{name}.py", _RAISES)


def _user_pth(home: Path) -> None:
    _in_user_site(home, "poison.pth", "import os; os.environ['POISON'] = '1'\n")


def _pip_configuration(home: Path) -> None:
    for location in (".config/pip/pip.conf", ".pip/pip.conf"):
        path = home / location
        path.parent.mkdir(parents=True)
        path.write_text("[global]\nuser = true\ntarget = /nonexistent\nno-index = true\n")


def _distutils_configuration(home: Path) -> None:
    (home / ".pydistutils.cfg").write_text("[install]\nprefix=/nonexistent\n[build]\ndebug=1\n")


def _git_configuration(home: Path) -> None:
    (home / ".gitconfig").write_text("[core]\nautocrlf = true\n[user]\nname = mallory\n")


def _repository(home: Path) -> None:
    """Around the stages, as where a home is kept in git."""
    subprocess.run(["git", "init", "--quiet", home], check=True)


def _start_files(home: Path) -> None:
    for name in (".profile", ".bashrc", ".bash_profile", ".kshrc", ".zshenv", ".cshrc"):
        (home / name).write_text("echo poison; exit 66\n")
    (home / ".cargo").mkdir()
    (home / ".cargo" / "config.toml").write_text("[build]\nrustc = 'false'\n")


#: Files in the home directory, by the name of the case.
FILES: Mapping[str, Callable[[Path], None]] = {
    "modules in the user site": _user_modules,
    "a .pth in the user site": _user_pth,
    "usercustomize that prints": lambda home: _in_user_site(home, "usercustomize.py", _PRINTS),
    "usercustomize that raises": lambda home: _in_user_site(home, "usercustomize.py", _RAISES),
    "sitecustomize that raises": lambda home: _in_user_site(home, "sitecustomize.py", _RAISES),
    "pip.conf": _pip_configuration,
    "pydistutils.cfg": _distutils_configuration,
    "gitconfig": _git_configuration,
    "a git repository around": _repository,
    "start files of shells": _start_files,
}


class Clean(NamedTuple):
    """The build that nothing disturbs, and the means to repeat it."""

    spack: Any
    spec: str
    evil: Path
    venv: Path
    sources: Path
    prefix: Path
    tree: Mapping[str, Any]

    def again(
        self, environ: Mapping[str, str], *options: str, state: str = "pass"
    ) -> Mapping[str, Any]:
        """Build it once more, under *environ* and in a *state*, from the sources."""
        shutil.rmtree(self.sources, ignore_errors=True)
        location = f"config:source_cache:{self.sources}"  # no wheel is there to be used again
        words = ("-c", location, "install", "--overwrite", *options, self.spec)
        under = () if state == "pass" else ("/usr/bin/python3", "-I", "-S", "-c", CALLER % state)
        self.spack(*words, environ=environ, under=under)
        return _tree(self.prefix)


def _tree(prefix: Path) -> Mapping[str, Any]:
    return {
        str(path.relative_to(prefix)): (path.stat().st_mode, path.read_bytes())
        for path in sorted(prefix.rglob("*"))
        if path.is_file() and ".spack" not in path.parts
    }


@pytest.fixture(params=["python_wheel", "python_pip"])
def clean(
    spack: Command,
    recipes: RecipeRepository,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    git_program: str,
) -> Clean:
    """Return a clean build of the witness, by each of the builders."""
    recipes.python_project("witness", {"module.py": "x = 1\n"}, backend=WITNESS)
    evil = tmp_path / "evil"
    evil.mkdir()
    for name in ("poison", "argparse", "json", "backend", "sitecustomize", "usercustomize"):
        (evil / f"{name}.py").write_text(_RAISES)
    (evil / "a b").mkdir()
    (evil / "bin").mkdir()
    for name in ("gcc", "cc", "ld", "make", "cmake", "pip", "git", "patch", "tar", "pkg-config"):
        (evil / "bin" / name).write_text("#!/bin/sh\necho poison; exit 66\n")
        (evil / "bin" / name).chmod(0o755)
    venv = tmp_path / "venv"
    subprocess.run(["/usr/bin/python3", "-m", "venv", "--without-pip", venv], check=True)
    for name in ("pip", "cc", "tool"):
        (venv / "bin" / name).write_text("#!/bin/sh\nexit 66\n")
        (venv / "bin" / name).chmod(0o755)
    spec = f"py-witness build_system={request.param}"
    sources = tmp_path / "sources"
    spack("install", spec)
    prefix = spack.prefix("py-witness")
    return Clean(spack, spec, evil, venv, sources, prefix, _tree(prefix))


def test_what_a_clean_build_sees(clean: Clean) -> None:
    text = next(data for path, (_, data) in clean.tree.items() if path.endswith("witness.py"))
    seen: dict[str, Any] = {}
    exec(text.decode(), seen)
    facts = json.loads(seen["seen"])
    assert not any("dist-packages" in path or path == "" for path in facts["path"])
    assert facts["user site"][0] is False
    assert facts["programs"]["python3"] == "@PREFIX@/bin/python3"
    assert "poison" not in facts
    assert (
        not any(name.startswith("PIP_") for name in facts["environ"])
        or facts["environ"]["PIP_CONFIG_FILE"] == os.devnull
    )


@pytest.mark.slow
def test_builds_are_the_same_under_every_poison(clean: Clean) -> None:
    """Each alone, then all at once; the differences of all are shown."""
    home = clean.spack.home.path
    wrong: dict[str, list[str]] = {}

    def check(name: str, environ: Mapping[str, str], state: str = "pass") -> None:
        found = clean.again(environ, state=state)
        changed = [p for p in {*found, *clean.tree} if found.get(p) != clean.tree.get(p)]
        if changed:
            wrong[name] = sorted(changed)

    everything: dict[str, str] = {}
    for name, variables in VARIABLES.items():
        environ = {
            key: value.format(home=home, evil=clean.evil, venv=clean.venv)
            for key, value in variables.items()
        }
        everything.update(environ)
        check(name, environ)
    for name, state in STATES.items():
        check(name, {}, state)
    for name, write in FILES.items():
        write(home)
        check(name, {})
    check("everything", everything, "\n".join(STATES.values()))
    assert wrong == {}


def test_the_witness_sees_what_is_let_through_and_it_is_reported(clean: Clean) -> None:
    """Variables by name and all of them; ``find``, the record and the log say so."""
    some = {"SOME_VARIABLE": "1", "SOME_TOKEN": "of nobody else's business"}

    def reported() -> tuple[str, str]:
        kept = clean.prefix / ".spack"
        assert some["SOME_TOKEN"] not in (kept / "spack-build-env.txt").read_text()
        (line,) = [line for line in clean.spack("find").lines if "py-witness" in line]
        return line, (kept / "spack-build-out.txt").read_text()

    assert clean.again(some) == clean.tree
    line, log = reported()
    assert "[" not in line.replace("[external]", "") and "your environment" not in log
    changed = clean.again(some, "--dirty")
    assert [path for path in clean.tree if changed[path] != clean.tree[path]]
    line, log = reported()
    assert "py-witness@1.0 [dirty]" in line
    assert re.search(r"passed from your environment \(--dirty\): .*\bSOME_VARIABLE\b", log)
    with (clean.spack.home.config / "config.yaml").open("a") as stream:
        stream.write("  build_env:\n    pass: [SOME_V*]\n    set: {OTHER: 1}\n")
    assert clean.again(some) != clean.tree
    line, log = reported()
    assert "py-witness@1.0 [passed SOME_VARIABLE]" in line
    assert "passed from your environment (config:build_env:pass): SOME_VARIABLE\n" in log
    assert "set by the configuration (config:build_env:set): OTHER\n" in log


@pytest.mark.parametrize("state", ["pass", STATES["signals are ignored"]])
def test_what_fails_fails_also_where_the_caller_ignores_its_children(
    spack: Command, recipes: RecipeRepository, state: str
) -> None:
    """No shell is between, which would handle them again; a lost status would look like success."""
    recipes.plain("failing", install='Executable("sh")("-c", "exit 3")\n')
    main = spack.root / "lib" / "spack" / "__main__.py"
    caller = ["/usr/bin/python3", "-I", "-S", "-c", CALLER % state]
    caller += ["/usr/bin/python3", "-I", "-S", str(main)]
    done = subprocess.run(
        [*caller, "install", "failing"], env=spack.variables(), capture_output=True, text=True
    )
    assert "sh exited with status 3" in done.stderr
    assert done.returncode == 1
    assert spack.names() == []


def test_packages_of_the_base_interpreter_where_the_spec_says_so(
    spack: Command, recipes: RecipeRepository, copied_python: Callable[[Path], Path], tmp_path: Path
) -> None:
    """Hidden from builds and from what is installed, unless with ``+system_packages``."""
    (copied_python(tmp_path / "python") / "ofsystem.py").write_text("x = 42\n")
    spack("external", "find", "--path", tmp_path / "python" / "bin", "python")
    for build_system in ("python_wheel", "python_pip"):
        backend = "import ofsystem; open('made.py', 'w').write(f'x = {ofsystem.x}')"
        name = build_system.replace("python_", "by")
        recipes.python_project(name, {}, backend=backend)
        spec = f"py-{name} build_system={build_system} ^python-venv"
        refused = spack("install", f"{spec} ~system_packages", check=False)
        assert refused.code == 1 and "No module named 'ofsystem'" in refused.err
        spack("install", f"{spec} +system_packages")
        (made,) = spack.prefix(f"py-{name}").glob("lib/python3*/site-packages/made.py")
        assert made.read_text() == "x = 42"
        assert "+system_packages" in spack("find", "-dv", f"py-{name}").out
    venvs = {f"{kind}system_packages": kind == "+" for kind in "~+"}
    for variant, opened in venvs.items():
        python = spack.prefix(f"python-venv {variant}") / "bin" / "python3"
        done = subprocess.run([python, "-I", "-c", "import ofsystem"], stderr=subprocess.DEVNULL)
        assert (done.returncode == 0) is opened


#: What an old setuptools registers in every process that asks for entry points.
_OLD_ENTRY_POINTS = """\
[distutils.commands]
build_py = poison:command
egg_info = poison:command
install = poison:command
[distutils.setup_keywords]
zip_safe = poison:keyword
packages = poison:keyword
[setuptools.finalize_distribution_options]
keywords = poison:finalize
parent_finalize = poison:finalize
[egg_info.writers]
PKG-INFO = poison:write
"""


#: Where there is a Python with a prefix of its own, a copy of it is installed in the store.
_BASES = ["external"] + ["store"] * (sys.base_prefix != "/usr")


@pytest.mark.slow
@pytest.mark.parametrize("base", _BASES)
@pytest.mark.parametrize("build_system", ["python_wheel", "python_pip"])
def test_an_old_setuptools_in_the_user_site(
    spack: Command, recipes: RecipeRepository, build_system: str, base: str
) -> None:
    """The case that this project was founded for: setuptools 63 built from its sources."""
    home = spack.home.path
    if base == "store":
        version = ".".join(map(str, sys.version_info[:3]))
        recipes.store_python(Path(sys.base_prefix), version)
        spack.let_builds_read(Path(sys.base_prefix))
        (spack.home.config / "packages.yaml").write_text(
            f"packages:\n  python:\n    require: ['@={version}']\n    buildable: true\n"
        )
    _in_user_site(home, "poison.py", "raise RuntimeError('an entry point of another setuptools')\n")
    _in_user_site(home, "setuptools/__init__.py", _RAISES)
    _in_user_site(home, "pkg_resources/__init__.py", _RAISES)
    info = "setuptools-44.1.1.dist-info"
    _in_user_site(
        home, f"{info}/METADATA", "Metadata-Version: 2.1\nName: setuptools\nVersion: 44.1.1\n"
    )
    _in_user_site(home, f"{info}/entry_points.txt", _OLD_ENTRY_POINTS)
    spack("install", f"py-setuptools@63.4.3 build_system={build_system}")
    prefix = spack.prefix("py-setuptools@63.4.3")
    assert list(prefix.glob("lib*/python3*/site-packages/setuptools-63.4.3.dist-info"))
    assert (spack.home.store in spack.prefix("python").parents) is (base == "store")
