"""bash, zsh, dash, ash, ksh and what else reads POSIX's shell language."""

from __future__ import annotations

from spack.util.shells.shell_text import ActivationText, Dialect, Shell, guarded

__all__ = ["SHELL"]

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

_BASH = """\
_spack_complete() {
    local IFS=$'\\n'
    COMPREPLY=($(compgen -W "$(command spack completion words -- \
"${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _spack_complete spack
"""

_ZSH = """\
_spack_complete() {
    local -a words_
    words_=("${(@f)$(command spack completion words -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    compadd -a words_ || _files
}
compdef _spack_complete spack
"""


def _quote_sh(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


SHELL = Shell(
    name="sh",
    synonyms=("ash", "bash", "dash", "ksh", "zsh"),
    completion={"bash": _BASH, "zsh": _ZSH},
    dialect=Dialect(
        quote=_quote_sh,
        set="export {name}={value};\n",
        unset="unset {name};\n",
    ),
    activation=ActivationText(
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
        basename='"${_spack_root##*/}"',
        save='if [ -n "${{{n}+set}}" ]; then {o}=${n}; else unset {o}; fi',
        restore='if [ -n "${{{o}+set}}" ]; then {n}=${o}; export {n}; unset {o}; '
        "else unset {n}; fi",
        locate=_SH_LOCATE,
        locate_fixed="_spack_root={v}",
        locate_name="_spack_name={v}",
    ),
    prompt=(
        "_spack_prompt=${VIRTUAL_ENV_DISABLE_PROMPT-}; VIRTUAL_ENV_DISABLE_PROMPT={}",
        'if [ -n "$_spack_prompt" ]; then VIRTUAL_ENV_DISABLE_PROMPT=$_spack_prompt; '
        "else unset VIRTUAL_ENV_DISABLE_PROMPT; fi; unset _spack_prompt",
    ),
    deactivate=guarded(
        'if [ "$(command -v deactivate 2>/dev/null)" = deactivate ]; then deactivate; else',
        ":",
        "fi",
    ),
)
