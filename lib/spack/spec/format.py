"""Format strings: ``{attribute}`` in a template is replaced by what a spec says.

::

    template  = { text | "\\" character | "{" [sigil] ["^" dependency "."] attribute "}" }
    sigil     = "@" (versions only) | "%" (compiler) | "/" (hash) | [" "] key "="
    attribute = name | version | versions | variants[.<name>[.value|.name]] | compiler_flags
              | architecture[.platform|.os|.target] | arch | platform | os | target | namespace
              | hash[:<length>] | prefix | compiler[.name|.version] | fullname | short ...

A sigil is printed only when the attribute has a value. Attributes that a spec does not have a
value for give an empty text, but for ``none`` as the compiler of a node that uses none; unknown
ones are an error. Blanks around the whole are dropped. Works on anything spec-like: the attributes
are looked up with ``getattr``, never called, and private ones are refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from spack.errors import SpecError
from spack.spec.languages import LANGUAGE_NAMES
from spack.spec.variant import quoted
from spack.spec.wheel import WHEEL_KEYS, names_wheel

__all__ = ["format_spec"]

#: The text of ``{compiler}``, and of its parts, for a node that uses no compiler.
NO_COMPILER = "none"

_TEMPLATE = (
    r"\\(?P<escaped>.)"
    r"|\{(?P<sigil>[@%/]|[\w ][\w -]*=)?"
    r"(?:\^(?P<dependency>[^{}.]+)\.)?"
    r"(?:hash(?P<length>:[^}]*)?(?=\})|(?P<attribute>[^{}]*))"
    r"(?P<end>\})?"
    r"|(?P<stray>\})"
)


def format_spec(spec: Any, template: str, extra: Mapping[str, Any]) -> str:
    """Return *template* filled in from *spec* and, by attribute, from *extra*.

    :raises SpecError: for a malformed template or an unknown attribute.
    """

    def fill(match: re.Match[str]) -> str:
        if match.group("escaped") is not None:
            return match.group("escaped")
        if match.group("stray") or not match.group("end"):
            raise _bad(template, match, "the braces do not match", "write \\{ for a brace")
        node = spec
        if match.group("dependency"):
            try:
                node = spec.lookup(match.group("dependency"))
            except (KeyError, AttributeError):
                what = f"there is no dependency '{match.group('dependency')}'"
                raise _bad(template, match, what) from None
        sigil = match.group("sigil") or ""
        attribute = match.group("attribute")
        if attribute is None:
            if sigil not in ("", "/") and not sigil.endswith("="):
                raise _bad(template, match, f"'{sigil}' does not go with a hash")
            text = _hash(node, match, template)
        else:
            attribute = attribute.strip().lower()
            _check_sigil(template, match, sigil, attribute)
            known = extra.get(attribute) if node is spec else None
            if known is None and attribute.split(".")[0] == "compiler" and _compiler(node) is None:
                return NO_COMPILER
            text = _attribute(node, attribute, template, match) if known is None else str(known)
        return sigil + text if text else ""

    # start-up: compiled (and kept by re) at the first use only
    return re.sub(_TEMPLATE, fill, template, flags=re.DOTALL).strip()


def _bad(template: str, match: re.Match[str], message: str, hint: str | None = None) -> SpecError:
    carets = " " * match.start() + "^" * (match.end() - match.start())
    return SpecError(
        f"{message} in the format string",
        f"{template}\n{carets}",
        hint=hint,
        facts={"template": template, "start": match.start(), "end": match.end()},
        ref="spec-format",
    )


def _check_sigil(template: str, match: re.Match[str], sigil: str, attribute: str) -> None:
    last = attribute.rpartition(".")[2]
    fits = (
        not sigil
        or sigil.endswith("=")
        or (sigil == "@" and last in ("version", "versions"))
        or (sigil == "%" and attribute in ("compiler", "compiler.name"))
        or (sigil == "/" and attribute in ("abstract_hash", "hash_prefix"))
    )
    if not fits:
        raise _bad(template, match, f"'{sigil}' does not go with '{attribute}'")


def _hash(node: Any, match: re.Match[str], template: str) -> str:
    length = (match.group("length") or "")[1:]
    if length and not length.isdigit():
        raise _bad(template, match, f"'{length}' is not a length of a hash")
    if not node.concrete:
        return node.hash_prefix or ""
    return str(node.dag_hash(int(length) if length else None))


def _attribute(node: Any, attribute: str, template: str, match: re.Match[str]) -> str:
    current = node
    parts = attribute.split(".")
    for index, part in enumerate(parts):
        if not part or part.startswith("_"):
            raise _bad(template, match, f"'{attribute}' is not an attribute")
        if index and parts[index - 1] == "variants":
            if part not in current:
                raise _bad(template, match, f"'{node.name}' has no variant '{part}'")
            current = current[part]
            continue
        part = _ALIASES.get(part, part)
        if part == "version" and not index and not node.concrete:
            part = "version" if node.versions.concrete else "versions"
        if index == 0 and part in _SPECIAL:
            current = _SPECIAL[part](node)
        else:
            try:
                current = getattr(current, part)
            except (AttributeError, SpecError):
                raise _bad(template, match, f"a spec has no attribute '{attribute}'") from None
        if callable(current):
            raise _bad(template, match, f"'{attribute}' is not an attribute")
        if current is None:
            return ""
    text = str(current)
    return "" if text == ":" and parts[-1] in ("version", "versions") else text


_ALIASES = {"arch": "architecture", "abstract_hash": "hash_prefix", "compiler_flags": "flags"}


def _variants(node: Any) -> Any:
    return _Shown(node.variants, variants_text(node.variants))


def _flags(node: Any) -> str:
    """Return the compiler flags sorted by name, each after a blank, with a blank at the end."""
    words = []
    for key in sorted(node.flags):
        for operator, propagate in (("=", False), ("==", True)):
            flags = [f for f in node.flags[key] if getattr(f, "propagate", False) is propagate]
            if flags:
                words.append(f" {key}{operator}{quoted(' '.join(flags))}")
    return "".join(words) + " " if words else ""


def _compiler(node: Any) -> Any:
    """Return the provider of the first language that the node uses a compiler for."""
    for language in LANGUAGE_NAMES:
        for edge in getattr(node, "edges", ()):
            if language in edge.virtuals:
                return edge.spec
    return None


def _compilers(node: Any) -> str:
    """Return every compiler with the languages that it is used for, as ``%c,cxx=gcc@12.2.0``."""
    found = []
    for edge in getattr(node, "edges", ()):
        languages = sorted(name for name in edge.virtuals if name in LANGUAGE_NAMES)
        if languages:
            found.append(f" %{','.join(languages)}={edge.spec.name}@{edge.spec.version}")
    return "".join(sorted(found))


_SPECIAL = {
    "variants": _variants,
    "flags": _flags,
    "compiler": _compiler,
    "compilers": _compilers,
}


class _Shown:
    """A value with its complete text."""

    def __init__(self, value: Any, text: str) -> None:
        self._value = value
        self._text = text

    def __str__(self) -> str:
        return self._text

    def __contains__(self, key: str) -> bool:
        return key in self._value

    def __getitem__(self, key: str) -> Any:
        return self._value[key]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._value, name)


def variants_text(variants: Any) -> str:
    """Return the booleans sorted by name, then each key-value pair after a blank.

    Without those that name a wheel: they are not what a user asks for.
    """
    hidden = WHEEL_KEYS if names_wheel(variants) else ()
    values = [variants[key] for key in sorted(variants) if key not in hidden]
    booleans = "".join(str(value) for value in values if value.kind == "bool")
    return booleans + "".join(f" {value}" for value in values if value.kind != "bool")
