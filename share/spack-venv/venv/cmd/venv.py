"""``spack venv`` in Spack: relocatable virtual environments of what Spack has installed.

A command extension of Spack: name this directory's parent in its configuration::

    config:
      extensions: [<this tree>/share/spack-venv]

It runs this tool on Spack's active environment, with Spack's install trees as upstreams; nothing
is written into these, and the environment stays as it is.
"""

import os
import subprocess
import sys

description = "make relocatable virtual environments of the active environment"
section = "environments"
level = "short"

#: This tool: the tree that the extension is in.
PROGRAM = os.path.join(os.path.abspath(os.path.join(__file__, *[os.pardir] * 5)), "bin", "spack")

#: Variables of Spack's process that are about Spack itself.
OF_SPACK = ("SPACK_ENV", "SPACK_ENV_VIEW", "SPACK_PYTHON", "SPACK_ROOT", "PYTHONPATH", "PYTHONHOME")


def setup_parser(subparser):
    """Add the subcommands."""
    verbs = subparser.add_subparsers(dest="venv_verb", metavar="create|status|pack", required=True)
    create = verbs.add_parser("create", help="make a virtual environment, or update it")
    create.add_argument("--link-type", metavar="TYPE", help="symlink, hardlink or copy")
    create.add_argument("directory", metavar="DIR")
    status = verbs.add_parser("status", help="what a virtual environment shows, and how it is")
    status.add_argument("directory", metavar="DIR")
    pack = verbs.add_parser("pack", help="make an archive of it, for another machine")
    pack.add_argument("archive", metavar="FILE", help="ends in .tar.gz, .tar.xz or .tar")


def venv(parser, args):
    """Run this tool for the active environment."""
    import spack.environment
    import spack.repo
    import spack.store

    environment = spack.environment.active_environment()
    if environment is None and args.venv_verb != "status":
        raise SystemExit("==> Error: spack venv: no environment is active: spack -e ENV venv ...")
    databases = [spack.store.STORE.db, *spack.store.STORE.db.upstream_dbs]
    command = command_line(
        None if environment is None else environment.path,
        [str(database.root) for database in databases],
        [(repo.namespace, repo.root) for repo in spack.repo.PATH.repos],
        arguments_of(args),
    )
    sys.stdout.flush()
    variables = {key: value for key, value in os.environ.items() if key not in OF_SPACK}
    return subprocess.run(command, env=variables, check=False).returncode


def arguments_of(args):
    """Return the arguments of this tool for the parsed ones of ``spack venv``."""
    if args.venv_verb == "pack":
        return ["env", "pack", args.archive]
    if args.venv_verb == "status":
        return ["view", "status", args.directory]
    link_type = ["--link-type", args.link_type] if args.link_type else []
    return ["view", "make", *link_type, args.directory]


def command_line(environment, install_trees, repositories, arguments):
    """Return the command that runs this tool.

    :param environment: the directory of the environment, or None.
    :param install_trees: roots, in order of precedence.
    :param repositories: pairs of namespace and root; so that recipes can say how they are shown.
    """
    settings = ["config:install_tree:root:$data/opt/spack"]
    settings += [f"upstreams:spack{i}:install_tree:{x}" for i, x in enumerate(install_trees)]
    settings += [f"repos:{namespace}:{root}" for namespace, root in repositories]
    words = [PROGRAM]
    for setting in settings:
        words += ["-c", setting]
    if environment is not None:
        words += ["-e", environment]
    return [*words, *arguments]
