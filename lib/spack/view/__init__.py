"""Views: many prefixes shown as one directory, which is a virtual environment if Python is in it.

The way of a view::

    sources + options -> ViewPlan => view        (plan is pure; apply does the I/O)

- :mod:`spack.view.plan_types`: the records of this way;
- :mod:`spack.view.plan_view`: which path of the view comes from which package, and how;
- :mod:`spack.view.relocate`: texts that name the store's Python, made relocatable;
- :mod:`spack.view.venv_parts`: what makes a directory a virtual environment;
- :mod:`spack.view.view_manifest`: what a view records of itself;
- :mod:`spack.view.materialize`: writing the tree of a plan;
- :mod:`spack.view.apply`: updating a view, by building in staging and exchanging
  (:mod:`spack.view.swap`) or in place (:mod:`spack.view.incremental`);
- :mod:`spack.view.stat_cache`: why a view that was found right is not looked at again;
- :mod:`spack.view.hooks`: recipes that customize views;
- :mod:`spack.view.preserve`, :mod:`spack.view.user_distributions`: what the user put there;
- :mod:`spack.view.inspect`: asking a view; :mod:`spack.view.verify`: comparing with the disk;
- :mod:`spack.view.layer`: a venv on top of a view;
- :mod:`spack.view.activate`, :mod:`spack.view.search_paths`: what activating a view does.

A new link type is a row of :data:`spack.config.link_types.LINK_TYPES` and a maker in
:data:`spack.view.materialize.MAKERS`; what is not compared by size, time and content has a
comparison in :mod:`spack.view.verify`.
"""
