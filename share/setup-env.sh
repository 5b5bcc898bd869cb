# To be sourced: ". share/setup-env.sh" in bash, zsh, dash, ash or ksh. Defines the function "spack",
# which changes this shell for "env activate", "env deactivate", "load", "unload" and "cd"; puts
# bin/ on PATH; says nothing. Where a shell does not tell the place of this file, set SPACK_ROOT.

_spack_setup=
if [ -n "${BASH_VERSION:-}" ]; then
    _spack_setup=${BASH_SOURCE:-}
elif [ -n "${ZSH_VERSION:-}" ]; then
    eval '_spack_setup=${(%):-%x}'
elif case ${KSH_VERSION:-} in *' 93'*) : ;; *) ! : ;; esac; then
    eval '_spack_setup=${.sh.file}'
elif read -r _spack_pid _spack_fd </proc/self/stat; then
    # dash and ash tell no script its name, but hold it open; /proc shows the open files.
    for _spack_fd in /proc/"$_spack_pid"/fd/*; do
        case $(readlink "$_spack_fd" || :) in
            */setup-env.sh) _spack_setup=$(readlink "$_spack_fd") ;;
        esac
    done
    unset _spack_pid _spack_fd
fi 2>/dev/null
if [ -L "$_spack_setup" ]; then
    _spack_setup=$(realpath "$_spack_setup")
fi
case $_spack_setup in
    */*) SPACK_ROOT=$(CDPATH='' \cd -- "${_spack_setup%/*}/.." >/dev/null && \pwd) ;;
    ?*) SPACK_ROOT=$(CDPATH='' \cd -- .. >/dev/null && \pwd) ;;
esac
unset _spack_setup
if [ -n "${SPACK_ROOT:-}" ] && [ -x "$SPACK_ROOT/bin/spack" ]; then
    export SPACK_ROOT
    case ":${PATH:-}:" in
        *":$SPACK_ROOT/bin:"*) ;;
        *)
            PATH="$SPACK_ROOT/bin${PATH:+:$PATH}"
            export PATH
            ;;
    esac
fi

# The interpreter that spack runs with from now on, whatever is activated later. Views and version
# switchers are passed over: bin/spack looks further.
_SPACK_SHELL_PYTHON=$(command -v python3 2>/dev/null || :)
case $_SPACK_SHELL_PYTHON in
    */shims/python3) _SPACK_SHELL_PYTHON= ;;
    /*) [ ! -d "${_SPACK_SHELL_PYTHON%/*}/../.spack-view" ] || _SPACK_SHELL_PYTHON= ;;
    *) _SPACK_SHELL_PYTHON= ;;
esac
export _SPACK_SHELL_PYTHON

# The program itself; a clone's own, wherever PATH leads by now.
_spack_program () {
    if [ -n "${SPACK_ROOT:-}" ] && [ -x "$SPACK_ROOT/bin/spack" ]; then
        "$SPACK_ROOT/bin/spack" "$@"
    else
        command spack "$@"
    fi
}

# Runs what "spack $@" prints in this shell.
_spack_eval () {
    _spack_text=$(_spack_program "$@") || {
        _spack_status=$?
        unset _spack_text
        return "$_spack_status"
    }
    eval "$_spack_text"
    unset _spack_text
}

spack () {
    # Help, and text for another shell, are for reading.
    for _spack_word in "$@"; do
        case $_spack_word in
            -h | --help | --sh | --csh | --fish | --pwsh | --bat | --nu | --list)
                unset _spack_word
                _spack_program "$@"
                return
                ;;
            --) break ;;
        esac
    done
    unset _spack_word
    case "${1:-} ${2:-}" in
        "env activate" | "env deactivate")
            _spack_words="$1 $2"
            shift 2
            if [ "$_spack_words" = "env activate" ]; then
                _spack_eval env activate --sh "$@"
            else
                _spack_eval env deactivate --sh "$@"
            fi
            ;;
        "load "*)
            shift
            _spack_eval load --sh "$@"
            ;;
        "unload "*)
            shift
            _spack_eval unload --sh "$@"
            ;;
        "cd "*)
            shift
            _spack_text=$(_spack_program location "$@") || return
            \cd -- "$_spack_text" || return
            unset _spack_text
            ;;
        *)
            _spack_program "$@" || return
            # What came or went in a view is looked up again.
            [ -z "${SPACK_ENV:-}" ] || hash -r 2>/dev/null || :
            # An environment that was activated before its first install shows its view now.
            case "${SPACK_ENV_AWAITS_VIEW:-} ${1:-}" in
                "1 install" | "1 i" | "1 env" | "1 dev-build")
                    _spack_eval env activate --sh -- "$SPACK_ENV"
                    ;;
            esac
            ;;
    esac
}

spacktivate () {
    spack env activate "$@"
}

despacktivate () {
    spack env deactivate "$@"
}
