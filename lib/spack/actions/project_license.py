"""The licence of a Python project as an SPDX expression, where its metadata state one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from spack.actions.python_releases import PythonRelease

__all__ = ["ProjectLicense", "license_of"]


class ProjectLicense(NamedTuple):
    """An SPDX expression, or what the metadata say instead; both "" if they say nothing."""

    expression: str
    note: str


#: Words of projects, in lower case and without punctuation, that mean exactly one licence.
_WORDS: Mapping[str, str] = {
    "mit": "MIT",
    "mit license": "MIT",
    "the mit license": "MIT",
    "expat": "MIT",
    "apache 2.0": "Apache-2.0",
    "apache-2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license version 2.0": "Apache-2.0",
    "apache 2": "Apache-2.0",
    "apache software license 2.0": "Apache-2.0",
    "bsd-2-clause": "BSD-2-Clause",
    "bsd-3-clause": "BSD-3-Clause",
    "bsd 2-clause": "BSD-2-Clause",
    "bsd 3-clause": "BSD-3-Clause",
    "3-clause bsd": "BSD-3-Clause",
    "bsd 3-clause license": "BSD-3-Clause",
    "3-clause bsd license": "BSD-3-Clause",
    "new bsd": "BSD-3-Clause",
    "isc": "ISC",
    "isc license": "ISC",
    "isc license iscl": "ISC",
    "mpl 2.0": "MPL-2.0",
    "mpl-2.0": "MPL-2.0",
    "mozilla public license 2.0": "MPL-2.0",
    "mozilla public license 2.0 mpl 2.0": "MPL-2.0",
    "psf-2.0": "PSF-2.0",
    "unlicense": "Unlicense",
    "the unlicense unlicense": "Unlicense",
    "zlib": "Zlib",
    "gpl-2.0-only": "GPL-2.0-only",
    "gpl-3.0-only": "GPL-3.0-only",
    "gpl-3.0-or-later": "GPL-3.0-or-later",
    "gpl-2.0-or-later": "GPL-2.0-or-later",
    "gnu general public license v3 or later gplv3+": "GPL-3.0-or-later",
    "gnu general public license v2 or later gplv2+": "GPL-2.0-or-later",
    "gnu lesser general public license v3 or later lgplv3+": "LGPL-3.0-or-later",
    "gnu lesser general public license v2 or later lgplv2+": "LGPL-2.0-or-later",
    "lgpl-3.0-or-later": "LGPL-3.0-or-later",
}

_CLASSIFIER = "License :: OSI Approved :: "

#: Longest text of the field ``License`` that can be a name and no licence text.
_LONGEST = 60


def license_of(release: PythonRelease) -> ProjectLicense:
    """Return the licence that the metadata state: an expression (:pep:`639`) or clear words."""
    expression = release.value("License-Expression")
    if expression:
        return ProjectLicense(expression, "")
    said = release.value("License")
    classifiers = [
        text[len(_CLASSIFIER) :]
        for text in release.values("Classifier")
        if text.startswith(_CLASSIFIER)
    ]
    for text in (said, *classifiers):
        known = _WORDS.get(_plain(text))
        if known and (text == said or len(classifiers) == 1):
            return ProjectLicense(known, "")
    if said and len(said) <= _LONGEST:
        return ProjectLicense("", said)
    return ProjectLicense("", " and ".join(classifiers))


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[(),\"']", " ", text).lower().split())
