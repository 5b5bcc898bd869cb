"""fish."""

from __future__ import annotations

from spack.util.shells.shell_text import ActivationText, Dialect, Shell, guarded

__all__ = ["SHELL"]

_FISH_LOCATE = r"""
set -g _spack_root (string split -r -m 1 / -- (builtin realpath -s -- (status dirname)))[1]
"""

_FISH = """\
function __spack_complete
    set -l words (commandline -opc) (commandline -ct)
    command spack completion words -- $words[2..-1] 2>/dev/null
end
complete -c spack -f -a '(__spack_complete)'
"""


def _quote_fish(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


SHELL = Shell(
    name="fish",
    completion={"fish": _FISH},
    dialect=Dialect(
        quote=_quote_fish,
        set="set -gx {name} {value};\n",
        unset="set -e {name};\n",
    ),
    activation=ActivationText(
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
        basename="(string split -r -m 1 / -- $_spack_root)[-1]",
        save='if set -q {n}; set -g {o} "${n}"; else; set -e {o}; end',
        restore='if set -q {o}; set -gx {n} "${o}"; set -e {o}; else; set -e {n}; end',
        locate=_FISH_LOCATE,
        locate_fixed="set -g _spack_root {v}",
        locate_name="set -g _spack_name {v}",
    ),
    prompt=(
        'set -g _spack_prompt "$VIRTUAL_ENV_DISABLE_PROMPT"; '
        'set -g VIRTUAL_ENV_DISABLE_PROMPT "{}"',
        'if test -n "$_spack_prompt"; set -gx VIRTUAL_ENV_DISABLE_PROMPT "$_spack_prompt"; '
        "else; set -eg VIRTUAL_ENV_DISABLE_PROMPT; end; set -e _spack_prompt",
    ),
    deactivate=guarded("if functions -q deactivate; deactivate; else", "", "end"),
)
