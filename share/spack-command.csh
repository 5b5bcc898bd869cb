# What the alias "spack" of setup-env.csh does with its words, which are in $_spack_args.

set _spack_way = ""
if ( $#_spack_args > 0 ) then
    switch ( "$_spack_args[1]:q" )
        case load:
        case unload:
        case cd:
            set _spack_way = "$_spack_args[1]:q"
            shift _spack_args
            breaksw
        case env:
            if ( $#_spack_args > 1 ) then
                if ( "$_spack_args[2]:q" == activate || "$_spack_args[2]:q" == deactivate ) then
                    set _spack_way = "env $_spack_args[2]:q"
                    shift _spack_args
                    shift _spack_args
                endif
            endif
            breaksw
    endsw
endif

# Help, and text for another shell, are for reading.
foreach _spack_word ( $_spack_args:q )
    switch ( "$_spack_word:q" )
        case -h:
        case --help:
        case --list:
        case --sh:
        case --csh:
        case --fish:
        case --pwsh:
            set _spack_args = ( $_spack_way $_spack_args:q )
            set _spack_way = ""
            breaksw
    endsw
    if ( "$_spack_way" == "" ) break
end
unset _spack_word

if ( "$_spack_way" == "" ) then
    "${SPACK_ROOT}/bin/spack" $_spack_args:q
else if ( "$_spack_way" == cd ) then
    cd "`'${SPACK_ROOT}/bin/spack' location $_spack_args:q`"
else
    eval "`'${SPACK_ROOT}/bin/spack' $_spack_way --csh $_spack_args:q`"
endif
