"""One build in one process: the contract, the clean environment, both sides of the process.

=============  ====================================================================
job            ``BuildJob`` and ``BuildResult``: plain JSON between the two sides
environment    the environment that a build starts with, from an allow-list
process        parent: start the worker, follow its events, kill its group
forkserver     parent: a process that has loaded the engine and forks workers
worker         child: load the recipe, prepare, run the phases, write the result
setup          child: the environment and names that dependencies give
venv           child: the virtual environment that Python sees during the build
post_install   child: what is corrected in the prefix afterwards
errors         the lines of a log that say what went wrong
=============  ====================================================================
"""
