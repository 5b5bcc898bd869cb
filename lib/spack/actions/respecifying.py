"""The roots of an environment: changed in place, or to be decided again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from spack.config.values import overridden
from spack.errors import EnvironmentFileError
from spack.spec import DEPTYPES, Spec

if TYPE_CHECKING:
    from spack.environment import Environment, LockedRoot

__all__ = ["change_roots", "deconcretize", "remove_roots", "to_deconcretize"]


def change_roots(
    environment: Environment,
    change: Spec,
    *,
    match: Spec | None = None,
    definition: str = "",
    several: bool = False,
) -> list[tuple[str, str]]:
    """Let roots say what *change* says instead of what they say of the same.

    :param match: the roots that are meant; by default those of the package of *change*.
    :param definition: roots in this list of ``definitions``.
    :param several: whether more than one may be changed.
    :returns: the texts before and after.
    :raises EnvironmentFileError: none is meant, or several are; nothing is changed then.
    """
    query = match or Spec.parse(change.name)
    done: list[tuple[str, str]] = []

    def wanted(text: str) -> bool:
        if text[:1] == "$":
            return False
        spec = Spec.parse(text)
        return (not query.name or spec.name == query.name) and spec.satisfies(query)

    texts = [item.text for item in environment.user_specs()]
    meant = [text for text in texts if wanted(text)]
    if not meant or (len(meant) > 1 and not several):
        what = f"matches {len(meant)} specs" if meant else "matches no spec"
        raise EnvironmentFileError(
            f"{environment.manifest.path}: {str(query) or 'the query'} {what}",
            "\n".join(meant) or None,
            facts={"spec": str(query), "specs": texts},
            hint="--all changes them all" if meant else "the specs are: " + ", ".join(texts),
            ref="environment-spec",
        )

    def changed(text: str) -> str:
        if not wanted(text):
            return text
        spec = Spec.parse(text)
        after = str(overridden(spec, change.with_name(spec.name)))
        done.append((text, after))
        return after

    environment.respecify(changed, definition)
    return list(dict.fromkeys(done))


def to_deconcretize(
    environment: Environment, specs: Sequence[Spec], *, roots_only: bool = False
) -> list[LockedRoot]:
    """Return the locked roots that satisfy one of *specs*, or have below them what does.

    :raises EnvironmentFileError: the environment is not concretized, or a spec matches nothing.
    """
    lock = environment.lockfile
    if lock is None:
        raise EnvironmentFileError(
            f"{environment.name} is not concretized",
            hint=f"spack -e {environment.name} concretize",
            ref="not-concretized",
        )
    found: dict[LockedRoot, None] = {}
    for spec in specs:
        matching = []
        for root in lock.roots:
            node = lock.specs[root.hash]
            nodes = [node] if roots_only else node.traverse(DEPTYPES)
            if any(x.satisfies(spec) for x in nodes):
                matching.append(root)
        if not matching:
            raise EnvironmentFileError(
                f"{spec} matches nothing that {environment.name} is concretized to",
                facts={"spec": str(spec)},
                hint="`spack find -c` lists what it consists of",
                ref="environment-spec",
            )
        found.update(dict.fromkeys(matching))
    return list(found)


def deconcretize(environment: Environment, roots: Sequence[LockedRoot]) -> None:
    """Take *roots* out of the lock file: the next ``concretize`` decides them again."""
    lock = environment.lockfile
    assert lock is not None  # to_deconcretize has read it
    kept = lock.replace(roots=tuple(root for root in lock.roots if root not in roots))
    needed = {
        node.dag_hash()
        for root in kept.every_root
        for node in lock.specs[root.hash].traverse(DEPTYPES)
    }
    nodes = {digest: node for digest, node in lock.nodes.items() if digest in needed}
    environment.write_lockfile(kept.replace(nodes=nodes))


def remove_roots(
    environment: Environment, texts: Sequence[str], definition: str = "", *, from_lock: bool = False
) -> None:
    """Take roots out of ``spack.yaml``, and, with *from_lock*, out of the lock file.

    :raises EnvironmentFileError: one of them is not there; nothing is changed then.
    """
    before = {item.text for item in environment.user_specs()}
    environment.remove(texts, definition)
    removed = before - {item.text for item in environment.user_specs()}
    lock = environment.lockfile
    if from_lock and lock is not None:
        deconcretize(environment, [root for root in lock.roots if root.spec in removed])
