"""The words of this code: a table of idioms that are not used, and a scanner that finds them.

The left column of :data:`BANNED` is a regular expression, the right one what to write instead.
Searched are docstrings, comments and text in Python, comments in logic programs, and whole pages of
documentation; :data:`BANNED_IN_NAMES` are searched among the words that identifiers consist of.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]

BANNED: tuple[tuple[str, str], ...] = (
    (r"cannot be (?:had|brought)|can be (?:had|brought)", "cannot VERB OBJECT: REASON"),
    (r"what (?:to do|to ask)\?", "a subcommand is required"),
    (r"\bnobody\b|\bsomebody\b|\bsomeone\b|\bwhoever\b", "name the actor: user, caller, process"),
    (r"\b(?:the|a|any|another|one|this|that) person\b|\bpersons?'s?\b", "the user"),
    (r"\bwhom?\b", "name the actor, or `that`"),
    (r"\bothers'?\b(?! (?:are|is) )|\bof others\b", "other users, other packages"),
    (r"\b(?:yours|ours|theirs)\b", "the user's, the engine's"),
    (r"\bvouch", "an untrusted archive"),
    (r"\bheed", "handle (a signal)"),
    (r"\bknowers?\b", "name what is known"),
    (r"\btells?\b|\btold\b|\btelling\b", "report, warn, say"),
    (r"\b(?:its|his|their|an?) own word\b", "customize"),
    (r"\banew\b", "again, rebuild"),
    (r"\bbrings?\b|\bbrought\b|\bbringing\b", "fetch, download, provide"),
    (r"\baside\b", "staging, backup"),
    (r"\bghost", "placeholder"),
    (r"\bwish(?:es|ed)?\b", "request, option"),
    (r"\balive\b", "possible (versions), running (processes)"),
    (r"\baltered\b|\bgone\b", "modified, missing"),
    (r"\bheart of\b|\bbe nice to\b|\bleave to begin\b", "say it literally"),
    (r"\b(?:lies|lie)\b|\bstands?\b(?!-alone)|\bstood\b", "is"),
    (r"\bforeign\b(?! (?:key|function))", "unmanaged, of another tool"),
    (r"\bworth a (?:look|word)\b", "say it literally"),
    (r"\bcircles?\b", "cycle"),
    (r"(?<!here )\b(?:is|are) no (?!longer\b|more\b)[a-z]", "is not a, invalid"),
    (r"(?<!in )(?<!in-)\bplaces?\b(?!holder)", "path, directory, URL, position, span"),
    (r"\bis whole\b|\bwhole or\b|\bare whole\b", "intact"),
    (r"\bwhat (?:becomes of|comes of|it makes of|it is made of)\b", "say it literally"),
    (r"\b(?:came|comes?) into being\b|\bput right\b|\bput in order\b", "repair, correct"),
    (r"\bseen to\b|\bsees to it\b", "ensure"),
    (r"\bin vain\b|\bfor ever\b|\bby and by\b", "without effect, indefinitely"),
    (r"\bthereby\b|\bthereof\b|\bwherein\b|\bwhereof\b|\bhereby\b", "say it in two clauses"),
)

#: Words of identifiers; `unforeign` is one word, `is_foreign` two.
BANNED_IN_NAMES: tuple[tuple[str, str], ...] = (
    ("told|tell|tells", "explicit, report, warn"),
    ("anew", "again, rebuild"),
    ("bring|brings|brought", "fetch, download"),
    ("aside", "staging, backup"),
    ("ghost|ghosts|ghostly", "placeholder"),
    ("wish|wishes|wished", "options, request"),
    ("heed|heeds", "handle"),
    ("knower", "name what is known"),
    ("foreign", "unmanaged"),
    ("altered|gone", "modified, missing"),
    ("workshop|world|box", "the type's name"),
    ("person|somebody|nobody|whoever|others|mine|ours", "name the actor or the kind"),
    ("near", "suggestions"),
    ("trouble", "error"),
    ("vouch|vouched", "untrusted, verified"),
    ("place|places", "path, directory, URL, position, span"),
)

_REFERENCE = "references of errors are stable"
_JSON = "keys of JSON output are stable"

#: Uses that are right: (end of the file's path, text of the line), each with the reason.
ALLOWED: tuple[tuple[str, str, str], ...] = (
    ("actions/environments.py", '"view-place"', _REFERENCE),
    ("view/layer.py", '"layer-place"', _REFERENCE),
    ("view/layer.py", '"layer-foreign"', _REFERENCE),
    ("view/apply.py", '"view-foreign"', _REFERENCE),
    ("cli/commands/view.py", '"gone"', _JSON),
    ("cli/commands/view.py", '"altered"', _JSON),
    ("cli/commands/view.py", '"foreign"', _JSON),
    ("cli/commands/view.py", '"others"', _JSON),
    ("cli/commands/view.py", "others", _JSON),
    ("view/inspect.py", "others", _JSON),
    ("actions/style_check.py", "--others", "an option of git"),
    ("host/tools.py", '"ghostscript"', "a program"),
    ("store/layout.py", '"aside"', "a directory of every install tree"),
    ("repo/repository_index.py", "tell", "a method of files"),
)


class Hit(NamedTuple):
    """One use of a banned idiom."""

    path: str
    line: int
    text: str
    instead: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: `{self.text}`: write {self.instead}"


_PROSE = [(re.compile(pattern, re.IGNORECASE), instead) for pattern, instead in BANNED]
_NAMES = [(re.compile(pattern), instead) for pattern, instead in BANNED_IN_NAMES]
_IN_PLACE = re.compile("in_?place", re.IGNORECASE)
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def _prose_hits(path: str, line: int, text: str) -> Iterator[Hit]:
    for number, row in enumerate(text.splitlines() or [text]):
        for pattern, instead in _PROSE:
            for match in pattern.finditer(row):
                if not _is_allowed(path, row):
                    yield Hit(path, line + number, match.group(0), instead)


def _is_allowed(path: str, row: str) -> bool:
    return any(path.endswith(end) and text in row for end, text, _ in ALLOWED)


def _name_hits(path: str, line: int, name: str) -> Iterator[Hit]:
    for word in _WORD.findall(_IN_PLACE.sub("", name)):
        for pattern, instead in _NAMES:
            if pattern.fullmatch(word.lower()) and not _is_allowed(path, name):
                yield Hit(path, line, name, instead)


def python_hits(path: str, source: str) -> Iterator[Hit]:
    """Yield the banned idioms in the comments, strings and names of Python *source*."""
    strings = {tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT or token.type in strings:
            yield from _prose_hits(path, token.start[0], token.string)
        elif token.type == tokenize.NAME:
            yield from _name_hits(path, token.start[0], token.string)


def logic_hits(path: str, source: str) -> Iterator[Hit]:
    """Yield the banned idioms in the comments of a logic program; assumptions are guards there."""
    for number, row in enumerate(source.splitlines(), 1):
        _, percent, comment = row.partition("%")
        if percent:
            yield from _prose_hits(path, number, comment)


def hits(files: Iterable[Path], root: Path = ROOT) -> Iterator[Hit]:
    """Yield the banned idioms of *files*, by the kind that their names say."""
    for file in files:
        path, source = file.relative_to(root).as_posix(), file.read_text("utf-8")
        if file.suffix == ".py":
            yield from python_hits(path, source)
        elif file.suffix == ".lp":
            yield from logic_hits(path, source)
        else:
            yield from _prose_hits(path, 1, source)


def searched_files(root: Path = ROOT) -> list[Path]:
    """Return the files whose language is held: the engine, its data, pages and recipes."""
    found = [
        *(root / "lib" / "spack").rglob("*.py"),
        *(root / "lib" / "spack").rglob("*.lp"),
        *(root / "tests").rglob("*.py"),
        *(root / "packages").glob("*/package.py"),
        *(root / "etc").glob("*.yaml"),
        *root.glob("*.md"),
        *(root / "docs").rglob("*.md"),
        *(root / "docs").rglob("*.py"),
        *(root / "docs").rglob("*.yaml"),
    ]
    own = {Path(__file__).resolve()}
    return sorted(path for path in found if path.is_file() and path.resolve() not in own)
