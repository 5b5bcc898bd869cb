#!/bin/sh
# Compiler wrapper: calls the real compiler or linker, and adds what a build's dependencies need.
#
# It is linked to under the names of compilers; the name says the language. From the environment:
#
#   SPACK_CC, SPACK_CXX, SPACK_FC, SPACK_F77    the real compilers
#   SPACK_TARGET_ARGS_{CC,CXX,FORTRAN}          flags for the microarchitecture
#   SPACK_{CFLAGS,CXXFLAGS,FFLAGS,CPPFLAGS,LDFLAGS,LDLIBS}   flags of the spec
#   SPACK_INCLUDE_DIRS, SPACK_LINK_DIRS, SPACK_RPATH_DIRS    directories, separated by colons
#   SPACK_COMPILER_EXTRA_RPATHS, SPACK_COMPILER_IMPLICIT_RPATHS  more directories for rpath
#   SPACK_{CC,CXX,FC,F77}_RPATH_ARG             what stands before a directory, "-Wl,-rpath,"
#   SPACK_{CC,CXX,FC,F77}_LINKER_ARG            what passes an argument to the linker, "-Wl,"
#   SPACK_DTAGS_TO_ADD                          a flag of the linker, or empty
#   SPACK_KEEP_WERROR                           all, specific (-Werror=x) or none (the default)
#   SPACK_CCACHE_BINARY                         called with the compiler, when it only compiles
#   SPACK_WRAPPER_LOG                           a file to which each command is appended
#
# The caller's arguments keep their order. Flags of the spec come before them, directories after:
# so what the caller names is found first. Only the shell is used, no other program is started.

set -f # file names are never patterns here

