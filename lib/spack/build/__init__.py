"""One build in one process: the contract, the clean environment, both sides of the process.

==================  ===============================================================
job                 ``BuildJob`` and ``BuildResult``: plain JSON between the two sides
clean_environment   the environment that a build starts with, from an allow-list
worker_process      parent: start the worker, follow its events, kill its group
forkserver          parent: a process that has loaded the engine and forks workers
worker_events       both: what the worker says while it works
worker              child: do the job, write the result
worker_entry        child: the process itself, its signals and its end
worker_recipes      child: load the classes of the graph's recipes
node_build          child: prepare, run the phases, finish the prefix
setup               child: the environment and names that dependencies give
build_venv          child: the virtual environment that Python sees during the build
post_install        child: what is corrected in the prefix afterwards
failure_report      child: an error as data
log_excerpt         the lines of a log that say what went wrong
==================  ===============================================================
"""
