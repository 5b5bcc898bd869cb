"""spack's own dependencies: fetched on the first run, found by one ``stat`` afterwards.

``share/bootstrap/requirements.lock`` (JSON, made by ``relock.py`` beside it) names wheels with
their sha256. The ones that fit the running interpreter are found by name on the package index
that pip's configuration names, verified, and unpacked into a private directory::

    <root>/var/spack/deps/<lock digest>-<extension suffix>        when the root can be written
    <user cache>/deps/<lock digest>-<extension suffix>            else (~/.spack)

The directory appears by one ``rename`` when it is complete, so it is complete when it exists; two
first runs wait for each other. Everything is byte-compiled with unchecked hashes (PEP 552), so a
copy of the directory stays valid. Nothing of this is installed anywhere else, and an installation
by pip, which has no lock file beside it, uses its ordinary dependencies.

This module imports at its top only what every start needs.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import Any, TextIO

    from spack.bootstrap.wheels import Interpreter
    from spack.errors import SpackError
    from spack.fetch.package_index import PackageIndex
    from spack.fetch.pipconfig import PipSettings
    from spack.fetch.transport import Transport

__all__ = ["explain", "fetch_wheels", "locate", "provide"]

LOCK = "share/bootstrap/requirements.lock"
#: Parts of dependencies that nothing of spack imports: not byte-compiled, which saves 2 s.
RARELY_USED = r"/pygments/(lexers|styles|formatters|filters)/|/markdown_it/|/pip/"
WORKERS = 4


def locate(root: str, environ: Mapping[str, str]) -> str | None:
    """Return the directory for ``sys.path``; ``""`` without a lock file (installed by pip).

    None when the dependencies are not yet fetched. Cost: the first line of the lock file and
    one ``stat``.
    """
    try:
        with open(os.path.join(root, LOCK), encoding="utf-8") as file:
            digest = file.readline().split('"')[3]
    except FileNotFoundError:
        return ""
    except (OSError, IndexError, UnicodeDecodeError):
        return None  # unreadable or damaged, as provide reports in detail
    name = f"{digest[:16]}-{_suffix()}"
    for location in _locations(root, environ):
        directory = os.path.join(location, name)
        if os.path.isdir(directory):
            return directory
    return None


def provide(root: str, environ: Mapping[str, str], stream: TextIO) -> str:
    """Fetch the dependencies and return their directory.

    :param stream: for the progress: one line, rewritten while it is a terminal.
    :raises FetchError: no fitting wheel, no network, a wrong checksum, no writable directory.
    """
    from pathlib import Path  # start-up: only on the first run

    lock = _read_lock(Path(root, LOCK))
    location = _writable(_locations(root, environ))
    target = location / f"{lock['digest'][:16]}-{_suffix()}"
    with _alone(location / ".lock", stream):
        if not target.is_dir():
            _fetch(lock, Path(root, LOCK).parent, target, environ, stream)
    return str(target)


def fetch_wheels(
    root: str, directory: Path, environ: Mapping[str, str], *, lock_name: str = LOCK
) -> list[str]:
    """Download the wheels that the running interpreter needs into *directory*; their names.

    ``PIP_FIND_LINKS`` names that directory on a machine without a network.

    :param lock_name: of the lock file, relative to *root*.
    :raises FetchError: see :func:`provide`.
    """
    from pathlib import Path  # start-up: only for a mirror

    from spack.bootstrap import wheels
    from spack.fetch import pipconfig

    lock_path = Path(root, lock_name)
    lock = _read_lock(lock_path)
    transport, index = _index(lock, lock_path.parent, pipconfig.read(environ), environ)
    directory.mkdir(parents=True, exist_ok=True)
    names = []
    for name, _, filename, sha256 in _choose(lock, wheels.running()):
        path = directory / filename
        if not path.exists():
            _download(index, transport, name, filename, sha256=sha256, path=path)
        names.append(filename)
    return names


def explain(error: SpackError) -> str:
    """Return *error* as text for a terminal: the cli's renderer needs the dependencies."""
    lines = [f"spack: {error.message}"]
    if error.long_message:
        lines += ["  " + line for line in error.long_message.splitlines()]
    if error.hint:
        lines += ["hint: " + error.hint]
    return "\n".join(lines) + "\n"


def _locations(root: str, environ: Mapping[str, str]) -> tuple[str, str]:
    home = environ.get("HOME") or os.path.expanduser("~")
    cache = environ.get("SPACK_USER_CACHE_PATH") or os.path.join(home, ".spack")
    return os.path.join(root, "var", "spack", "deps"), os.path.join(cache, "deps")