name=${0##*/}
here=${0%/*}

fail() {
    echo "compiler-wrapper: $1" >&2
    exit 127
}

# The first program $1 on PATH that is not this wrapper, in $found.
search() {
    IFS=:
    for directory in $PATH; do
        if [ -x "$directory/$1" ] && [ ! "$directory/$1" -ef "$0" ]; then
            found=$directory/$1
            unset IFS
            return
        fi
    done
    fail "there is no program '$1' behind $here"
}

language= compiler= variable= mode= target= flags=
link_prefix=-Wl, rpath_prefix=-Wl,-rpath,
case $name in
    cc | gcc | clang | c89 | c99 | icx | nvc | craycc | armclang | amdclang | fcc | icc)
        language=c compiler=$SPACK_CC variable=SPACK_CC
        flags="$SPACK_CPPFLAGS $SPACK_CFLAGS" target=$SPACK_TARGET_ARGS_CC
        rpath_prefix=${SPACK_CC_RPATH_ARG-$rpath_prefix}
        link_prefix=${SPACK_CC_LINKER_ARG-$link_prefix}
        ;;
    c++ | CC | g++ | clang++ | icpx | nvc++ | crayCC | armclang++ | amdclang++ | FCC | icpc)
        language=cxx compiler=$SPACK_CXX variable=SPACK_CXX
        flags="$SPACK_CPPFLAGS $SPACK_CXXFLAGS" target=$SPACK_TARGET_ARGS_CXX
        rpath_prefix=${SPACK_CXX_RPATH_ARG-$rpath_prefix}
        link_prefix=${SPACK_CXX_LINKER_ARG-$link_prefix}
        ;;
    f77 | fc | f90 | f95 | ftn | gfortran | flang | ifx | ifort | nvfortran | crayftn | armflang \
        | amdflang | frt | nagfor)
        language=fortran compiler=${SPACK_FC:-$SPACK_F77} variable=SPACK_FC
        flags="$SPACK_CPPFLAGS $SPACK_FFLAGS" target=$SPACK_TARGET_ARGS_FORTRAN
        rpath_prefix=${SPACK_FC_RPATH_ARG-$rpath_prefix}
        link_prefix=${SPACK_FC_LINKER_ARG-$link_prefix}
        ;;
    cpp)
        mode=cpp flags=$SPACK_CPPFLAGS
        search cpp
        compiler=$found
        ;;
    ld | ld.*)
        mode=ld
        search "$name"
        compiler=$found
        ;;
    *)
        fail "it does not know what '$name' is"
        ;;
esac

if [ -z "$compiler" ]; then
    fail "the build calls '$name', but $variable is not set: \
the recipe needs depends_on(\"$language\", type=\"build\")"
fi

# What is to be done: cpp (preprocess), as (assemble), cc (compile), ccld (compile and link), ld,
# or only ask (the compiler tells something about itself).
relocatable=
inputs=
werror=
for argument; do
    case $argument in
        -E | -M | -MM) mode=cpp ;;
        -S) [ "$mode" = cpp ] || mode=as ;;
        -c | -fsyntax-only) [ "$mode" = cpp ] || mode=cc ;;
        -r | -Wl,-r | -Wl,--relocatable) relocatable=1 ;;
        -dumpversion | -dumpfullversion | -dumpmachine | -print-* | --print-* | --version | \
            --help | --help=* | -\#\#\#)
            [ "$#" -gt 2 ] || mode=ask
            ;;
        -Werror*) werror=1 ;;
        -*) ;;
        *) inputs=1 ;;
    esac
done
if [ -z "$mode" ]; then
    # "cc -v" and the like link nothing.
    if [ -n "$inputs" ] || [ "$#" -gt 2 ]; then mode=ccld; else mode=ask; fi
fi
if [ "$#" -eq 0 ] || [ "$mode" = ask ]; then
    exec "$compiler" "$@"
fi

# Newer compilers warn of more: that is no reason to fail for somebody who only builds.
if [ -n "$werror" ] && [ "$SPACK_KEEP_WERROR" != all ]; then
    count=$#
    while [ "$count" -gt 0 ]; do
        argument=$1 count=$((count - 1))
        shift
        case $SPACK_KEEP_WERROR:$argument in
            *:-Werror) ;;
            specific:*) set -- "$@" "$argument" ;;
            *:-Werror[=-]*) ;;
            *) set -- "$@" "$argument" ;;
        esac
    done
fi

# Flags of the spec and the target stand before the caller's.
link_flags=
case $mode in
    ccld) link_flags=$SPACK_LDFLAGS ;;
    ld) flags= ;;
esac
# The words of the flags are separated by blanks.
# shellcheck disable=SC2086
set -- "$compiler" $target $flags $link_flags "$@"

IFS=:
case $mode in
    cpp | cc | as | ccld)
        for directory in $SPACK_INCLUDE_DIRS; do
            # Fortran looks for modules below -I only; for the others a dependency's headers are
            # no place to warn of, and come after the caller's.
            if [ "$language" = fortran ]; then
                set -- "$@" "-I$directory"
            else
                set -- "$@" -isystem "$directory"
            fi
        done
        ;;
esac
case $mode in
    ccld | ld)
        for directory in $SPACK_LINK_DIRS; do
            set -- "$@" "-L$directory"
        done
        if [ -z "$relocatable" ]; then
            for directory in $SPACK_RPATH_DIRS $SPACK_COMPILER_EXTRA_RPATHS \
                $SPACK_COMPILER_IMPLICIT_RPATHS; do
                if [ "$mode" = ld ]; then
                    set -- "$@" -rpath "$directory"
                elif [ -n "$rpath_prefix" ]; then
                    set -- "$@" "$rpath_prefix$directory"
                fi
            done
            if [ -n "$SPACK_DTAGS_TO_ADD" ]; then
                if [ "$mode" = ld ]; then
                    set -- "$@" "$SPACK_DTAGS_TO_ADD"
                else
                    set -- "$@" "$link_prefix$SPACK_DTAGS_TO_ADD"
                fi
            fi
        fi
        ;;
esac
unset IFS
if [ "$mode" = ccld ]; then
    # shellcheck disable=SC2086
    set -- "$@" $SPACK_LDLIBS
fi

if [ -n "$SPACK_WRAPPER_LOG" ]; then
    echo "$*" >>"$SPACK_WRAPPER_LOG"
fi
if [ -n "$SPACK_CCACHE_BINARY" ] && [ "$mode" = cc ]; then
    exec "$SPACK_CCACHE_BINARY" "$@"
fi
exec "$@"
