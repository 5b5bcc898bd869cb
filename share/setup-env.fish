# To be sourced by fish: "source share/setup-env.fish". Defines the function "spack", which changes
# this shell for "env activate", "env deactivate", "load", "unload" and "cd"; puts bin/ on PATH.

set -l _spack_share (builtin realpath -s -- (status dirname))
set -l _spack_top (string split -r -m 1 / -- $_spack_share)[1]
if test -x "$_spack_top/bin/spack"
    set -gx SPACK_ROOT $_spack_top
    if not contains -- "$SPACK_ROOT/bin" $PATH
        set -gx PATH "$SPACK_ROOT/bin" $PATH
    end
end

# The interpreter that spack runs with from now on, whatever is activated later. Views and version
# switchers are passed over: bin/spack looks further.
set -gx _SPACK_SHELL_PYTHON (command -s python3)
if string match -q '*/shims/python3' "$_SPACK_SHELL_PYTHON"
    or test -d (dirname "$_SPACK_SHELL_PYTHON")/../.spack-view
    set -gx _SPACK_SHELL_PYTHON
end

function _spack_program
    if test -n "$SPACK_ROOT"; and test -x "$SPACK_ROOT/bin/spack"
        "$SPACK_ROOT/bin/spack" $argv
    else
        command spack $argv
    end
end

function _spack_eval
    _spack_program $argv | read -z -l text
    set -l failed $pipestatus[1]
    test $failed -eq 0; or return $failed
    echo "$text" | source
end

function spack -d "A package manager"
    for word in $argv
        switch $word
            case -h --help --sh --csh --fish --pwsh --bat --nu --list
                _spack_program $argv
                return
            case --
                break
        end
    end
    switch "$argv[1] $argv[2]"
        case "env activate" "env deactivate"
            _spack_eval env $argv[2] --fish $argv[3..-1]
        case "load *"
            _spack_eval load --fish $argv[2..-1]
        case "unload *"
            _spack_eval unload --fish $argv[2..-1]
        case "cd *"
            set -l directory (_spack_program location $argv[2..-1])
            and cd $directory
        case "*"
            _spack_program $argv; or return
            # An environment that was activated before its first install shows its view now.
            if test "$SPACK_ENV_AWAITS_VIEW" = 1; and contains -- "$argv[1]" install i env dev-build
                _spack_eval env activate --fish -- $SPACK_ENV
            end
    end
end

function spacktivate
    spack env activate $argv
end

function despacktivate
    spack env deactivate $argv
end
