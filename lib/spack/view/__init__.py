"""Views: many prefixes shown as one directory, which is a virtual environment if Python is in it.

The way of a view::

    sources + options -> ViewPlan => view        (plan is pure; apply does the I/O)

- :mod:`spack.view.records`: the records of this way;
- :mod:`spack.view.plan`: which path of the view comes from which package, and how;
- :mod:`spack.view.relocate`: texts that name the store's Python, made independent of place;
- :mod:`spack.view.venv`: what makes a directory a virtual environment;
- :mod:`spack.view.manifest`: what a view records of itself;
- :mod:`spack.view.materialize`: writing the tree of a plan;
- :mod:`spack.view.apply`: bringing a view up to date, by building aside and exchanging
  (:mod:`spack.view.exchange`) or in place (:mod:`spack.view.increment`);
- :mod:`spack.view.stamps`: why a view that was found right is not looked at again;
- :mod:`spack.view.hooks`: recipes with their own word on views;
- :mod:`spack.view.carry`, :mod:`spack.view.foreign`: what a person put there;
- :mod:`spack.view.inspect`: asking a view; :mod:`spack.view.examination`: comparing with the disk;
- :mod:`spack.view.layer`: a venv on top of a view;
- :mod:`spack.view.activate`, :mod:`spack.view.search_paths`: what activating a view does.

A new link type is a row of :data:`spack.view.records.LINK_TYPES` and a maker in
:mod:`spack.view.materialize`.
"""
