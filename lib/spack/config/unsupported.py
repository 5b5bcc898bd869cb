"""Keys that are accepted, because Spack knows them, and that change nothing here.

A site's configuration should serve both programs, so they are not errors; but no user should wait
for an effect that does not come. Each file says so once, when it is read for the first time after
a change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from spack.config.config_keys import config_rows
from spack.config.schema import Idle, Tree, key_name, strip

__all__ = ["IDLE", "MANIFEST_ONLY", "idle_notes"]


#: An environment's own file is asked by the environment; these are the other scopes.
MANIFEST_ONLY = "it is taken from the spack.yaml of an environment, not from other files"
_ONE_SOLVER = "see `spack help spec` for the options of the concretizer"

#: By the keys that lead there, separated by colons; ``*`` is any one, ``-`` any item of a list.
IDLE: Mapping[str, Idle] = {
    **{f"config:{path}": row.idle for path, row in config_rows().items() if row.idle is not None},
    "bootstrap:sources": Idle("spack's own dependencies come from the package index"),
    "bootstrap:trusted": Idle("spack's own dependencies are verified by their sha256"),
    "cdash": Idle("nothing is reported to CDash"),
    "ci": Idle("no pipelines are generated"),
    "compilers": Idle("compilers are externals in packages.yaml, or detected"),
    "concretizer:concretization_cache": Idle("concretizing is fast without a cache"),
    "concretizer:duplicates:strategy": Idle("only build tools are duplicated", ("minimal", "none")),
    "concretizer:enable_node_namespace": Idle(_ONE_SOLVER),
    "concretizer:externals:completion": Idle(
        "externals get default variants", ("default_variants",)
    ),
    "concretizer:os_compatible": Idle("packages of this operating system are used", ({},)),
    "concretizer:splice": Idle("installed packages are not spliced", ({"automatic": False},)),
    "concretizer:static_analysis": Idle(_ONE_SOLVER),
    "config:shared_linking:bind": Idle("libraries are found by their run path", (False,)),
    "config:shared_linking:missing_library_policy": Idle(
        "no check is made for missing libraries", ("ignore",)
    ),
    "container:images:spack:resolve_sha": Idle("`ref` is taken as it is", (False,)),
    "container:images:spack:verify": Idle("git verifies what it fetches", (False,)),
    "container:template": Idle("recipes are not made from templates", (None,)),
    "definitions": Idle(MANIFEST_ONLY, ([],)),
    "develop": Idle(MANIFEST_ONLY, ({},)),
    "gitlab-ci": Idle("no pipelines are generated"),
    **{
        f"modules:*:{kind}:*:template": Idle("all module files are of one form")
        for kind in ("tcl", "lmod")
    },
    **{
        f"modules:*:{kind}:verbose": Idle("modules print nothing when they are loaded", (False,))
        for kind in ("tcl", "lmod")
    },
    "packages:*:compiler": Idle("require a compiler: `require: '%gcc@12'`"),
    "packages:*:externals:-:extra_attributes:implicit_rpaths": Idle(
        "run paths are those of dependencies", (False, [])
    ),
    "packages:*:package_attributes": Idle("recipes are used as they are", ({},)),
    "view": Idle(MANIFEST_ONLY),
}


def idle_notes(sections: Mapping[str, Tree]) -> Iterator[str]:
    """Yield a line for each key in these checked sections that has no effect, in order of lines."""
    found: list[tuple[str, int, str]] = []
    noted: set[tuple[str, str]] = set()  # items of one list are noted once
    if not sections:
        return
    for path, idle in IDLE.items():
        keys = path.split(":")
        for named, tree in _at(Tree(dict(sections), next(iter(sections.values())).origin), keys):
            name, origin = ":".join(named), tree.origin
            if strip(tree) in idle.harmless or (origin.file, name) in noted:
                continue
            noted.add((origin.file, name))
            note = f"{origin}: {name} has no effect in this spack: {idle.instead}"
            found.append((origin.file, origin.line, note))
    for _, _, note in sorted(found):
        yield note


def _at(tree: Tree, keys: list[str]) -> Iterator[tuple[list[str], Tree]]:
    """Yield the subtrees at *keys*, with the names along the path."""
    if not keys:
        yield [], tree
        return
    if isinstance(tree.value, list) and keys[0] == "-":
        for child in tree.value:
            for names, found in _at(child, keys[1:]):
                yield names, found
        return
    value: dict[str, Tree] = tree.value if isinstance(tree.value, dict) else {}
    for key, child in value.items():
        name = key_name(key)
        if keys[0] in ("*", name):
            for names, found in _at(child, keys[1:]):
                yield [name, *names], found
