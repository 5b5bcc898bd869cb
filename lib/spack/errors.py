"""The tree of errors that a user can meet; this module imports nothing of the project.

Every exception carries facts, not phrases to be parsed: a message of one sentence, a stable
kebab-case reference (``ref``), facts as data, and a hint that says what to do next. Rendering
and exit codes live in :mod:`spack.cli` alone::

    SpackError
    ├── SpecError            text or meaning of a spec          (spack.spec)
    ├── ConfigError          configuration, always file:line    (spack.config)
    ├── RecipeError          a recipe that cannot be used        (spack.recipe, spack.repo)
    ├── UnsatisfiableError   no solution, with the causes        (spack.solver)
    ├── FetchError           sources: network, checksum, archive (spack.fetch)
    ├── BinaryCacheError     caches of binaries                (spack.binary)
    ├── InstallError         a build or its transaction          (spack.build, spack.install)
    ├── StoreError           database, locks, prefixes           (spack.store)
    ├── ViewError            views and their conflicts           (spack.view)
    ├── EnvironmentFileError environments, lock files            (spack.environment)
    ├── HostError            interpreters, compilers, platform   (spack.host)
    └── UsageError           a wrong command line                (spack.cli)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = [
    "BinaryCacheError",
    "ConfigError",
    "EnvironmentFileError",
    "FetchError",
    "HostError",
    "InstallError",
    "RecipeError",
    "SpackError",
    "SpecError",
    "StoreError",
    "UnsatisfiableError",
    "UsageError",
    "ViewError",
]


class SpackError(Exception):
    """Base of all errors that are shown to the user.

    :param message: one sentence, without a trailing full stop, that says what is wrong.
    :param long_message: further lines, shown below the message (the recipe API's name for it).
    :param facts: the data behind the message, for tests and for ``--json``.
    :param hint: what the user can do about it.
    :param causes: errors that together led to this one; all of them are shown.
    """

    #: Stable reference, printed beside the message and usable in a search.
    ref = "error"

    def __init__(
        self,
        message: str,
        long_message: str | None = None,
        *,
        facts: Mapping[str, Any] | None = None,
        hint: str | None = None,
        causes: Sequence[BaseException] = (),
        ref: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.long_message = long_message
        self.facts: Mapping[str, Any] = dict(facts or {})
        self.hint = hint
        self.causes = tuple(causes)
        if ref is not None:
            self.ref = ref

    def __str__(self) -> str:
        return self.message

    def replaced(self, **changes: Any) -> SpackError:
        """Return the error with other values of some of its fields, such as ``message``."""
        cls = type(self)
        made = cls.__new__(cls, *self.args)
        made.__dict__.update({**self.__dict__, **changes})
        return made

    def at(self, location: object) -> SpackError:
        """Return the error with a position in a file before its message."""
        return self.replaced(message=f"{location}: {self.message}")


class SpecError(SpackError):
    """A spec cannot be read, or its parts contradict each other."""

    ref = "spec"


class ConfigError(SpackError):
    """A configuration file cannot be used; the message starts with ``file:line:``."""

    ref = "config"


class RecipeError(SpackError):
    """A recipe or a repository of recipes is unknown, malformed or fails to load."""

    ref = "recipe"


class UnsatisfiableError(SpackError):
    """No solution satisfies all constraints; ``causes`` holds the minimal set of them."""

    ref = "unsatisfiable"


class FetchError(SpackError):
    """Sources cannot be fetched, do not match their checksum, or cannot be unpacked."""

    ref = "fetch"


class BinaryCacheError(SpackError):
    """A cache of binaries cannot be used, or what it has is refused."""

    ref = "binary-cache"


class InstallError(SpackError):
    """A package could not be built or installed.

    Recipes raise it as ``InstallError(message, long_msg=...)``.
    """

    ref = "install"

    def __init__(
        self,
        message: str,
        long_msg: str | None = None,
        pkg: object = None,
        *,
        facts: Mapping[str, Any] | None = None,
        hint: str | None = None,
        causes: Sequence[BaseException] = (),
        ref: str | None = None,
    ) -> None:
        super().__init__(message, long_msg, facts=facts, hint=hint, causes=causes, ref=ref)
        self.pkg = pkg


class StoreError(SpackError):
    """The install tree, its database or a lock is in the way."""

    ref = "store"


class ViewError(SpackError):
    """A view cannot be planned or written."""

    ref = "view"


class EnvironmentFileError(SpackError):
    """An environment, its ``spack.yaml`` or its ``spack.lock`` cannot be used."""

    ref = "environment"


class HostError(SpackError):
    """An interpreter, a compiler or the platform does not offer what is needed."""

    ref = "host"


class UsageError(SpackError):
    """The command line asks for something that the command does not do."""

    ref = "usage"
