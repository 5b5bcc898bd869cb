"""What a package class knows of itself: its name, its module, its declarations."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from spack.api.declared_urls import DeclaredUrls
from spack.api.directives import (
    BuildSystemDeclaration,
    MaintainersDeclaration,
    VersionDeclaration,
)
from spack.api.lang import classproperty
from spack.api.metaclass import DeclaringMeta
from spack.api.urls import index_source
from spack.api.variants import Variant
from spack.errors import RecipeError
from spack.recipe.package_names import package_name
from spack.recipe.records import ExtendsRecord, ProvidesRecord, ResourceRecord
from spack.spec import Spec, Version

__all__ = ["PackageIdentity", "is_recipe_module"]

_RECIPE_MODULE = re.compile(r"spack_repo\.([\w.]+)\.packages\.(\w+)\.package")


def is_recipe_module(name: str) -> bool:
    """Return whether *name* is the module of a recipe, as the finder names them."""
    return _RECIPE_MODULE.fullmatch(name) is not None


def _declared(cls: Any, kind: type) -> Iterator[Any]:
    return (item for item in cls.__declared__ if type(item) is kind)


class PackageIdentity(metaclass=DeclaringMeta):
    """Class properties: they need neither a spec nor a build.

    A module that is not a recipe (a test's) gives a name made of the class name.
    """

    #: Set by the directives' metaclass.
    __declared__: tuple[Any, ...]
    __callbacks__: tuple[Any, ...]

    #: URL of the project.
    homepage: Any = None
    #: URL of the archive of one version, from which those of the other versions follow.
    url: Any = None
    #: URL of a page that links to archives.
    list_url: Any = None
    #: How many links deep archives are below that page; accepted, one page is read.
    list_depth = 0
    #: URL of the repository, for versions with ``tag``, ``commit`` or ``branch``.
    git: Any = None
    #: Project and file name of one version on the package index, ``black/black-24.4.2.tar.gz``.
    pypi: Any = None

    @classproperty
    def module(cls: Any) -> ModuleType:
        """Return the module of the recipe."""
        return sys.modules[cls.__module__]

    @classproperty
    def name(cls: Any) -> str:
        """Return the package's name, ``py-black``."""
        match = _RECIPE_MODULE.fullmatch(cls.__module__)
        if match:
            return package_name(match[2])
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", cls.__name__).lower()

    @classproperty
    def namespace(cls: Any) -> str:
        """Return the namespace of its repository."""
        match = _RECIPE_MODULE.fullmatch(cls.__module__)
        return match[1] if match else ""

    @classproperty
    def fullname(cls: Any) -> str:
        """``venv.py-black``."""
        return f"{cls.namespace}.{cls.name}"

    @classproperty
    def package_dir(cls: Any) -> str:
        """Return the directory of the recipe, which contains its patches."""
        return os.path.dirname(os.path.abspath(sys.modules[cls.__module__].__file__ or ""))

    @classproperty
    def maintainers(cls: Any) -> list[str]:
        """Names of ``maintainers(...)``, those of base classes included, sorted."""
        return sorted({n for item in _declared(cls, MaintainersDeclaration) for n in item.names})

    @classproperty
    def versions(cls: Any) -> dict[Any, dict[str, Any]]:
        """Return the declared versions with their options, in source order; recipes remove some."""
        known: dict[Any, dict[str, Any]] | None = cls.__dict__.get("__versions")
        if known is None:
            declared = _declared(cls, VersionDeclaration)
            known = {Version(d.version): dict(d.options) for d in declared}
            setattr(cls, "__versions", known)  # a name that is not mangled
        return known

    @classproperty
    def resources(cls: Any) -> dict[Any, list[ResourceRecord]]:
        """Resources by their condition."""
        result: dict[Any, list[ResourceRecord]] = {}
        for record in _declared(cls, ResourceRecord):
            result.setdefault(Spec(record.when), []).append(record)
        return result

    @classproperty
    def extendees(cls: Any) -> dict[str, tuple[Any, Any]]:
        """Return the extended packages: name to (spec, condition)."""
        result = {}
        for record in _declared(cls, ExtendsRecord):
            spec = Spec(record.spec)
            result[spec.name] = (spec, Spec(record.when))
        return result

    @classmethod
    def variant_names(cls) -> list[str]:
        """Return the names of all variants that exist under some condition."""
        return list(dict.fromkeys(item.name for item in _declared(cls, Variant)))

    @classmethod
    def has_variant(cls, name: str) -> bool:
        """Return whether a variant of this name is declared under any condition."""
        return any(item.name == name for item in _declared(cls, Variant))

    @classmethod
    def variant_definitions(cls, name: str) -> list[tuple[Any, Variant]]:
        """Return the definitions of variant *name* with their conditions, in source order.

        A later definition precedes an earlier one; one that a later one always precedes is left
        out.
        """
        found: dict[str, Variant] = {}
        for definition in _declared(cls, Variant):
            if definition.name == name:
                found.pop(definition.when, None)
                found[definition.when] = definition
        pairs = [(Spec(when), definition) for when, definition in found.items()]
        return [
            (when, definition)
            for index, (when, definition) in enumerate(pairs)
            if not any(when.satisfies(later) for later, _ in pairs[index + 1 :])
        ]

    @classproperty
    def declared_build_systems(cls: Any) -> tuple[str, ...]:
        """Return the values of the variant ``build_system``."""
        values: tuple[str, ...] = ()
        for item in _declared(cls, BuildSystemDeclaration):
            values = item.values
        return values

    @classmethod
    def provisions(cls) -> list[ProvidesRecord]:
        """Return what ``provides(...)`` declared."""
        return list(_declared(cls, ProvidesRecord))

    @classmethod
    def provided_virtual_names(cls) -> list[str]:
        """Return the names of all virtuals that some condition provides."""
        names = (Spec(v).name for r in cls.provisions() for v in r.virtuals)
        return list(dict.fromkeys(name for name in names if name))

    @classproperty
    def declared_urls(cls: Any) -> DeclaredUrls:
        """Return what the declared versions say of URLs."""
        known: DeclaredUrls | None = cls.__dict__.get("__declared_urls")
        if known is None:
            known = DeclaredUrls(_declared(cls, VersionDeclaration))
            setattr(cls, "__declared_urls", known)  # a name that is not mangled
        return known

    def url_version(self, version: Any) -> str:
        """Return the text for *version* in URLs; recipes override it."""
        return str(version)

    def nearest_url(self, version: Any) -> str | None:
        """Return the ``url=`` of the nearest earlier version with one, else of the next later."""
        return type(self).declared_urls.nearest(Version(str(version)))

    def sample_url(self, version: Any) -> str | None:
        """Return the URL that *version*'s follows from: the class's, or the nearest version's."""
        if self.url:
            return str(self.url)
        for url in getattr(self, "urls", None) or ():
            return str(url)
        if self.pypi:
            return f"pypi:{_pypi_path(self.pypi)}"
        return self.nearest_url(version)

    def url_for_version(self, version: Any) -> str:
        """Return the URL of *version*'s archive; recipes override it.

        :raises RecipeError: there is nothing from which it could follow.
        """
        text = str(version)
        declared: DeclaredUrls = type(self).declared_urls
        own = declared.own(text)
        if own is not None:
            return own
        sample = self.sample_url(version)
        if sample is None:
            raise RecipeError(
                f"{self.name} declares no url for version {text}",
                hint="add url, pypi, git or a url= for this version",
            )
        return declared.substituted(index_source(sample), self.url_version(version))

    def all_urls_for_version(self, version: Any) -> list[str]:
        """Return the URL of *version*, then those that follow from ``urls`` (mirrors)."""
        declared: DeclaredUrls = type(self).declared_urls
        urls = [self.url_for_version(version)]
        urls += [declared.substituted(str(u), version) for u in getattr(self, "urls", None) or ()]
        return list(dict.fromkeys(urls))


def _pypi_path(pypi: str) -> str:
    return pypi if "/" in pypi else f"{pypi.rpartition('-')[0]}/{pypi}"
