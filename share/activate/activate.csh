# To be sourced by csh or tcsh: "source bin/activate.csh". "deactivate" gives back the environment
# as it was. A csh script cannot ask for its own name: this one looks for the file that the shell
# has open, which needs /proc (Linux), and it finds the place with all symbolic links resolved.

alias | grep '^deactivate[^-_A-Za-z0-9]' >& /dev/null && deactivate nondestructive ;
@LOCATE@
test "x$_spack_root:q" != x || echo 'activate.csh: cannot find its own place without /proc' ;
test "x$_spack_root:q" != x || exit 1 ;
alias deactivate '@RESTORE@ test $?_SPACK_OLD_prompt != 0 && set prompt = "$_SPACK_OLD_prompt:q" && unset _SPACK_OLD_prompt; rehash; test "\!:*" = nondestructive || unalias deactivate' ;
@SAVE@
@APPLY@
test $?VIRTUAL_ENV_DISABLE_PROMPT = 0 && test $?prompt != 0 && set _SPACK_OLD_prompt = "$prompt:q" && set prompt = "("$_spack_name:q") $prompt:q" ;
unset _spack_root ;
unset _spack_name ;
rehash ;
