# What the alias "spack" of setup-env.csh does with its words, which are in $_spack_args. Text goes
# through a file: backquotes would split words with blanks, and lose the exit status.

set _spack_way = ""
if ( $#_spack_args > 0 ) then
    switch ( $_spack_args[1]:q )
        case load:
        case unload:
        case cd:
            set _spack_way = ( $_spack_args[1]:q )
            shift _spack_args
            breaksw
        case env:
            if ( $#_spack_args > 1 ) then
                if ( "$_spack_args[2]:q" == activate || "$_spack_args[2]:q" == deactivate ) then
                    set _spack_way = ( env $_spack_args[2]:q )
                    shift _spack_args
                    shift _spack_args
                endif
            endif
            breaksw
    endsw
endif

# Help, and text for another shell, are for reading.
foreach _spack_word ( $_spack_args:q )
    if ( "$_spack_word:q" =~ -h || "$_spack_word:q" =~ --{help,list,sh,csh,fish,pwsh,nu} ) then
        if ( "$_spack_way" != "" ) set _spack_args = ( $_spack_way $_spack_args:q )
        set _spack_way = ""
    endif
end
unset _spack_word

if ( "$_spack_way" == "" ) then
    "$SPACK_ROOT:q"/bin/spack $_spack_args:q
    set _spack_status = $status
    # An environment that was activated before its first install shows its view now.
    if ( $_spack_status == 0 && $?SPACK_ENV_AWAITS_VIEW && $#_spack_args > 0 ) then
        if ( "$_spack_args[1]:q" =~ {install,i,env,dev-build} ) then
            set _spack_file = "`mktemp`"
            "$SPACK_ROOT:q"/bin/spack env activate --csh -- "$SPACK_ENV:q" >! "$_spack_file:q"
            if ( $status == 0 ) source "$_spack_file:q"
            rm -f "$_spack_file:q"
            unset _spack_file
        endif
    endif
else
    set _spack_file = "`mktemp`"
    if ( "$_spack_way" == cd ) then
        "$SPACK_ROOT:q"/bin/spack location $_spack_args:q >! "$_spack_file:q"
        set _spack_status = $status
        if ( $_spack_status == 0 ) cd "`cat $_spack_file:q`"
    else
        "$SPACK_ROOT:q"/bin/spack $_spack_way --csh $_spack_args:q >! "$_spack_file:q"
        set _spack_status = $status
        if ( $_spack_status == 0 ) source "$_spack_file:q"
    endif
    rm -f "$_spack_file:q"
    unset _spack_file
endif
unset _spack_args _spack_way
( exit $_spack_status )
