"""Configuration: scopes of YAML files, merged into typed settings that know their origin.

The way of a value: a file of a scope (:mod:`spack.config.scopes`) is read as a tree with lines
(:mod:`spack.util.yaml`), checked against the tables of :mod:`spack.config.keys`, merged with
the other scopes' (:mod:`spack.config.merge`) and read as a field of
:class:`spack.config.settings.Settings`. Nothing here reads the environment, the working
directory or the time: the composition root passes them in.
"""
