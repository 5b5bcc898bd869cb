"""What recipes see: the package language and its run time.

Recipes import the public names from :mod:`spack.package`; nothing else of this folder is
promised to them. How one recipe becomes facts::

    class body --directives--> Definition --metaclass--> class.__declared__ --facts--> Recipe
"""
