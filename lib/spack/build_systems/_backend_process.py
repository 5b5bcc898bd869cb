"""Runs in the build's own interpreter: calls hooks of a build backend, each in a fork of its own.

Started as ``python _backend_process.py <descriptor> <jobs> [<module>...]``; any Python from 3.6 on.
It imports the modules of the backend once, and lets setuptools run as many compilers at a time as
there are jobs. Each line on standard input is a request in JSON,
``{"argv": [...], "cwd": ..., "environ": {...}}``: the script ``argv[0]`` runs as ``__main__`` in a
fork, as if a new process had been started for it (PEP 517 asks for a process for each hook). The
answer, a line with its exit status, goes to the descriptor.

A request may name a file, ``{"imports": {"file": ..., "tree": ...}}``: it gets what the code below
the directory *tree* (``setup.py``, a backend in the tree) has imported, as JSON
``{"found": {module: its file}, "absent": [module]}``, top-level names only.
"""

import atexit
import builtins
import importlib
import json
import os
import runpy
import sys
import traceback

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, NoReturn, Optional


def prepare(modules: "Iterable[str]") -> None:
    """Import *modules*; what fails here will fail, and be reported, in the hook."""
    for name in modules:
        try:
            importlib.import_module(name)
        except BaseException:  # whatever a backend raises
            return


def compile_in_parallel(jobs: int) -> None:
    """Let setuptools, if it is the backend, compile the sources of an extension side by side.

    It calls one compiler after the other, whatever number of jobs is allowed. Only its own way to
    call them is changed: a project's replacement of it may not support parallel calls.
    """
    if jobs < 2 or "setuptools" not in sys.modules:
        return
    from concurrent.futures import ThreadPoolExecutor  # start-up: most builds compile nothing

    try:
        from distutils.ccompiler import CCompiler  # setuptools' own, by its import hook
    except ImportError:
        return
    in_turn = CCompiler.compile

    def compile_sources(self: "Any", *args: "Any", **options: "Any") -> "list[str]":
        home = type(self)._compile.__module__
        own = home.startswith(("distutils.", "setuptools._distutils."))
        if "_compile" in vars(self) or not own:
            return in_turn(self, *args, **options)
        one = self._compile
        with ThreadPoolExecutor(jobs) as pool:
            running = []
            self._compile = lambda *some: running.append(pool.submit(one, *some))
            try:
                objects = in_turn(self, *args, **options)
            finally:
                del self._compile
            for each in running:
                each.result()
        return objects

    CCompiler.compile = compile_sources  # type: ignore[method-assign]  # that is the point


def watch_imports(tree: str, file: str) -> None:
    """Write to *file*, at the end of the process, what code below *tree* has imported."""
    import_module = builtins.__import__
    names: dict[str, bool] = {}
    locations: dict[Optional[str], bool] = {}
    below = os.path.join(os.path.realpath(tree), "")

    def importing(
        name: str,
        globals: "Any" = None,
        locals: "Any" = None,
        fromlist: "Any" = (),
        level: int = 0,
    ) -> "Any":
        location = globals.get("__file__") if level == 0 and globals else None
        own = locations.get(location)
        if own is None:
            own = locations[location] = os.path.realpath(location or os.sep).startswith(below)
        try:
            module = import_module(name, globals, locals, fromlist, level)
        except ImportError:
            if own:
                names.setdefault(name.partition(".")[0], False)
            raise
        if own:
            names[name.partition(".")[0]] = True
        return module

    def write() -> None:
        found = {}
        for name, there in names.items():
            module = sys.modules.get(name)
            paths = list(getattr(module, "__path__", ())) or [""]
            location = getattr(module, "__file__", None) or paths[0]
            if there and location:
                found[name] = location
        absent = sorted(name for name, there in names.items() if not there)
        with open(file, "w") as stream:
            json.dump({"found": found, "absent": absent}, stream)

    builtins.__import__ = importing
    atexit.register(write)


def run(request: "Mapping[str, Any]") -> None:
    """Do the request in this process, and end it."""
    status = 1
    try:
        os.environ.update(request["environ"])
        os.chdir(request["cwd"])
        if request.get("imports"):
            watch_imports(**request["imports"])
        sys.argv[:] = request["argv"]
        runpy.run_path(sys.argv[0], run_name="__main__")
        status = 0
    except SystemExit as exc:
        if exc.code is None:
            status = 0
        elif isinstance(exc.code, int):
            status = exc.code
        else:
            sys.stderr.write(str(exc.code) + "\n")
    except BaseException:
        traceback.print_exc()
    try:
        getattr(atexit, "_run_exitfuncs", lambda: None)()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(status)


def in_fork(request: "Mapping[str, Any]") -> int:
    """Return exit status of *request*; negative for a signal."""
    sys.stdout.flush()
    sys.stderr.flush()
    process = os.fork()
    if process == 0:
        run(request)
    status = os.waitpid(process, 0)[1]
    return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def in_process(request: "Mapping[str, Any]") -> int:
    """Call a hook of a backend that has started threads, which would not survive a fork."""
    import subprocess  # start-up: hardly any backend needs this

    environ = dict(os.environ, **request["environ"])
    return subprocess.call([sys.executable] + request["argv"], cwd=request["cwd"], env=environ)


def main() -> None:
    """Serve requests until standard input ends."""
    answers = int(sys.argv[1])
    os.set_inheritable(answers, False)
    requests = os.fdopen(os.dup(0), "r")
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
    # The backend may not import from the directory of this file.
    sys.path[:] = [path for path in sys.path if path != os.path.dirname(os.path.abspath(__file__))]
    prepare(sys.argv[3:])
    compile_in_parallel(int(sys.argv[2]))
    for line in requests:
        request = json.loads(line)
        threading = sys.modules.get("threading")
        alone = threading is None or threading.active_count() == 1
        status = in_fork(request) if alone else in_process(request)
        os.write(answers, b"%d\n" % status)


def end() -> "NoReturn":
    """End at once: nothing waits for the interpreter's finalization, but the build does."""
    try:
        getattr(atexit, "_run_exitfuncs", lambda: None)()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
    end()
