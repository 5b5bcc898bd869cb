"""The entry behind ``bin/spack``: checks the interpreter, finds libraries, starts the cli.

``bin/spack`` runs this file with ``-I -S``, so nothing but the standard library is on
``sys.path``. This file adds ``lib`` and the private directory of own dependencies
(:mod:`spack.bootstrap.own_dependencies`) in front of it. The file is parsed by whatever
``python3`` there is, so its syntax is that of Python 2.7 and 3.0 alike, and it imports at the top
only what every start needs. Cost: ``--version`` imports the version and nothing else.
"""

import os
import sys

MINIMUM = (3, 9)
NEWER = ("3.14", "3.13", "3.12", "3.11", "3.10", "3.9")


def newer_python(environ):
    # type: (os._Environ[str]) -> str | None
    """Return the name of a newer interpreter on PATH that is not a version switcher's shim."""
    if environ.get("SPACK_PYTHON"):
        return None
    for version in NEWER:
        for directory in environ.get("PATH", "").split(os.pathsep):
            path = os.path.join(directory, "python" + version)
            if os.path.basename(directory.rstrip("/")) != "shims" and os.access(path, os.X_OK):
                return path
    return None


def refuse_old_python(environ):
    # type: (os._Environ[str]) -> int
    """Start again with a newer interpreter, or report that there is none."""
    path = newer_python(environ)
    if path:
        os.execv(path, [path, "-I", "-S", os.path.abspath(__file__)] + sys.argv[1:])  # noqa: RUF005
    found = "{} is Python {}.{}".format(sys.executable, *sys.version_info[:2])
    sys.stderr.write(
        "spack: Python 3.9 or newer is needed, and " + found + "\n"
        "hint: install a newer Python, or name one: SPACK_PYTHON=/path/to/python3\n"
    )
    return 1


def keep_bytecode(lib, environ):
    # type: (str, os._Environ[str]) -> None
    """Cache bytecode below the user's cache when this copy of spack is read-only and has none.

    Without it every start would compile every module again.
    """
    package = os.path.join(lib, "spack")
    compiled = "__init__." + str(sys.implementation.cache_tag) + ".pyc"
    if os.access(package, os.W_OK) or os.path.exists(
        os.path.join(package, "__pycache__", compiled)
    ):
        return
    home = environ.get("HOME") or os.path.expanduser("~")
    cache = environ.get("SPACK_USER_CACHE_PATH") or os.path.join(home, ".spack")
    sys.pycache_prefix = os.path.join(cache, "pycache")


def run(argv):
    # type: (list[str]) -> int
    """Run one command line; return the exit code, or end the process with it."""
    lib = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    sys.path.insert(0, lib)
    if argv in (["--version"], ["-V"]):
        from spack import __version__  # start-up: the only import of this path

        # Unbuffered: nothing is left that could fail when the interpreter ends.
        try:
            os.write(1, (__version__ + "\n").encode())
        except OSError as error:
            return 141 if isinstance(error, BrokenPipeError) else 1
        return 0
    keep_bytecode(lib, os.environ)
    from spack.bootstrap import own_dependencies  # start-up: not for --version

    root = os.path.dirname(lib)
    location = own_dependencies.locate(root, os.environ)
    if location is None:
        from spack.errors import SpackError  # start-up: only on the first run

        try:
            location = own_dependencies.provide(root, os.environ, sys.stderr)
        except SpackError as error:
            sys.stderr.write(own_dependencies.explain(error))
            return 1
    if location:
        sys.path.insert(1, location)
    from spack.cli.main import main  # start-up: needs the own dependencies
    from spack.util.streams import end_process

    end_process(main(argv))


if __name__ == "__main__":
    if sys.version_info < MINIMUM:
        sys.exit(refuse_old_python(os.environ))
    try:
        # Nothing is buffered, and nothing is left that had to be freed.
        os._exit(run(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
    except ImportError as error:
        from spack.bootstrap.missing_modules import explain_missing  # start-up: seldom

        text = explain_missing(error)
        if text is None:
            raise
        sys.stderr.write(text)
        sys.exit(1)
