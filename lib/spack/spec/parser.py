"""From text to constraints: the meaning of what :mod:`spack.spec.syntax` reads.

Everything that a text says twice or that contradicts itself is a problem with its position; all
problems of one text are raised together. Results are memoised by text, as constraints are
immutable. Cost of a directive's text the first time: about 10 us.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from spack.errors import SpecError
from spack.spec.algebra import FLAG_NAMES, LEGACY_TO_BUILTIN, NOTHING, split_flags
from spack.spec.architecture import NO_ARCH, ArchSpec
from spack.spec.constraint import ANYTHING, Spec, parsed
from spack.spec.dependency import Dependency
from spack.spec.deptypes import DEPTYPES, RUN_TIME
from spack.spec.syntax import Problems, read
from spack.spec.variant import RESERVED_NAMES, VariantValue
from spack.spec.version_list import VersionList, any_version
from spack.util.project_names import normalized

if TYPE_CHECKING:
    from spack.spec.syntax import ParsedEdge, ParsedNode, Span

__all__ = ["parse", "parse_many"]

#: Parsed texts are forgotten when they are more than one run can need.
_LIMIT = 100_000

#: Keys that name a part of the architecture.
_ARCH_KEYS = {
    "arch": "arch",
    "architecture": "arch",
    "platform": "platform",
    "os": "os",
    "operating_system": "os",
    "target": "target",
}
_FLAGS = frozenset(FLAG_NAMES)
_PAIR = r"(?s:([a-zA-Z_0-9][a-zA-Z_0-9\-.]*)(:?==?)(.*)\Z)"
_QUOTED = r"(?s:'[^']*'\Z|\"[^\"]*\"\Z)"
_NEEDS_NO_QUOTES = r"[a-zA-Z_0-9\-+*.,:=%^~/\\]+\Z"


def parse(text: str) -> Spec:
    """Return the one spec in *text*; an empty text is the constraint that allows everything.

    :raises SpecError: when *text* is malformed (``long_message`` has carets under the positions,
        ``facts["problems"]`` the positions themselves) or holds more than one spec.
    """
    known = parsed.get(text)
    if known is not None:
        return known
    original, text = text, _with_packages(text)
    problems = Problems(text)
    roots = read(text, problems)
    if len(roots) > 1 and not problems.found:
        problems.add(
            (roots[1].span[0], max(len(text.rstrip()), roots[1].span[1])),
            "one spec is expected, but a second one starts here",
            "a blank separates specs; attributes of one spec follow its name",
        )
    spec = _build(roots[0], problems) if roots else ANYTHING
    problems.report()
    if len(parsed) > _LIMIT:
        parsed.clear()
    parsed[original] = spec
    return spec


def parse_many(texts: str | Iterable[str]) -> list[Spec]:
    """Return all specs in a text or in the arguments of a command line.

    Arguments are joined by blanks; the value of ``key=value`` is quoted again where the shell
    took the quotes away (``cflags=-O2 -g``).

    :raises SpecError: as :func:`parse`; positions refer to the joined text.
    """
    text = _with_packages(texts if isinstance(texts, str) else _joined(texts))
    if not text or text.isspace():
        return []
    problems = Problems(text)
    specs = [_build(root, problems) for root in read(text, problems)]
    problems.report()
    return specs


#: A project of the package index, and its extras.
_PROJECT = r"(?<![\w.:=/-])pypi:([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(?:\[([^\]]*)\])?"


def _with_packages(text: str) -> str:
    """Return *text* with ``pypi.py-name+extra`` for each ``pypi:Name[extra]``."""
    if "pypi:" not in text:
        return text

    def package(match: re.Match[str]) -> str:
        extras = [x.strip() for x in (match.group(2) or "").split(",")]
        variants = "".join(f"+{normalized(x).replace('-', '_')}" for x in extras if x)
        return f"pypi.py-{normalized(match.group(1))}{variants}"

    return re.sub(_PROJECT, package, text)


def _joined(arguments: Iterable[str]) -> str:
    parts = []
    depth = 0  # of edge attributes, which the shell splits at blanks: %[virtuals=c deptypes=build]
    for argument in arguments:
        parts.append(_requoted(argument, depth > 0))
        depth += argument.count("[") - argument.count("]")
    return " ".join(parts)


def _requoted(argument: str, in_edge: bool) -> str:
    # start-up: compiled (and kept by re) at the first use only
    match = re.match(_PAIR, argument)
    if match is None:
        return argument
    key, operator, value = match.groups()
    end = ""
    if in_edge and value.endswith("]"):
        value, end = value[:-1], "]"
    if re.match(_QUOTED, value) or re.match(_NEEDS_NO_QUOTES, value):
        return argument
    quote = '"' if "'" in value else "'"
    value = value.replace(quote, "\\" + quote)
    return f"{key}{operator}{quote}{value}{quote}{end}"


def _build(node: ParsedNode, problems: Problems, direct: bool = False) -> Spec:  # noqa: C901 - one branch for each part of a node
    """Return the constraint of *node*."""
    name, namespace = node.name, None
    if "." in name:
        namespace, _, name = name.rpartition(".")
    if direct:
        name = LEGACY_TO_BUILTIN.get(name, name)
    versions = any_version
    if node.version is not None:
        try:
            versions = _versions(node.version)
        except SpecError as error:
            problems.add(node.versions, error.message, error.hint)
    variants: dict[str, VariantValue] = {}
    for sigil, key, span in node.flags:
        if key in variants:
            problems.add(span, f"the variant '{key}' is given twice")
        elif key in _ARCH_KEYS or key in _FLAGS or key == "namespace":
            problems.add(span, f"'{key}' needs a value", f"write {key}=value")
        variants[key] = VariantValue.boolean(key, sigil[0] == "+", len(sigil) == 2)
    flags: Any = NOTHING
    arch = NO_ARCH
    if node.pairs:
        pairs = _Pairs(variants, namespace, problems)
        for key, operator, value, span in node.pairs:
            pairs.add(key, operator, value, span)
        namespace = pairs.namespace
        flags = pairs.flags or NOTHING
        if pairs.arch:
            arch = ArchSpec(*(pairs.arch.get(part) for part in ("platform", "os", "target")))
    return Spec.of(
        name,
        namespace=namespace,
        versions=versions,
        variants=variants or NOTHING,
        flags=flags,
        arch=arch,
        hash_prefix=node.hash,
        dependencies=_dependencies(node.edges, problems) if node.edges else (),
        file=node.file,
    )


def _versions(text: str) -> VersionList:
    return VersionList.parse(text if " " not in text else "".join(text.split()))


class _Pairs:
    """The ``key=value`` pairs of one node, sorted into what they speak of."""

    __slots__ = ("arch", "flags", "namespace", "problems", "variants")

    def __init__(
        self,
        variants: dict[str, VariantValue],
        namespace: str | None,
        problems: Problems,
    ) -> None:
        self.variants = variants
        self.namespace = namespace
        self.problems = problems
        self.flags: dict[str, tuple[str, ...]] = {}
        self.arch: dict[str, str] = {}

    def add(self, key: str, operator: str, value: str, span: Span) -> None:
        """Add one pair as written."""
        propagate = operator.endswith("==")
        if propagate and key in RESERVED_NAMES:
            self.problems.add(
                span,
                f"'{key}' cannot be propagated",
                f"write {key}=... with one '='",
            )
        if key in _ARCH_KEYS:
            self._arch(_ARCH_KEYS[key], value, span)
        elif key == "namespace":
            self.namespace = value
        elif key in _FLAGS:
            self.flags[key] = self.flags.get(key, ()) + split_flags(value, propagate)
        elif key in self.variants:
            self.problems.add(
                span,
                f"the variant '{key}' is given twice",
                "several values are separated by commas: key=a,b",
            )
        else:
            if value != "*" and "*" in value.split(","):
                self.problems.add(
                    span,
                    f"'*' is not a value of '{key}'",
                    f"{key}=* alone means any value",
                )
            self.variants[key] = VariantValue.parse(key, value, propagate, operator[0] == ":")

    def _arch(self, part: str, value: str, span: Span) -> None:
        parts = {part: value}
        if part == "arch":
            triple = value.split("-")
            parts = {"target": value}
            if len(triple) == 3:
                parts = dict(zip(("platform", "os", "target"), triple))
        for name, text in parts.items():
            if name in self.arch:
                self.problems.add(span, f"'{name}' is given twice")
            elif text != "None":
                self.arch[name] = text


def _dependencies(edges: list[ParsedEdge], problems: Problems) -> tuple[Dependency, ...]:
    """Return dependencies as written, those of the same kind merged."""
    found: list[Dependency] = []
    for edge in edges:
        new = _dependency(edge, problems)
        for index, known in enumerate(found):
            if known.same_kind(new) and known.deptypes == new.deptypes:
                try:
                    found[index] = known.merge(new)
                except SpecError:
                    problems.add(
                        _location(edge.node),
                        f"the dependencies '{known.spec}' and '{new.spec}' exclude each other",
                    )
                break
            if known.same_kind(new) or _types_clash(known, new):
                problems.add(
                    _location(edge.node),
                    f"'{new.spec.name}' is already a dependency with other, overlapping types",
                    "only a build-only and a link/run dependency on one name can coexist",
                )
                break
        else:
            found.append(new)
    return tuple(found)


def _location(node: ParsedNode) -> Span:
    return node.span[0], node.end


def _types_clash(known: Dependency, new: Dependency) -> bool:
    """Return whether two edges are link or run edges to one name, which cannot coexist."""
    return (
        known.spec.name == new.spec.name != ""
        and known.direct == new.direct
        and known.when == new.when
        and not RUN_TIME.isdisjoint(known.deptypes)
        and not RUN_TIME.isdisjoint(new.deptypes)
    )


def _dependency(edge: ParsedEdge, problems: Problems) -> Dependency:
    direct = edge.sigil != "^"
    virtuals = edge.virtuals
    deptypes: tuple[str, ...] = ()
    when = None
    for key, value, span in edge.attributes:
        if key == "virtuals":
            virtuals += tuple(part.strip() for part in value.split(","))
        elif key == "deptypes":
            given = {part.strip() for part in value.split(",")}
            given = set(DEPTYPES) if given == {"all"} else given
            unknown = sorted(given.difference(DEPTYPES))
            if unknown:
                problems.add(
                    span,
                    f"'{unknown[0]}' is not a type of dependency",
                    f"the types are {', '.join(DEPTYPES)}",
                )
            deptypes = tuple(kind for kind in DEPTYPES if kind in given)
        elif key == "when":
            try:
                when = parse(value)
            except SpecError as error:
                problems.add(span, f"in the condition: {error.message}", error.hint)
            when = None if when is ANYTHING else when
        else:
            problems.add(
                span,
                f"'{key}' is not an edge attribute",
                "the edge attributes are deptypes, virtuals and when",
            )
    return Dependency(
        _build(edge.node, problems, direct),
        direct,
        deptypes,
        tuple(sorted(set(virtuals))) if len(virtuals) > 1 else virtuals,
        propagate=edge.sigil == "%%",
        when=when,
    )
