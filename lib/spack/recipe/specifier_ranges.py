"""Version specifiers of Python projects (:pep:`440`) as version ranges of recipes.

Both order released versions alike. They differ at the ends: ``:1.4`` of a recipe includes
``1.4.7``, ``<=1.4`` does not; ``<2.0`` has no equal in recipes but ``:1``, the last range below.
Versions that only one of them knows (epochs, local labels) have no range at all.
"""

from __future__ import annotations

from typing import Any

from spack.spec import VersionList

__all__ = ["specifier_range"]

#: Ends below a release are written with so many numbers: ``<=1.4`` is ``:1.4.0``.
_NUMBERS = 3


def specifier_range(specifiers: Any) -> str | None:
    """Return what follows ``@`` in a spec for *specifiers* (``packaging``'s set).

    ``""`` is any version; None is what no range of a recipe says: an epoch, a local label, a
    contradiction.
    """
    found: VersionList | None = None
    for item in specifiers:
        text = _ONE[item.operator](item.version) if _is_plain(item.version) else None
        if text is None:
            return None
        if text:
            one = VersionList(text)
            found = one if found is None else found.intersection(one)
    if found is None:
        return ""
    return str(found) or None


def _is_plain(text: str) -> bool:
    return "!" not in text and "+" not in text


def _numbers(text: str) -> list[int]:
    """Return the release numbers of a version, without what marks it as before or after one."""
    from packaging.version import Version  # start-up: only what reads metadata

    return list(Version(text.replace(".*", "")).release)


def _joined(numbers: list[int]) -> str:
    return ".".join(map(str, numbers))


def _from(text: str) -> str:
    """Return the range of ``>=``; development releases of X count as X itself."""
    from packaging.version import Version  # start-up: only what reads metadata

    version = Version(text)
    if version.dev is not None:
        return f"{_joined(list(version.release))}:"
    return f"{text}:"


def _below(text: str) -> str | None:
    """Return the range of ``<``: up to the last number that is smaller, with all that begins so."""
    numbers = _numbers(text)
    while numbers and numbers[-1] == 0:
        numbers.pop()
    if not numbers:
        return None
    return f":{_joined([*numbers[:-1], numbers[-1] - 1])}"


def _up_to(text: str) -> str:
    return f":{_padded(text)}"


def _padded(text: str) -> str:
    numbers = _numbers(text)
    return _joined(numbers + [0] * (_NUMBERS - len(numbers)))


def _above(text: str) -> str:
    numbers = _numbers(text)
    numbers += [0] * (_NUMBERS - len(numbers))
    return f"{_joined([*numbers[:-1], numbers[-1] + 1])}:"


def _equal(text: str) -> str:
    if text.endswith(".*"):
        return text[:-2]
    numbers = _numbers(text)
    if len(numbers) < _NUMBERS and _joined(numbers) == text:
        return f"{text}:{_padded(text)}"
    return text


def _compatible(text: str) -> str:
    return f"{text}:{_joined(_numbers(text)[:-1])}"


def _except(text: str) -> str | None:
    if text.endswith(".*"):
        numbers = _numbers(text)
        above = f"{_joined([*numbers[:-1], numbers[-1] + 1])}:"
    else:
        if _joined(_numbers(text)) != text:
            return ""  # a version before or after a release, which recipes seldom have
        above = _above(text)
    below = _below(text)
    return above if below is None else f"{below},{above}"


def _exactly(text: str) -> str:
    return f"={text}"


#: Operator -> the range of one clause; "" where it restricts nothing, None where nothing is left.
_ONE = {
    ">=": _from,
    ">": _above,
    "<=": _up_to,
    "<": _below,
    "==": _equal,
    "!=": _except,
    "~=": _compatible,
    "===": _exactly,
}
