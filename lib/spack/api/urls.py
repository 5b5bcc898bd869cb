"""Where a version's archive is: the version in a sample URL, and what replaces it.

A recipe gives one sample (``url`` or ``pypi``); the urls of the other versions follow by putting
their version where the sample has its own, wherever that is a complete token.

Sources on the Python package index are written ``pypi:<project>/<file name>`` and are resolved by
file name on the configured index (DESIGN, decision 7). Addresses of the index's old layout
(``.../packages/source/b/black/black-1.0.tar.gz``) and of its file storage
(``.../packages/ab/cd/<60 hex digits>/black-1.0-py3-none-any.whl``) are rewritten to that form,
recognized by their path alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urljoin

from spack.util.project_names import normalized

__all__ = [
    "index_source",
    "join_url",
    "replace_version",
    "sample_version",
    "substitute_version",
    "url_version",
]

# Start-up: patterns are texts, compiled at the first use; most builds look at no url.

_EXTENSION = (
    r"(?:\.(?:tar|orig\.tar))?\.(?:gz|bz2|xz|Z|lz|lzma|zst)$"
    r"|\.(?:tar|TAR|tgz|tbz2?|txz|zip|whl|jar|gem|rpm|deb|crate|sh|run|exe|msi|py|iso|dmg|7z|pl|nupkg"
    r"|bin|rock|gemspec|tcl|c|f|h|hpp|sif|pkg|AppImage|war|phar|R|bed|fasta|ttf|css|js|xml|json|sif"
    r"|download)$"
)

#: Text behind a version in file names that does not belong to it, like the extension.
_TRAILING = (
    r"[._-]?(?:"
    r"(?:py[23](?:\.py3)?|cp\d+|pp\d+|none)(?:-[\w.]+-[\w.]+)?|any|none-any"
    r"|x86_64|amd64|aarch64|ppc64le|arm64|x64|i[3-6]86|64-?bit|noarch|universal|manylinux\w*"
    r"|[Ll]inux(?:64)?|unix|macosx?|darwin|windows|win(?:32|64)|gnu|musl|ubuntu\w*|centos\w*"
    r"|src|[Ss]ources?|source-code|sources-only|src-all|code|orig|all|full|complete|bin|binary"
    r"|release|snapshot|distrib|dist|latest|stable|public|everywhere|standalone|Software|software"
    r"|gpl|with[_-]deps|no[_-]?deps|tests?|install(?:er)?|setup|oss|noarch|download|offline"
    r"|[Ee]xtended|export|final|free|std|jar|tar|release-src|x11|static|dynamic|bootstrap"
    r")$"
)

#: The date or the hash of a revision behind a version.
_REVISION = r"(?<=\d)_(?:r\d{8,}|[0-9a-f]{40})$"

#: A version within a file name, best rule first; the last component's stem is searched.
_IN_STEM = (
    r"\+(?:bzr|git|svn)(\d+)$",  # libvterm-0+bzr681
    r"^[a-zA-Z+._-]+[._+-]v?(\d[\d._-]*)$",  # libpng-1.6.27, STAR-CCM+11.06.010_02
    r"^v?(\d[\d._-]*)$",  # 3.2.7, v1_6_3, 7.0.2-7
    r"^v?(\d+(?:\.\d+)+-[\da-zA-Z.-]*)$",  # 3.8-1-0-gf15c1c3ef
    r"^[a-zA-Z+]*(\d[\da-zA-Z]*)$",  # nauty26r7
    r"^[a-zA-Z+-]*(\d[\da-zA-Z-]*)$",  # cdd-061a, gts-snapshot-121130
    r"^[a-zA-Z+_]*(\d[\da-zA-Z_]*)$",  # boost_1_55_0
    r"^[a-zA-Z+.]*(\d[\da-zA-Z.]*)$",  # atlas3.11.34
    r"^[a-zA-Z]+(\d+\.[\d.]+-[a-zA-Z]+-\d+)$",  # go1.4-bootstrap-20161024
    r"^[a-zA-Z\d+._-]*?[-_](?:v|r)?(\d[\da-zA-Z]*(?:[.][\da-zA-Z]+)+(?:[._-][\da-zA-Z.]+)*)$",
    r"^[a-zA-Z\d+._-]+?[-_](?:v|r)?(\d[\da-zA-Z._-]*)$",  # Bridger_r2014-12-01
    r"^[a-zA-Z+._-]*?v?(\d[\da-zA-Z._-]*)$",
)

#: The value in a query that has the version.
_IN_QUERY = r"[?&;](?:sha|ref|version|tag|at|filename|file|f|get|name|path|url)=([^&;#]*\d[^&;#]*)"

_COMPONENT = r"(?:^|[a-zA-Z+._-])v?(\d[\da-zA-Z._-]*)$"


def _stem(component: str) -> str:
    stem = component
    for _ in range(2):
        stem = re.sub(_EXTENSION, "", stem)
    previous = None
    while previous != stem:
        previous = stem
        stem = re.sub(_TRAILING, "", stem)
    stem = re.sub(_REVISION, "", stem)
    return stem or component


def sample_version(url: str, declared: Iterable[str] = ()) -> str | None:
    """Return the version in *url* as it is spelled there; None when there is none.

    :param declared: versions of the package; one that is a complete token of the last component is
        it, which spares guessing for most recipes.
    """
    path, _, query = url.partition("#")[0].partition("?")
    found = _declared_in(path.rpartition("/")[2], declared) or _declared_in(query, declared)
    if found:
        return found
    path = path.rstrip("/")
    if path.endswith("/download") and "sourceforge" in path:
        path = path[: -len("/download")]
    head, _, last = path.rpartition("/")
    asked = re.search(_IN_QUERY, "?" + query) if query else None
    files = [last] if asked is None or re.search(_EXTENSION, last) else []
    if asked is not None:
        files.append(re.split("/|%2F", asked[1])[-1])
    for file in files:
        found = _in_file_name(file)
        if found:
            return found
    for component in reversed(head.split("/")[3:]):
        found = _declared_in(component, declared)
        if found:
            return found
        match = re.search(_COMPONENT, component)
        if match:
            return match[1]
    return None


def _in_file_name(name: str) -> str | None:
    """Return the version in the name of a file, or None."""
    stem = _stem(name)
    if not re.search(r"\d", stem):
        return None
    for pattern in _IN_STEM:
        match = re.search(pattern, stem)
        if match:
            return match[1].rstrip("._-")
    return None


#: What must not follow a version if it is to be the whole of it.
_WHOLE = r"(?!\d|[._-]\d|[._-]?(?:a|b|c|rc|alpha|beta|pre|dev|post)[._-]?\d)"


def _declared_in(text: str, declared: Iterable[str]) -> str | None:
    best: str | None = None
    for version in declared:
        if version in text and version[:1].isdigit() and (best is None or len(version) > len(best)):
            whole = rf"(?<!\d)(?<!\d[._-]){re.escape(version)}{_WHOLE}"
            if len(version) > 1 and re.search(whole, text):
                best = version
    return best


def substitute_version(url: str, version: object, declared: Iterable[str] = ()) -> str:
    """Return *url* with *version* in place of the one that it has.

    Every occurrence of the sample's version as a complete token is replaced (not within a longer
    number). A url without a version stays as it is.
    """
    return replace_version(url, url_version(url, declared), version)


def url_version(url: str, declared: Iterable[str] = ()) -> str | None:
    """Return the version in a URL or a ``pypi:`` location as it is spelled there, or None.

    :param declared: see :func:`sample_version`.
    """
    if not url.startswith("pypi:"):
        return sample_version(url, declared)
    project, _, name = url[5:].rpartition("/")
    return _pypi_version(project, name) or sample_version(name, declared)


def replace_version(url: str, old: str | None, version: object) -> str:
    """Return *url* with *version* in place of *old*; as it is if that is None.

    :param old: what :func:`url_version` found in *url*.
    """
    if not old:
        return url
    new = str(version)
    if not url.startswith("pypi:"):
        return _replace(url, old, new)
    project, _, name = url[5:].rpartition("/")
    digits = re.search(r"\d+$", project)
    if digits and new.startswith(f"{digits[0]}-"):
        # Written for a rule that takes the digits at a project's end for part of the version.
        new = new[len(digits[0]) + 1 :]
    return f"pypi:{project}/{_replace(name, old, new)}"


def _replace(text: str, old: str, new: str) -> str:
    return re.sub(rf"(?<!\d){re.escape(old)}(?!\d)", new.replace("\\", r"\\"), text)


def _pypi_version(project: str, name: str) -> str | None:
    """Return the version in a file name of the package index, whose project is known."""
    if name.endswith(".whl"):
        parts = name.split("-")
        return parts[1] if len(parts) > 2 else None
    stem = re.sub(_EXTENSION, "", name)
    prefix = len(project.rpartition("/")[2])
    if len(stem) <= prefix + 1 or stem[prefix] != "-":
        return None
    given = normalized(stem[:prefix]) == normalized(project.rpartition("/")[2])
    return stem[prefix + 1 :] if given else None


_OLD_LAYOUT = r"^https?://[^/]+/packages/[\w.]+/[A-Za-z0-9]/([^/]+)/([^/?#]+)(?:#.*)?$"
_STORAGE = r"^https?://[^/]+/packages/[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{60}/([^/?#]+)(?:#.*)?$"


def index_source(url: str) -> str:
    """Return *url*, as ``pypi:<project>/<file>`` when it is a path of the package index."""
    match = re.match(_OLD_LAYOUT, url)
    if match:
        return f"pypi:{match[1]}/{match[2]}"
    match = re.match(_STORAGE, url)
    if match:
        name = match[1]
        project = name.split("-")[0] if name.endswith(".whl") else name.rpartition("-")[0]
        return f"pypi:{project}/{name}"
    return url


def join_url(base: str, *components: str, resolve_href: bool = False) -> str:
    """Return *base* and *components* as one URL.

    :param resolve_href: each component is a link on the page that the url so far names.
    """
    result = base
    for component in components:
        if resolve_href:
            result = urljoin(result, component)
        else:
            result = f"{result.rstrip('/')}/{component.lstrip('/')}" if result else component
    return result
