"""What each section may contain: the tables of all keys that configuration knows.

Keys that Spack knows and this project has no use for (the schedules of build caches, ...) are
accepted, so that a user's files work with both; the comment ``Spack's`` marks them. Keys that only
this project has are marked ``own``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from spack.config import link_types
from spack.config.config_keys import (
    ENVIRONMENT_CHANGES,
    NULLABLE_TEXT,
    PATH,
    PROJECTIONS,
    TEXTS,
    config_record,
)
from spack.config.module_settings import MODULES, UPSTREAM_MODULES
from spack.config.schema import (
    ANYTHING,
    BOOL,
    NULL,
    TEXT,
    Choice,
    Either,
    Integer,
    Kind,
    ListOf,
    MapOf,
    PathText,
    Record,
    SpecText,
    Text,
    Tree,
    key_name,
    one_or_more,
)
from spack.config.wheel_policy import WheelPolicy

if TYPE_CHECKING:
    from spack.config.schema import (
        ConfigReport,
        Origin,
    )
    from spack.util.yaml import Node

__all__ = ["ENVIRONMENT", "SECTIONS", "VIEW", "ByKey"]

SPEC = SpecText()
#: A path inside a clone.
INNER_PATH = Text("a path")
SPECS = ListOf(SPEC)

CONFIG = config_record()

REQUIREMENT = Record(
    {"one_of": SPECS, "any_of": SPECS, "spec": SPEC, "message": TEXT, "when": SPEC},
    one_of=("one_of", "any_of", "spec"),
)
REQUIRE = Either(SPEC, ListOf(Either(SPEC, REQUIREMENT)))
PREFERENCES = ListOf(
    Either(SPEC, Record({"spec": SPEC, "message": TEXT, "when": SPEC}, required=("spec",)))
)
ACCESS = Choice("user", "group", "world")

EXTERNAL = Record(
    {
        "spec": SPEC,
        "prefix": Either(PATH, NULL),
        "modules": Either(TEXTS, NULL),
        "id": TEXT,
        "extra_attributes": MapOf(
            ANYTHING,
            {
                "compilers": MapOf(Either(PATH, NULL)),
                "environment": ENVIRONMENT_CHANGES,
                "extra_rpaths": ListOf(PATH),
                "implicit_rpaths": Either(BOOL, ListOf(PATH)),
                "flags": MapOf(TEXT),
            },
        ),
        "dependencies": ListOf(
            Record({"id": TEXT, "spec": SPEC, "deptypes": one_or_more(TEXT), "virtuals": TEXT})
        ),
    },
    required=("spec",),
)

_EVERY_PACKAGE: dict[str, Kind] = {
    "require": REQUIRE,
    "prefer": PREFERENCES,
    "conflict": PREFERENCES,
    "buildable": BOOL,
    "permissions": Record({"read": ACCESS, "write": ACCESS, "group": TEXT}),
    "package_attributes": MapOf(ANYTHING),
    "variants": one_or_more(SPEC),
    "target": ListOf(TEXT),
    "compiler": ListOf(SPEC),  # Spack's, of old
    "providers": MapOf(ListOf(SPEC)),
}

PACKAGE = Record(
    {**_EVERY_PACKAGE, "version": ListOf(Text("a version")), "externals": ListOf(EXTERNAL)},
    hints={
        "versions": "did you mean 'version'?",
        "paths": "externals are a list: 'externals: [{spec: ..., prefix: ...}]'",
    },
)
PACKAGES = MapOf(
    PACKAGE,
    {
        "all": Record(
            _EVERY_PACKAGE,
            hints={
                "version": "versions are preferred in the section of the package itself",
                "externals": "externals belong to the section of the package itself",
            },
        )
    },
)

REUSE_SOURCE = Record(
    {
        "type": Choice("local", "buildcache", "external", "environment"),
        "path": PATH,
        "include": SPECS,
        "exclude": SPECS,
    }
)
CONCRETIZER = Record(
    {
        "force": BOOL,
        "reuse": Either(
            BOOL,
            Choice("dependencies"),
            Record(
                {
                    "roots": BOOL,
                    "include": SPECS,
                    "exclude": SPECS,
                    "from": ListOf(REUSE_SOURCE),
                }
            ),
        ),
        "targets": Record(
            {
                "granularity": Choice("generic", "microarchitectures"),
                "host_compatible": BOOL,
            }
        ),
        "unify": Either(BOOL, Choice("when_possible")),
        "duplicates": Record(
            {"strategy": Choice("none", "minimal", "full"), "max_dupes": MapOf(Integer(1))}
        ),
        "compiler_mixing": Either(BOOL, TEXTS),
        "python": Choice("available", "newest"),
        "wheels": Choice(*get_args(WheelPolicy)),  # own
        "splice": Record(
            {
                "explicit": ListOf(
                    Record(
                        {"target": SPEC, "replacement": SPEC, "transitive": BOOL},
                        required=("target", "replacement"),
                    )
                ),
                "automatic": BOOL,
            }
        ),
        "static_analysis": BOOL,  # Spack's
        "timeout": Integer(0),
        "error_on_timeout": BOOL,
        "os_compatible": MapOf(TEXTS),
        "concretization_cache": Record(
            {"enable": BOOL, "url": TEXT, "entry_limit": Integer(0), "size_limit": Integer(0)}
        ),
        "externals": Record(
            {
                "completion": Choice("architecture_only", "default_variants"),
                "detect": Either(BOOL, TEXTS),  # own
            }
        ),
        "enable_node_namespace": BOOL,  # Spack's, of old
    }
)

#: One from git must have ``git`` when all scopes are merged: a scope may change a part of it.
REPO = Either(
    PATH,
    Record(
        {
            "git": TEXT,
            "branch": TEXT,
            "commit": TEXT,
            "tag": TEXT,
            "destination": PATH,
            "paths": ListOf(INNER_PATH),
        }
    ),
)


class ByKey(Kind):
    """One of two records: the first where it has the key, else the second."""

    expected = "a mapping"

    def __init__(self, key: str, having: Record, lacking: Record) -> None:
        self.key = key
        self.having = having
        self.lacking = lacking

    def accepts(self, node: Node) -> bool:
        return isinstance(node[0], dict)

    def read(self, node: Node, origin: Origin, path: tuple[str, ...], report: ConfigReport) -> Tree:
        kind = self.having if self.key in node[0] else self.lacking
        return kind.read(node, origin, path, report)


class _ListedRepos(ListOf):
    """The old form, a list of paths: a mapping from each path to itself, which can be merged."""

    def read(self, node: Node, origin: Origin, path: tuple[str, ...], report: ConfigReport) -> Tree:
        items = super().read(node, origin, path, report).value
        # A key ends with no suffix of merging. What is not a text is a problem already.
        texts = [item for item in items if isinstance(item.value, str)]
        return Tree({item.value.rstrip("/") + "/": item for item in texts}, origin)


REPOS = Either(_ListedRepos(PATH), MapOf(REPO))

_URL = PathText("a URL or a path")
_CONNECTION: dict[str, Kind] = {
    "url": _URL,
    "view": TEXT,
    "access_pair": Either(
        NULL,
        Record(
            {"id": TEXT, "id_variable": TEXT, "secret_variable": TEXT},
            required=("secret_variable",),
            one_of=("id", "id_variable"),
        ),
    ),
    "profile": NULLABLE_TEXT,
    "endpoint_url": NULLABLE_TEXT,
    "access_token_variable": NULLABLE_TEXT,
}
MIRRORS = MapOf(
    Either(
        _URL,
        Record(
            {
                "source": BOOL,
                "binary": BOOL,
                "signed": BOOL,
                "autopush": BOOL,
                "fetch": Either(_URL, Record(_CONNECTION)),
                "pull": Either(_URL, Record(_CONNECTION)),
                "push": Either(_URL, Record(_CONNECTION)),
                **_CONNECTION,
            },
            one_of=("url", "fetch", "pull"),
        ),
    )
)

BOOTSTRAP = Record(
    {
        "enable": BOOL,
        "root": PATH,
        "sources": ListOf(Record({"name": TEXT, "metadata": PATH}, required=("name", "metadata"))),
        "trusted": MapOf(BOOL),
    }
)

_VIEW_FIELDS: dict[str, Kind] = {
    "root": PATH,
    "link": Choice("roots", "all", "run"),
    "link_type": Choice(*link_types.spellings()),
    "select": SPECS,
    "exclude": SPECS,
    "projections": PROJECTIONS,
    "group": one_or_more(TEXT),
    "fold": BOOL,  # own: links whole directories
    "conflicts": MapOf(TEXT),  # own: which package owns a path that several have
}
VIEW_DESCRIPTOR = Record(_VIEW_FIELDS, required=("root",))


class _Views(MapOf):
    """Views by name; or, where all keys are those of a descriptor, the one named ``default``."""

    def read(self, node: Node, origin: Origin, path: tuple[str, ...], report: ConfigReport) -> Tree:
        keys = {key_name(key) for key in node[0] or ()}
        if keys and keys <= _VIEW_FIELDS.keys():
            return Tree({"default": _SHORT_VIEW.read(node, origin, path, report)}, origin)
        return super().read(node, origin, path, report)


_SHORT_VIEW = Record(_VIEW_FIELDS)  # own: at the path that `view: true` has
VIEW = Either(BOOL, PATH, _Views(Either(PATH, VIEW_DESCRIPTOR)))

INCLUDE = ListOf(
    Either(
        PATH,
        Record(
            {
                "path": PATH,
                "when": TEXT,
                "name": TEXT,
                "path_override_env_var": TEXT,
                "sha256": TEXT,
                "optional": BOOL,
                "prefer_modify": BOOL,
                "git": TEXT,
                "branch": TEXT,
                "commit": TEXT,
                "tag": TEXT,
                "paths": ListOf(INNER_PATH),
            },
            one_of=("path", "git"),
        ),
    )
)

#: May name definitions (``$compilers``): the environment layer expands and parses them.
_ENTRY = Text("a spec")
_MATRIX = Record({}, required=("matrix",))
_ROW = Either(_ENTRY, _MATRIX)
# A matrix may be an entry of a row of another one.
_MATRIX.fields = {"matrix": ListOf(ListOf(_ROW)), "exclude": ListOf(_ENTRY)}
SPEC_LIST = ListOf(Either(_ENTRY, _MATRIX, NULL))
DEFINITIONS = ListOf(MapOf(SPEC_LIST, {"when": TEXT}))
#: Specs that are concretized together, after the groups that they need.
_GROUP = Record(
    {"group": TEXT, "explicit": BOOL, "needs": TEXTS, "specs": SPEC_LIST, "override": NULL},
    required=("group",),
)
ROOTS = ListOf(Either(_ENTRY, ByKey("group", _GROUP, _MATRIX), NULL))
DEVELOP = MapOf(Record({"spec": SPEC, "path": PATH}, required=("spec",)))
TOOLCHAINS = MapOf(Either(SPEC, ListOf(Record({"spec": SPEC, "when": SPEC}))))

_TOOL = Record({"url": TEXT, "ref": TEXT, "resolve_sha": BOOL, "verify": BOOL})
CONTAINER = Record(
    {
        "format": Choice("docker", "singularity"),
        "images": ByKey(
            "os",
            Record({"os": TEXT, "spack": Either(TEXT, _TOOL)}, required=("os",)),
            Record({"build": TEXT, "final": TEXT}, required=("build", "final")),
        ),
        "strip": BOOL,
        "os_packages": Record(
            {
                "command": Choice("apt", "yum", "zypper", "apk", "yum_amazon"),
                "update": BOOL,
                "build": TEXTS,
                "final": TEXTS,
            }
        ),
        "labels": MapOf(TEXT),
        "template": Either(TEXT, NULL),
        "singularity": Record({"runscript": TEXT, "startscript": TEXT, "test": TEXT, "help": TEXT}),
        "docker": Record({}),
        "depfile": BOOL,
    }
)

#: Sections that may be in ``<section>.yaml`` of a scope and below ``spack:``.
SECTIONS: dict[str, Kind] = {
    "bootstrap": BOOTSTRAP,
    "cdash": ANYTHING,  # Spack's
    "ci": ANYTHING,  # Spack's
    "compilers": ANYTHING,  # Spack's, of old
    "concretizer": CONCRETIZER,
    "config": CONFIG,
    "container": CONTAINER,
    "definitions": DEFINITIONS,
    "develop": DEVELOP,
    "env_vars": ENVIRONMENT_CHANGES,
    "gitlab-ci": ANYTHING,  # Spack's
    "include": INCLUDE,
    "mirrors": MIRRORS,
    "modules": MODULES,
    "packages": PACKAGES,
    "repos": REPOS,
    "toolchains": TOOLCHAINS,
    "upstreams": MapOf(
        Record({"install_tree": PATH, "modules": UPSTREAM_MODULES}, required=("install_tree",))
    ),
    "view": VIEW,
}

_GROUP.fields = {**_GROUP.fields, "override": Record(SECTIONS)}

#: A whole ``spack.yaml``.
ENVIRONMENT: Kind = Record(
    {
        "spack": Record(
            {
                **SECTIONS,
                "specs": ROOTS,
                "include_concrete": ListOf(PATH),
            }
        )
    },
    required=("spack",),
)
