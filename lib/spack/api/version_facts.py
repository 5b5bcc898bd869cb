"""Facts of a recipe's versions: where their sources are, asked of a package object if need be."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from spack.api.directives import VersionDeclaration
from spack.api.identity import PackageIdentity, is_recipe_module
from spack.api.targets import Target
from spack.api.urls import index_source
from spack.recipe.records import VersionRecord
from spack.spec import Spec, Version

__all__ = ["version_records"]


class _AbstractView:
    """The spec of a package object that exists only to be asked for urls."""

    def __init__(self, name: str, version: str) -> None:
        self.name = name
        self.version = Version(version)
        self.platform = "linux"
        self.os = "unknown"
        self.target = Target(os.uname().machine)
        self._spec = Spec.parse(f"{name}@={version} platform=linux target={self.target}")

    def satisfies(self, constraint: Any) -> bool:
        return bool(self._spec.satisfies(str(constraint)))

    __contains__ = satisfies

    def __str__(self) -> str:
        return str(self._spec)


def version_records(
    cls: Any, declared: Mapping[str, VersionDeclaration], own: set[int]
) -> Iterator[VersionRecord]:
    """Yield the records of the versions that package class *cls* has declared.

    :param own: ids of the declarations of the recipe's own file.
    """
    overridden = cls.url_for_version is not PackageIdentity.url_for_version
    plain = None if overridden else cls(None)
    class_git = getattr(cls, "git", None)
    if any(
        "__init__" in owner.__dict__ and is_recipe_module(owner.__module__) for owner in cls.__mro__
    ):
        with suppress(Exception):  # recipe code, and without a concrete spec
            cls(_AbstractView(cls.name, "0"))
        declared = {text: item for text, item in declared.items() if Version(text) in cls.versions}
    for item in declared.values():
        options = dict(item.options)
        url, error = options.pop("url", None), None
        from_repository = any(key in options for key in _REPOSITORY_KEYS)
        if url is None and cls.has_code and not from_repository:
            try:
                package = plain or cls(_AbstractView(cls.name, item.version))
                url = package.url_for_version(Version(item.version))
            except Exception as problem:  # recipe code: any error makes this version unusable
                error = f"{type(problem).__name__}: {problem}"
        if from_repository and class_git and "git" not in options:
            options["git"] = str(class_git)
        yield VersionRecord(
            version=item.version,
            url=index_source(str(url)) if url else None,
            sha256=_lower(options.pop("sha256", None)),
            preferred=bool(options.pop("preferred", False)),
            deprecated=bool(options.pop("deprecated", False)),
            options={key: _plain_option(value) for key, value in options.items()},
            line=item.line if id(item) in own else 0,
            error=error,
        )


#: Options that say that the source is a repository of a version control system.
_REPOSITORY_KEYS = ("commit", "tag", "branch", "git", "svn", "hg", "cvs", "revision")


def _lower(text: Any) -> Any:
    return text.lower() if isinstance(text, str) else text


def _plain_option(value: Any) -> Any:
    """Return plain data; a function of the package (submodules) becomes True, for all."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, dict):
        return {str(key): _plain_option(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return tuple(_plain_option(item) for item in value)
    return True if callable(value) else str(value)
