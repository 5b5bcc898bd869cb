"""Tests of packages: parts of stand-alone tests, and the tests that run within an install.

A package's ``tester`` (:class:`PackageTester`) collects what :func:`test_part` blocks and phase
tests find; failures are raised together at the end of a phase, so that one run shows them all.
"""

from __future__ import annotations

import os
import re
import shutil
import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from spack.api import tty
from spack.api.executable import Executable, which
from spack.api.files import find, join_path, working_dir
from spack.errors import InstallError, SpackError

__all__ = [
    "PackageTester",
    "SkipTest",
    "TestFailure",
    "cache_extra_test_sources",
    "check_outputs",
    "compare_output",
    "compare_output_file",
    "compile_c_and_execute",
    "find_required_file",
    "get_escaped_text_output",
    "install_test_root",
    "test_part",
]


class SkipTest(Exception):  # noqa: N818 - Spack's name
    """Raised in a test that cannot run here; the test counts as skipped."""

    __test__ = False


class TestFailure(InstallError):  # noqa: N818 - Spack's name
    """Tests of a package have failed; ``causes`` holds every failure."""

    ref = "package-tests"
    __test__ = False

    def __init__(self, failures: Sequence[tuple[BaseException, str]]) -> None:
        names = ", ".join(name for _, name in failures)
        super().__init__(
            f"{len(failures)} test(s) of the package failed: {names}",
            "\n".join(f"{name}: {exc}" for exc, name in failures),
            causes=tuple(exc for exc, _ in failures),
        )


@dataclass
class PackageTester:
    """Results of the tests of one package in this process.

    :ivar results: pairs of a test's name and ``"passed"``, ``"failed"`` or ``"skipped"``.
    """

    results: list[tuple[str, str]] = field(default_factory=list)
    failures: list[tuple[BaseException, str]] = field(default_factory=list)

    def status(self, name: str, status: str) -> None:
        """Note the outcome of a part."""
        self.results.append((name, status))
        tty.msg(f"{status}: {name}")

    def add_failure(self, exception: BaseException, name: str) -> None:
        """Note a failure; :meth:`raise_failures` raises it."""
        self.failures.append((exception, name))

    def phase_tests(self, builder: Any, phase_name: str, method_names: Iterable[str]) -> None:
        """Call the methods *method_names*, of the builder or else of its package.

        :raises TestFailure: with all that failed.
        """
        for name in method_names:
            method = getattr(builder, name, None) or getattr(builder.pkg, name, None)
            if method is None:
                exc = AttributeError(f"the {phase_name}-time test {name}() is not defined")
                self.add_failure(exc, name)
                continue
            tty.msg(f"{phase_name}-time test: {name}")
            method()
        self.raise_failures()

    def raise_failures(self) -> None:
        """Raise what has been collected, once."""
        failures, self.failures = self.failures, []
        if failures:
            raise TestFailure(failures)


@contextmanager
def test_part(
    pkg: Any, test_name: str, purpose: str, work_dir: str = ".", verbose: bool = False
) -> Iterator[None]:
    """Run one part of a test in *work_dir*; a failure is noted and the next part runs.

    :param test_name: must begin with ``test_``.
    :param purpose: what is tested, for the log.
    """
    if not test_name.startswith("test_"):
        raise ValueError(f"the name of a test part begins with 'test_': {test_name}")
    tester: PackageTester = pkg.tester
    tty.info(f"test: {test_name}: {purpose or 'no purpose given'}")
    with working_dir(work_dir or ".", create=True):
        try:
            yield
        except SkipTest as exc:
            tester.status(test_name, "skipped")
            tty.info(str(exc))
        except Exception as exc:
            tester.status(test_name, "failed")
            tty.error("".join(traceback.format_exception(type(exc), exc, exc.__traceback__)))
            tester.add_failure(exc, test_name)
        else:
            tester.status(test_name, "passed")


test_part.__test__ = False  # type: ignore[attr-defined]  # pytest: not a test


def install_test_root(pkg: Any) -> str:
    """Return where a package keeps sources of its tests: below ``.spack`` in its prefix."""
    return join_path(pkg.prefix, ".spack", "test")


def cache_extra_test_sources(pkg: Any, srcs: str | Iterable[str]) -> None:
    """Copy files or directories of the source tree to :func:`install_test_root`.

    :raises InstallError: for a path that is absolute or does not exist.
    """
    for source in [srcs] if isinstance(srcs, str) else srcs:
        if os.path.isabs(source):
            raise InstallError(f"'{source}' must be relative to the source directory")
        origin = os.path.join(pkg.stage.source_path, source)
        target = os.path.join(install_test_root(pkg), source)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if os.path.isdir(origin):
            shutil.copytree(origin, target, symlinks=True, dirs_exist_ok=True)
        elif os.path.exists(origin):
            shutil.copy2(origin, target)
        else:
            raise InstallError(f"'{source}' does not exist in {pkg.stage.source_path}")


def get_escaped_text_output(filename: str) -> list[str]:
    """Return the lines of a file of expected output, as regular expressions."""
    with open(filename, encoding="utf-8") as stream:
        return [re.escape(line.rstrip("\n")) for line in stream.read().strip().split("\n")]


def check_outputs(expected: str | Iterable[str], actual: str) -> None:
    """Require each regular expression *expected* to be found in *actual*.

    :raises RuntimeError: with all that are missing.
    """
    patterns = [expected] if isinstance(expected, str) else list(expected)
    missing = [pattern for pattern in patterns if not re.search(pattern, actual)]
    if missing:
        raise RuntimeError(f"Expected '{missing}' in output: {actual}")


def find_required_file(
    root: str, filename: str, expected: int = 1, recursive: bool = True
) -> str | list[str]:
    """Return the *expected* number of files *filename* below *root*; one path alone when it is 1.

    :raises SkipTest: when another number is found.
    """
    if expected < 1:
        raise SkipTest(f"the number of expected files must be at least 1, not {expected}")
    found = find(root, filename, recursive=recursive)
    if len(found) != expected:
        raise SkipTest(f"{len(found)} files {filename} under {root}, {expected} expected")
    return found[0] if expected == 1 else found


def compile_c_and_execute(source_file: str, include_flags: list[str], link_flags: list[str]) -> str:
    """Compile one C file in the current directory, run it, and return what it prints."""
    compiler = which("cc", required=True)
    name = os.path.splitext(os.path.basename(source_file))[0]
    compiler("-c", *include_flags, source_file)
    compiler("-o", "check", f"{name}.o", *link_flags)
    return Executable("./check")(output=str) or ""


def compare_output(current_output: str, blessed_output: str) -> None:
    """Require two texts to be equal; otherwise the log shows both.

    :raises RuntimeError: when they differ.
    """
    if current_output != blessed_output:
        tty.error("the output differs; expected:", *blessed_output.splitlines(), "---- but got:")
        tty.error("output:", *current_output.splitlines())
        raise RuntimeError("Output check failed.", "See the build's log for details")


def compare_output_file(current_output: str, blessed_output_file: str) -> None:
    """:func:`compare_output` with the expected text in a file."""
    try:
        with open(blessed_output_file, encoding="utf-8") as stream:
            blessed = stream.read()
    except OSError as exc:
        raise SpackError(f"cannot read {blessed_output_file}: {exc.strerror}") from exc
    compare_output(current_output, blessed)
