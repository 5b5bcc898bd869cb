"""The text of ``spack help --spec``."""

from __future__ import annotations

__all__ = ["SPEC_SYNTAX"]

SPEC_SYNTAX = """\
A spec names a package and says what you want of it; what it does not say is decided for you.

  py-black                     any version
  py-black@25.1.0              this version, or one that begins with it (25.1.0.1)
  py-black@=25.1.0             exactly this version
  py-black@24:25               a range, both ends included; @24: and @:25 are open
  py-black@24.1,25:            several
  py-black@git.main            a branch, tag or commit of the package's repository

  py-black+d                   with the variant d
  py-black~d  or  -d           without it
  fruit colour=red             a variant with a value
  hdf5+mpi ++shared            ++, ~~ and == hold for its dependencies too

  py-black ^python@3.11        with this dependency, wherever it is below
  py-black %gcc@12             with this direct dependency, such as a compiler
  hdf5 ^[virtuals=mpi] mpich   with a provider of a virtual package
  hdf5 %c,cxx=gcc              with compilers for languages

  zlib cflags="-O3 -g"         compiler flags
  zlib target=x86_64_v3        target, os=, platform=, or arch=platform-os-target
  builtin.zlib                 of one repository of recipes
  /abcdef                      by the beginning of its hash, as `spack find -l` shows it

`spack spec SPEC` shows what a spec becomes.
"""
