"""Text that activates a view in a shell, and the changes of the environment it is made from.

A view contains ``bin/activate`` and its siblings, which find their own path; ``spack env
activate`` prints the same text with the path written in. Both come from one template of
``share/activate`` per shell, and one row of :data:`SHELLS` that says how a :class:`EnvStep` is
written, so they cannot disagree.

Lines of a template that hold a marker are replaced:

=============  ==============================================================================
``@LOCATE@``   finds the view: sets ``_spack_root`` and ``_spack_name``
``@SAVE@``     keeps the value of each variable that will change, or that it was not set
``@APPLY@``    the steps
``@RESTORE@``  gives every variable its kept value
``@NAME@``     the name that the prompt shows
=============  ==============================================================================

PATH, PYTHONHOME and PS1 are kept under the names that Python's own ``activate`` uses, so that one
can be activated over the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Callable, NamedTuple

from spack.util.shell import dialect

__all__ = ["NAME", "ROOT", "SHELLS", "EnvStep", "render", "steps_from_json"]

#: Marks the view in the value of a step, and the name shown in the prompt.
ROOT = "@VIEW@"
NAME = "@NAME@"

_TOKEN = re.compile(f"({ROOT}|{NAME})")


#: What a step may do.
ACTIONS = ("set", "unset", "prepend", "append")


class EnvStep(NamedTuple):
    """One change of one variable.

    :param action: ``set``, ``unset``, ``prepend`` or ``append``.
    :param value: text; :data:`ROOT` and :data:`NAME` in it are filled in by the shell.
    :param separator: between old and new text, for ``prepend`` and ``append``.
    :param tail: for ``prepend``: what follows if the variable was unset or empty, separator
        included (``MANPATH`` needs ``:`` to keep the system's pages).
    """

    action: str
    name: str
    value: str = ""
    separator: str = ":"
    tail: str = ""


def steps_from_json(rows: Iterable[Sequence[Any]]) -> tuple[EnvStep, ...]:
    """Return steps from the lists that JSON makes of them.

    :raises ValueError: one of them is something else.
    :raises TypeError: likewise.
    """
    steps = tuple(EnvStep(*row) for row in rows)
    for step in steps:
        if step.action not in ACTIONS or not all(isinstance(part, str) for part in step):
            raise ValueError(f"not a step of an activation: {list(step)!r}")
    return steps


class ShellRow(NamedTuple):
    """How one shell writes things; ``{n}`` is a name, ``{o}`` its keeper, ``{v}`` a value."""

    template: str
    root: str
    name: str
    actions: Mapping[str, str]
    save: str
    restore: str
    locate: str
    locate_fixed: str
    locate_name: str
    keeper: Callable[[str], str]
    comment: str = "#"


_STANDARD_KEEPERS = {"PATH": "_OLD_VIRTUAL_PATH", "PYTHONHOME": "_OLD_VIRTUAL_PYTHONHOME"}


def _keeper(name: str) -> str:
    return _STANDARD_KEEPERS.get(name, f"_SPACK_OLD_{name}")


_SH_LOCATE = r"""
if [ -n "${BASH_VERSION:-}" ]; then
    _spack_root=${BASH_SOURCE:-}
elif [ -n "${ZSH_VERSION:-}" ]; then
    eval '_spack_root=${(%):-%x}'
elif case ${KSH_VERSION:-} in *' 93'*) : ;; *) ! : ;; esac; then
    eval '_spack_root=${.sh.file}'
else
    # dash and ash pass no script its name, but hold it open; /proc shows the open files.
    _spack_root=
    if read -r _spack_name _spack_fd </proc/self/stat; then
        for _spack_fd in /proc/"$_spack_name"/fd/*; do
            _spack_fd=$(readlink "$_spack_fd" || :)
            # A view that is exchanged meanwhile is seen where it was built or is thrown away.
            _spack_fd=${_spack_fd% (deleted)}
            case $_spack_fd in
                */.*.????????.new/bin/activate | */.*.????????.old/bin/activate)
                    _spack_fd=${_spack_fd%.????????.*/bin/activate}
                    _spack_root=${_spack_fd%/.*}/${_spack_fd##*/.}/bin/activate ;;
                */bin/activate) _spack_root=$_spack_fd ;;
            esac
        done
    fi 2>/dev/null
    unset _spack_fd
    if [ -z "$_spack_root" ] && [ -f ./activate ] && [ -d ../.spack-view ]; then
        _spack_root=./activate
    fi
fi
if [ -L "$_spack_root" ]; then
    _spack_root=$(realpath "$_spack_root")
