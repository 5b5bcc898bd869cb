# To be sourced by csh or tcsh: "source share/setup-env.csh". Defines the alias "spack", which changes
# this shell for "env activate", "env deactivate", "load", "unload" and "cd"; puts bin/ on PATH.
# A csh script cannot ask for its own name: this one looks for the file that the shell has open,
# which needs /proc (Linux); elsewhere set SPACK_ROOT first.

setenv _SPACK_FIND 'p=$PPID; while test $p -gt 1; do for f in /proc/$p/fd/*; do t=$(readlink $f); case $t in */share/setup-env.csh) printf %s "${t%/share/setup-env.csh}"; exit;; esac; done; p=$(sed -n "s/^PPid:[^0-9]*//p" /proc/$p/status); done'
set _spack_found = "`printenv _SPACK_FIND | sh`"
unsetenv _SPACK_FIND
if ( "x$_spack_found:q" != x ) setenv SPACK_ROOT "$_spack_found:q"
unset _spack_found
if ( ! $?SPACK_ROOT ) then
    echo "setup-env.csh: set SPACK_ROOT to the directory of spack first"
    exit 1
endif
# A pattern cannot be quoted, and a path may hold any character: compare as texts.
printenv PATH | tr : '\n' | grep -q -x -F -e "$SPACK_ROOT:q/bin" || setenv PATH "$SPACK_ROOT:q/bin:${PATH:q}"

# The interpreter that spack runs with from now on, whatever is activated later. Views and version
# switchers are passed over: bin/spack looks further.
setenv _SPACK_SHELL_PYTHON "`sh -c 'command -v python3'`"
if ( "$_SPACK_SHELL_PYTHON:q" =~ */shims/python3 || -d "$_SPACK_SHELL_PYTHON:h:q/../.spack-view" ) setenv _SPACK_SHELL_PYTHON ""

alias spack 'set _spack_args = (\!*) ; source "$SPACK_ROOT:q"/share/spack-command.csh'
alias spacktivate 'spack env activate'
alias despacktivate 'spack env deactivate'