def _suffix() -> str:
    """Return the binary interface without ``sysconfig``: ``cpython-311-x86_64-linux-gnu``."""
    import _imp  # start-up: built in, unlike importlib.machinery's public name for it

    suffix = str(_imp.extension_suffixes()[0]).strip(".").rpartition(".")[0]
    return f"{suffix}-{os.uname().machine}" if sys.platform == "darwin" else suffix


def _read_lock(path: Path) -> Any:
    import hashlib  # start-up: only on the first run
    import json

    from spack.errors import FetchError

    hint = "restore the file from the repository, or write it again with relock.py beside it"
    try:
        text = path.read_text(encoding="utf-8")
        lock = json.loads(text)
        digest = lock["digest"]
    except OSError as error:
        raise FetchError(f"{path} cannot be read: {error.strerror}", hint=hint) from error
    except (ValueError, KeyError, TypeError) as error:
        raise FetchError(f"{path} is damaged: {error}", hint=hint) from error
    if hashlib.sha256(text.partition("\n")[2].encode()).hexdigest() != digest:
        raise FetchError(f"{path} was edited: its digest does not fit", hint=hint)
    return lock


def _writable(locations: Sequence[str]) -> Path:
    import tempfile  # start-up: only on the first run
    from pathlib import Path

    from spack.errors import FetchError

    reasons = []
    for location in locations:
        try:
            os.makedirs(location, exist_ok=True)
            with tempfile.TemporaryFile(dir=location):
                return Path(location)
        except OSError as error:
            reasons.append(f"{location}: {error.strerror}")
    raise FetchError(
        "no directory is writable for spack's own dependencies",
        "\n".join(reasons),
        hint="set SPACK_USER_CACHE_PATH to a directory that can be written",
    )


class _alone:  # noqa: N801 - used as a function
    """Holds an advisory lock; where the file system has none, the final rename decides."""

    def __init__(self, path: Path, stream: TextIO) -> None:
        self._path = path
        self._stream = stream

    def __enter__(self) -> None:
        import fcntl  # start-up: only on the first run

        self._file = open(self._path, "a")  # closed in __exit__
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._stream.write("==> Waiting for another spack that fetches the dependencies\n")
            self._stream.flush()
            fcntl.flock(self._file, fcntl.LOCK_EX)
        except OSError:
            pass

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _fetch(
    lock: Any, share: Path, target: Path, environ: Mapping[str, str], stream: TextIO
) -> None:
    import shutil  # start-up: only on the first run
    import tempfile
    from concurrent.futures import ThreadPoolExecutor
    from pathlib import Path

    from spack.bootstrap import wheels
    from spack.errors import FetchError
    from spack.fetch import pipconfig

    interpreter = wheels.running()
    chosen = list(_choose(lock, interpreter))
    settings = pipconfig.read(environ)
    transport, index = _index(lock, share, settings, environ)
    progress = _Progress(stream, len(chosen), target)
    _remove_remains(target)
    staging = Path(tempfile.mkdtemp(prefix=target.name + ".part-", dir=target.parent))
    try:
        (staging / ".wheels").mkdir()
        (staging / "site").mkdir()

        def one(row: tuple[str, str, str, str]) -> tuple[str, Path]:
            name, version, filename, sha256 = row
            path = staging / ".wheels" / filename
            _download(index, transport, name, filename, sha256=sha256, path=path)
            return f"{name} {version}", path

        with ThreadPoolExecutor(WORKERS) as pool:
            try:
                for title, path in pool.map(one, chosen):
                    wheels.unpack(path, staging / "site")
                    progress.step(title)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        _compile(staging / "site", target)
        (staging / "site").chmod(0o755)
        os.rename(staging / "site", target)
    except OSError as error:
        if not target.is_dir():
            raise FetchError(
                f"spack's own dependencies cannot be unpacked below {target.parent}: {error}",
                hint="free some space there, or set SPACK_USER_CACHE_PATH to another directory",
            ) from error
    except FetchError as error:
        raise _with_ways_out(error, settings, target) from error
    finally:
        progress.finish()
        shutil.rmtree(staging, ignore_errors=True)


def _remove_remains(target: Path) -> None:
    """Remove what killed runs left; the caller holds the lock."""
    import shutil  # start-up: only on the first run

    for remains in target.parent.glob(target.name + ".part-*"):
        shutil.rmtree(remains, ignore_errors=True)


