"""Names on package indexes, and urls as they may be shown."""

from __future__ import annotations

import re

from spack.util.project_names import normalized

__all__ = ["project_of", "stem_of", "without_secrets"]

#: Endings that follow name and version in the file names of distributions.
ENDINGS = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst", ".zip", ".whl", ".egg", ".tar")


def stem_of(filename: str) -> str:
    """Return *filename* without the ending of a distribution; the same text when it has none."""
    for ending in ENDINGS:
        if filename.endswith(ending):
            return filename[: -len(ending)]
    return filename


def project_of(filename: str) -> str | None:
    """Return the project of a distribution file, by its name alone, or None.

    A wheel's name ends at the first dash (PEP 427); a source archive's at the last dash that is
    followed by a digit.
    """
    stem = stem_of(filename)
    if stem == filename:
        return None
    if filename.endswith((".whl", ".egg")):
        return normalized(stem.split("-")[0])
    match = re.match(r"(.+)-v?\d[^-]*$", stem) or re.match(r"(.+?)-v?\d", stem)
    return normalized(match.group(1)) if match else None


def without_secrets(url: str) -> str:
    """Return *url* as it may be shown: user name and password replaced."""
    return re.sub(r"(?<=://)[^/@]+@", "****@", url)