fi
case $_spack_root in
    */*) _spack_root=${_spack_root%/*} ;;
    *) _spack_root=. ;;
esac
_spack_root=$(CDPATH='' \cd -- "$_spack_root/.." >/dev/null && \pwd)
if [ ! -d "$_spack_root/.spack-view" ]; then
    unset _spack_root _spack_name
    echo "activate: this shell does not say where the file is: cd to it and source ./activate" >&2
    return 1
fi
"""

_FISH_LOCATE = r"""
set -g _spack_root (string split -r -m 1 / -- (builtin realpath -s -- (status dirname)))[1]
"""

#: Looks through the open files of the shell and its ancestors (a subshell has none of its own).
_CSH_FIND = (
    "p=$PPID; while test $p -gt 1; do for f in /proc/$p/fd/*; do t=$(readlink $f); case $t in "
    '*/bin/activate.csh) printf %s "${t%/bin/activate.csh}"; exit;; esac; done; '
    'p=$(sed -n "s/^PPid:[^0-9]*//p" /proc/$p/status); done'
)

SHELLS: Mapping[str, ShellRow] = {
    "sh": ShellRow(
        template="activate",
        root='"${_spack_root}"',
        name='"${_spack_name}"',
        actions={
            "set": "{n}={v}; export {n}",
            "unset": "unset {n}",
            "prepend": '{n}={v}"${{{n}:+{s}${{{n}}}}}"; export {n}',
            "prepend_tail": '{n}={v}"{s}${{{n}:-{t}}}"; export {n}',
            "append": '{n}="${{{n}:+${{{n}}}{s}}}"{v}; export {n}',
        },
        save='if [ -n "${{{n}+set}}" ]; then {o}=${n}; else unset {o}; fi',
        restore='if [ -n "${{{o}+set}}" ]; then {n}=${o}; export {n}; unset {o}; '
        "else unset {n}; fi",
        locate=_SH_LOCATE,
        locate_fixed="_spack_root={v}",
        locate_name="_spack_name={v}",
        keeper=_keeper,
    ),
    "fish": ShellRow(
        template="activate.fish",
        root='"$_spack_root"',
        name='"$_spack_name"',
        actions={
            "set": "set -gx {n} {v}",
            "unset": "set -e {n}",
            "prepend": 'if test -n "${n}"; set -gx {n} {v}"{s}${n}"; else; set -gx {n} {v}; end',
            "prepend_tail": 'if test -n "${n}"; set -gx {n} {v}"{s}${n}"; '
            'else; set -gx {n} {v}"{s}{t}"; end',
            "append": 'if test -n "${n}"; set -gx {n} "${n}{s}"{v}; else; set -gx {n} {v}; end',
        },
        save='if set -q {n}; set -g {o} "${n}"; else; set -e {o}; end',
        restore='if set -q {o}; set -gx {n} "${o}"; set -e {o}; else; set -e {n}; end',
        locate=_FISH_LOCATE,
        locate_fixed="set -g _spack_root {v}",
        locate_name="set -g _spack_name {v}",
        keeper=_keeper,
    ),
    "csh": ShellRow(
        template="activate.csh",
        root='"$_spack_root:q"',
        name='"$_spack_name:q"',
        actions={
            "set": "setenv {n} {v} ;",
            "unset": "unsetenv {n} ;",
            "prepend": 'test $?{n} = 0 && setenv {n} "" ; test "x${n}:q" = x && '
            'setenv {n} {v} || setenv {n} {v}"{s}${n}:q" ;',
            "prepend_tail": 'test $?{n} = 0 && setenv {n} "" ; test "x${n}:q" = x && '
            'setenv {n} {v}"{s}{t}" || setenv {n} {v}"{s}${n}:q" ;',
            "append": 'test $?{n} = 0 && setenv {n} "" ; test "x${n}:q" = x && '
            'setenv {n} {v} || setenv {n} "${n}:q""{s}"{v} ;',
        },
        save='unset {o} ; test $?{n} != 0 && set {o} = "${n}:q" ;',
        restore='test $?{o} = 0 && unsetenv {n}; test $?{o} != 0 && setenv {n} "${o}:q" && '
        "unset {o};",
        locate=f"setenv _SPACK_FIND '{_CSH_FIND}' ;\n"
        'set _spack_root = "`printenv _SPACK_FIND | sh`" ;\nunsetenv _SPACK_FIND ;',
        locate_fixed="set _spack_root = {v} ;",
        locate_name="set _spack_name = {v} ;",
        keeper=_keeper,
    ),
    "pwsh": ShellRow(
        template="Activate.ps1",
        root="$_spack_root",
        name="$_spack_name",
        actions={
            "set": "$Env:{n} = {v}",
            "unset": "Remove-Item -LiteralPath Env:{n} -ErrorAction SilentlyContinue",
            "prepend": "$Env:{n} = if ($Env:{n}) {{ {v} + '{s}' + $Env:{n} }} else {{ {v} }}",
            "prepend_tail": "$Env:{n} = {v} + '{s}' + "
            "$(if ($Env:{n}) {{ $Env:{n} }} else {{ '{t}' }})",
            "append": "$Env:{n} = if ($Env:{n}) {{ $Env:{n} + '{s}' + {v} }} else {{ {v} }}",
        },
        save="$global:_SpackOld['{n}'] = [Environment]::GetEnvironmentVariable('{n}')",
        # A null given to SetEnvironmentVariable becomes "", which does not unset since .NET 9.
        restore="if ($null -eq $global:_SpackOld['{n}']) {{ "
        "Remove-Item -LiteralPath Env:{n} -ErrorAction SilentlyContinue }} else {{ "
        "[Environment]::SetEnvironmentVariable('{n}', $global:_SpackOld['{n}']) }}",
        locate="$_spack_root = Split-Path -Parent $PSScriptRoot",
        locate_fixed="$_spack_root = {v}",
        locate_name="$_spack_name = {v}",
        keeper=_keeper,
    ),
    "nu": ShellRow(
        template="activate.nu",
        root="$_spack_root",
        name="$_spack_name",
        actions={
            "set": "$env.{n} = ({v})",
            "unset": "hide-env --ignore-errors {n}",
            "prepend": "$env.{n} = (_spack_prepended $env.{n}? {v} '{s}' '')",
            "prepend_tail": "$env.{n} = (_spack_prepended $env.{n}? {v} '{s}' '{s}{t}')",
            "append": "$env.{n} = (_spack_appended $env.{n}? {v} '{s}')",
        },
        save="{n}",
        restore="",
        locate="let _spack_root = ($here | path dirname | path dirname)",
        locate_fixed="let _spack_root = {v}",
        locate_name="let _spack_name = ({v})",
        keeper=_keeper,
    ),
}