def _choose(lock: Any, interpreter: Interpreter) -> Iterator[tuple[str, str, str, str]]:
    """Yield ``(name, version, file name, sha256)`` of each package for *interpreter*."""
    from spack.bootstrap import wheels  # start-up: only on the first run
    from spack.errors import FetchError

    for package in lock["packages"]:
        first, last = package["minors"]
        minor = interpreter.version[1]
        if minor < first or (last is not None and minor > last):
            continue
        if package["system"] not in ("", interpreter.system):
            continue
        filename = wheels.best(package["wheels"], interpreter)
        if filename is None:
            raise FetchError(
                f"no wheel of {package['name']} {package['version']} fits {interpreter}",
                hint="name another interpreter with SPACK_PYTHON, or install spack with "
                "`pip install .` into a virtual environment",
            )
        yield package["name"], package["version"], filename, package["wheels"][filename]


def _index(
    lock: Any, share: Path, settings: PipSettings, environ: Mapping[str, str]
) -> tuple[Transport, PackageIndex]:
    # start-up: only on the first run
    from spack.fetch import package_index
    from spack.fetch.network_settings import network_settings
    from spack.fetch.transport import Transport

    default_index_wheel = lock["knows-the-index"]
    locations = package_index.locations(
        settings, lambda: (share / default_index_wheel["file"], default_index_wheel["sha256"])
    )
    transport = Transport(network_settings(settings, locations.urls, environ))
    return transport, package_index.PackageIndex(
        locations.urls, settings.find_links, get=transport.get
    )


def _download(
    index: PackageIndex,
    transport: Transport,
    name: str,
    filename: str,
    sha256: str,
    path: Path,
) -> None:
    """Download *filename* from the first link whose content has the right digest."""
    import hashlib  # start-up: only on the first run

    from spack.errors import FetchError

    tried: list[str] = []
    for link in index.find(name, filename, sha256):
        shown = link.url.rpartition("@")[2] if "@" in link.url else link.url
        if link.sha256 not in (None, sha256):
            tried.append(f"{shown}: the index says that its sha256 is {link.sha256}")
            continue
        try:
            transport.download(link.url, path)
        except FetchError as error:
            tried.append(error.message)
            continue
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if found == sha256:
            return
        path.unlink()
        tried.append(f"{shown}: its sha256 is {found}, not {sha256}")
    tried += [error.message for error in index.failures.values()]
    raise FetchError(
        f"cannot fetch {filename}",
        "\n".join(dict.fromkeys(tried)) or "no configured index has a file of this name",
        facts={"filename": filename, "sha256": sha256},
    )


def _with_ways_out(error: SpackError, settings: PipSettings, target: Path) -> SpackError:
    """Return *error* with what was asked and what can be done instead."""
    from spack.errors import FetchError  # start-up: only on an error

    where = settings.origin.get("index-url", "the default, as no configuration names one")
    lines = [error.long_message or "", f"index: {where}"]
    if settings.find_links:
        lines.append(f"find-links: {settings.origin['find-links']}")
    return FetchError(
        f"spack's own dependencies are missing: {error.message}",
        "\n".join(line for line in lines if line),
        facts=error.facts,
        hint="with a network, run the command again; PIP_INDEX_URL or pip.conf name another "
        "index, PIP_FIND_LINKS a directory of wheels; or run `pip install .` in a virtual "
        f"environment; or copy the directory {target} from another machine of this kind",
        causes=(error,),
    )


def _compile(site: Path, target: Path) -> None:
    """Byte-compile *site* as it will be known at *target*."""
    import compileall  # start-up: only on the first run
    import py_compile
    import re

    compileall.compile_dir(
        str(site),
        quiet=2,
        rx=re.compile(RARELY_USED),
        stripdir=str(site),
        prependdir=str(target),
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )


class _Progress:
    """One line on a terminal that is rewritten, one line at all elsewhere."""

    def __init__(self, stream: TextIO, total: int, target: Path) -> None:
        self._stream = stream
        self._total = total
        self._done = 0
        self._terminal = stream.isatty()
        if not self._terminal:
            text = f"==> Fetching spack's own dependencies, once: {total} wheels into {target}\n"
            stream.write(text)
            stream.flush()

    def step(self, title: str) -> None:
        self._done += 1
        if self._terminal:
            counted = f"{self._done}/{self._total} {title}"
            self._stream.write(f"\r\x1b[K==> Fetching spack's own dependencies, once: {counted}")
            self._stream.flush()

    def finish(self) -> None:
        if self._terminal:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
