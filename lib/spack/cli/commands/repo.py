"""``spack repo``: repositories of recipes."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Optional

from spack.cli.render import message
from spack.config.scopes import user_config_path
from spack.errors import UsageError
from spack.repo import Repository
from spack.session import Session
from spack.util import yaml

DESCRIPTION = """add, list and remove repositories of recipes

The first repository that has a package answers for it; what is added comes first.

examples:
  spack repo list
  spack repo add ~/my-recipes
  spack repo remove my_recipes
  spack repo create ./my-recipes my_recipes
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", metavar="list|add|remove|create")
    verbs.add_parser("list", aliases=["ls"], help="list repositories, the first one wins")
    add = verbs.add_parser("add", help="register a repository")
    add.add_argument("path", help="its directory")
    remove = verbs.add_parser("remove", aliases=["rm"], help="forget a repository")
    remove.add_argument("name", help="its namespace or directory")
    create = verbs.add_parser("create", help="make an empty repository")
    create.add_argument("path", help="a new directory")
    create.add_argument("namespace", nargs="?", help="by default the directory's name")


def run(session: Session, args: argparse.Namespace) -> Optional[int]:
    verb = {"ls": "list", "rm": "remove"}.get(args.verb, args.verb)
    if verb == "list":
        for repository in session.recipes.repositories:
            api = ".".join(map(str, repository.api))
            print(f"{repository.namespace:<16} v{api}  {repository.root}")
    elif verb == "add":
        _add(session, Path(os.path.abspath(session.cwd / args.path)))
    elif verb == "remove":
        _remove(session, args.name)
    elif verb == "create":
        _create(Path(os.path.abspath(session.cwd / args.path)), args.namespace)
    else:
        raise UsageError("spack repo: what to do?", hint="see `spack repo --help`")
    return None


def _document(session: Session) -> yaml.Document:
    folder = Path(user_config_path(session.environ, session.home))
    folder.mkdir(parents=True, exist_ok=True)
    return yaml.round_trip(folder / "repos.yaml")


def _add(session: Session, path: Path) -> None:
    repository = Repository.open(path)
    document = _document(session)
    if document.data.get("repos") is None:
        document.data["repos"] = type(document.data)()
    repos = document.data["repos"]
    if isinstance(repos, list):
        if str(path) not in repos:
            repos.insert(0, str(path))
    else:
        repos.insert(0, repository.namespace, str(path))
    document.save()
    message(f"added the repository {repository.namespace} in {repository.root}")


def _remove(session: Session, name: str) -> None:
    document = _document(session)
    repos = document.data.get("repos") or {}
    path = os.path.abspath(session.cwd / name)
    if isinstance(repos, list):
        found = [item for item in repos if item in (name, path)]
        for item in found:
            repos.remove(item)
    else:
        found = [key for key, value in repos.items() if key == name or value == path]
        for key in found:
            del repos[key]
    if not found:
        raise UsageError(
            f"{document.path} registers no repository {name}",
            hint="`spack repo list` shows all; those of other scopes are removed in their files",
            ref="repo-unknown",
        )
    document.save()
    message(f"removed the repository {name}; its files stay")


def _create(path: Path, namespace: Optional[str]) -> None:
    name = namespace or path.name.replace("-", "_")
    if (path / "repo.yaml").exists():
        raise UsageError(f"{path} is a repository already", ref="repo-exists")
    (path / "packages").mkdir(parents=True, exist_ok=True)
    (path / "repo.yaml").write_text(f"repo:\n  namespace: {name}\n  api: v2.2\n", encoding="utf-8")
    message(f"created the repository {name}; register it with `spack repo add {path}`")
