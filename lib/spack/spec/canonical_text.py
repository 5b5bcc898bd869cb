"""Canonical text of constraints: what the parser reads back as an equal constraint.

Order: name, ``@versions``, compiler flags, boolean variants sorted by name, key-value pairs,
namespace (of an anonymous node only), ``platform= os= target=``, ``/hash``; then the ``%`` and
then the ``^`` dependencies, each sorted by name. Values have quotes where they need them.
Namespaces of named nodes are not printed; compilers after ``%`` have their legacy names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spack.spec.algebra import BUILTIN_TO_LEGACY, FLAG_NAMES
from spack.spec.variant import quoted
from spack.spec.version_list import any_version

if TYPE_CHECKING:
    from spack.spec.constraint import Spec
    from spack.spec.dependency import Dependency

__all__ = ["dependency_text", "node_text", "spec_text"]


def spec_text(spec: Spec) -> str:
    """Return the text of node and dependencies."""
    text = node_text(spec)
    if not spec.dependencies:
        return text
    below = _dependencies_text(spec)
    return f"{text} {below}" if text else below


def node_text(spec: Spec, name: str | None = None) -> str:
    """Return the text of the node alone, under another *name* if given."""
    if spec.file is not None:
        return spec.file
    head = name or spec.name
    versions = spec.versions
    if versions is not any_version and not versions.is_any:
        head += f"@{versions}"
    words = [head, *_flags(spec)] if spec.flags else [head]
    if spec.variants:
        booleans = ""
        pairs: list[str] = []
        for key in sorted(spec.variants):
            value = spec.variants[key]
            if value.kind == "bool":
                booleans += str(value)
            else:
                pairs.append(str(value))
        if booleans and len(words) > 1:
            words.append(booleans)
        else:
            words[0] += booleans
        words += pairs
    if spec.namespace and not spec.name:
        words.append(f"namespace={quoted(spec.namespace)}")
    if spec.arch:
        words += [
            f"{key}={_bare(value)}"
            for key, value in zip(("platform", "os", "target"), spec.arch.parts)
            if value is not None
        ]
    text = " ".join(words) if words[0] else " ".join(words[1:])
    if not spec.hash_prefix:
        return text
    # a value and a git reference may hold a slash themselves
    blank = " " if len(words) > 1 or "@git." in words[0] else ""
    return f"{text}{blank}/{spec.hash_prefix}"


def dependency_text(dependency: Dependency) -> str:
    """Return the text of one dependency with its sigil, and of the dependencies below it."""
    spec = dependency.spec
    attributes: list[str] = []
    if dependency.when is not None:
        attributes.append(f"when={_condition(str(dependency.when))}")
    if dependency.deptypes:
        attributes.append(f"deptypes={','.join(dependency.deptypes)}")
    if dependency.virtuals and not spec.name:
        attributes.append(f"virtuals={','.join(dependency.virtuals)}")
    text = node_text(spec, BUILTIN_TO_LEGACY.get(spec.name) if dependency.direct else None)
    if spec.name:
        text = f"{','.join(dependency.virtuals)}={text}" if dependency.virtuals else text
    elif text[:1] != "@" and (text[:1] not in ("+", "~") or spec.arch or spec.flags):
        text = f"*{text}"  # a key=value after the sigil would bind a virtual
    sigil = ("%%" if dependency.propagate else "%") if dependency.direct else "^"
    edge = f"[{' '.join(attributes)}] " if attributes else ""
    below = _dependencies_text(spec)
    return f"{sigil}{edge}{text} {below}" if below else f"{sigil}{edge}{text}"


def _dependencies_text(spec: Spec) -> str:
    rows: list[tuple[Any, ...]] = sorted(
        (not edge.direct, edge.spec.name, edge.deptypes, dependency_text(edge))
        for edge in spec.dependencies
    )
    return " ".join(row[-1] for row in rows)


def _flags(spec: Spec) -> list[str]:
    words = []
    for key in FLAG_NAMES:
        for propagate in (False, True):
            flags = [
                flag
                for flag in spec.flags.get(key, ())
                if getattr(flag, "propagate", False) is propagate
            ]
            if flags:
                words.append(f"{key}{'==' if propagate else '='}{quoted(' '.join(flags))}")
    return words


def _bare(value: str) -> str:
    """Return whether *text* needs no quotes; ``:`` and ``*`` of an architecture need none."""
    return value if value and all(c.isalnum() or c in "_-.,:*" for c in value) else quoted(value)


def _condition(text: str) -> str:
    if "'" not in text:
        return f"'{text}'"
    return '"' + text.replace('"', '\\"') + '"'
