"""Installing: plan (pure), execute (scheduler), prefix (transaction), check, uninstall, reindex.

The way of one node: :func:`make_plan` makes it a step, :func:`execute` fetches and builds it
through the protocols of :mod:`spack.install.interfaces`, :class:`PrefixTransaction` ensures that
it is installed completely or not at all, :func:`check_prefix` that its content is right.

Nothing is imported here: a plan that has nothing to build costs no scheduler.
"""
