"""The builds of a plan for the engines that carry them out: make, ninja, batch systems, CI.

The unit of work of all of them is ``spack -e ENV build /HASH``; see :mod:`spack.engines.formats`.
"""
