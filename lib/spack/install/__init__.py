"""Installing: plan (pure), execute (scheduler), prefix (transaction), check, uninstall, reindex.

The way of one node: :func:`make_plan` makes it a step, :func:`execute` fetches and builds it
through the protocols of :mod:`spack.install.interfaces`, :class:`PrefixTransaction` sees to it that
it is installed whole or not at all, :func:`check_prefix` that what is there is right.

Nothing is imported here: a plan that has nothing to build costs no scheduler.
"""
