"""Views: many prefixes shown as one directory, which is a virtual environment if Python is in it.

The way of a view::

    sources + options -> ViewPlan => view        (plan is pure; apply does the I/O)

- :mod:`spack.view.plan`: which path of the view comes from which package, and how;
- :mod:`spack.view.relocate`: texts that name the store's Python, made independent of place;
- :mod:`spack.view.venv`: what makes a directory a virtual environment;
- :mod:`spack.view.manifest`: what a view records of itself, and comparing it with the disk;
- :mod:`spack.view.apply`: building aside and exchanging.

A new link type is a row of :data:`spack.view.plan.LINK_TYPES` and a maker in
:mod:`spack.view.apply`.
"""