#: How the shell computes the default name: the last component of the view's path.
_BASENAME = {
    "sh": '"${_spack_root##*/}"',
    "fish": "(string split -r -m 1 / -- $_spack_root)[-1]",
    "csh": '"$_spack_root:t:q"',
    "pwsh": "(Split-Path -Leaf $_spack_root)",
    "nu": "$_spack_root | path basename",
}


def _quote(shell: str, text: str) -> str:
    if shell == "nu":
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return dialect(shell).quote(text)


def _value(shell: str, text: str) -> str:
    """Return *text* as a word (PowerShell, Nushell: an expression), tokens filled in."""
    row = SHELLS[shell]
    tokens = {ROOT: row.root, NAME: row.name}
    words = [tokens.get(part) or _quote(shell, part) for part in _TOKEN.split(text) if part]
    if not words:
        return _quote(shell, "")
    if shell not in ("pwsh", "nu"):
        return "".join(words)
    joined = (" + " if shell == "pwsh" else " ++ ").join(words)
    return f"({joined})" if len(words) > 1 else joined


def _apply(shell: str, step: EnvStep) -> str:
    action = step.action
    if action == "prepend" and step.tail:
        action = "prepend_tail"
    # The tail carries its separator, the templates write it.
    tail = step.tail[len(step.separator) :]
    return (
        SHELLS[shell]
        .actions[action]
        .format(n=step.name, v=_value(shell, step.value), s=step.separator, t=tail)
    )


def _distinct(steps: Iterable[EnvStep]) -> list[str]:
    return list(dict.fromkeys(step.name for step in steps))


def render(
    shell: str, template: str, steps: Sequence[EnvStep], *, root: str = "", name: str = ""
) -> str:
    """Return the text that activates a view in *shell* (a key of :data:`SHELLS`).

    :param template: of ``share/activate``.
    :param root: path of the view; if empty the text finds itself.
    :param name: for the prompt; if empty the last component of the view's path.
    :returns: with *root*, text for ``eval``: without comments.
    """
    row = SHELLS[shell]
    variables = _distinct(steps)
    locate = row.locate_fixed.format(v=_quote(shell, root)) if root else row.locate.strip("\n")
    shown = _quote(shell, name) if name else _BASENAME[shell]
    blocks: dict[str, list[str]] = {
        "@LOCATE@": [*locate.split("\n"), row.locate_name.format(v=shown)],
        "@SAVE@": [row.save.format(n=x, o=row.keeper(x)) for x in variables],
        "@APPLY@": [_apply(shell, step) for step in steps],
        "@RESTORE@": [row.restore.format(n=x, o=row.keeper(x)) for x in variables],
        NAME: [shown],
    }
    lines: list[str] = []
    for line in template.splitlines():
        lines.extend(_filled(line, blocks))
    if root:
        lines = [x for x in lines if x.strip() and not x.lstrip().startswith(row.comment)]
    return "\n".join(lines) + "\n"


def _filled(line: str, blocks: Mapping[str, list[str]]) -> list[str]:
    """Return a line of a template with its markers replaced; one that is only a marker may grow."""
    bare = line.strip()
    if bare in blocks:
        indent = line[: len(line) - len(line.lstrip())]
        return [indent + text if text else text for text in blocks[bare]]
    for marker, texts in blocks.items():
        if marker in line:
            line = line.replace(marker, " ".join(texts))
    return [line]
