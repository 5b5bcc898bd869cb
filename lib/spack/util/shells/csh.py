"""csh and tcsh."""

from __future__ import annotations

from spack.util.shells.shell_text import ActivationText, Dialect, Shell

__all__ = ["SHELL"]

#: Looks through the open files of the shell and its ancestors (a subshell has none of its own).
_CSH_FIND = (
    "p=$PPID; while test $p -gt 1; do for f in /proc/$p/fd/*; do t=$(readlink $f); case $t in "
    '*/bin/activate.csh) printf %s "${t%/bin/activate.csh}"; exit;; esac; done; '
    'p=$(sed -n "s/^PPid:[^0-9]*//p" /proc/$p/status); done'
)


def _quote_csh(text: str) -> str:
    # "!" is history expansion even between single quotes, and a newline ends the word.
    escaped = text.replace("'", "'\\''").replace("!", "\\!").replace("\n", "\\\n")
    return f"'{escaped}'"


def _deactivate(statements: str, active: str) -> str:
    """Return the deactivation; no block survives eval: each statement is guarded."""
    guard = f"test $?{active} = 0 || "
    lines = [line for line in statements.splitlines() if line != f"unsetenv {active};"]
    return "".join(
        [
            'set _spack_alias = "`alias deactivate`" ;\n',
            'test "x$_spack_alias:q" = x || eval deactivate ;\n',
            "unset _spack_alias ;\n",
            *(f"{guard}{line}\n" for line in lines),
            f"{guard}unsetenv {active} ;\n",
        ]
    )


SHELL = Shell(
    name="csh",
    synonyms=("tcsh",),
    dialect=Dialect(
        quote=_quote_csh,
        set="setenv {name} {value};\n",
        unset="unsetenv {name};\n",
    ),
    activation=ActivationText(
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
        basename='"$_spack_root:t:q"',
        save='unset {o} ; test $?{n} != 0 && set {o} = "${n}:q" ;',
        restore='test $?{o} = 0 && unsetenv {n}; test $?{o} != 0 && setenv {n} "${o}:q" && '
        "unset {o};",
        locate=f"setenv _SPACK_FIND '{_CSH_FIND}' ;\n"
        'set _spack_root = "`printenv _SPACK_FIND | sh`" ;\nunsetenv _SPACK_FIND ;',
        locate_fixed="set _spack_root = {v} ;",
        locate_name="set _spack_name = {v} ;",
    ),
    prompt=(
        "set _spack_prompt = $?VIRTUAL_ENV_DISABLE_PROMPT ; "
        "unsetenv VIRTUAL_ENV_DISABLE_PROMPT ; "
        "test x{} = x || setenv VIRTUAL_ENV_DISABLE_PROMPT 1 ;",
        "unsetenv VIRTUAL_ENV_DISABLE_PROMPT ; "
        "test $_spack_prompt = 0 || setenv VIRTUAL_ENV_DISABLE_PROMPT 1 ; unset _spack_prompt ;",
    ),
    deactivate=_deactivate,
)
