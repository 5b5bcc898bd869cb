"""Environments: a directory with a ``spack.yaml``, what was made of it, and activating it.

``spack.yaml`` says what is wanted (:mod:`~spack.environment.spack_yaml`), ``spack.lock`` what was
decided (:mod:`~spack.environment.lockfile`), and views show what is installed. A named environment
is in the directory of all environments; any other directory with a ``spack.yaml`` is one too,
and may be moved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spack.util.lazy_names import lazy_names

if TYPE_CHECKING:
    from spack.environment.develop_specs import DevelopSpec
    from spack.environment.environment import (
        Environment,
        create_environment,
        find_environment,
        remove_environment,
    )
    from spack.environment.lockfile import LockedRoot, Lockfile
    from spack.environment.named_environments import is_environment, list_environments
    from spack.environment.spack_yaml import EnvironmentManifest, UserSpec, ViewDescriptor

__all__ = [
    "DevelopSpec",
    "Environment",
    "EnvironmentManifest",
    "LockedRoot",
    "Lockfile",
    "UserSpec",
    "ViewDescriptor",
    "create_environment",
    "find_environment",
    "is_environment",
    "list_environments",
    "remove_environment",
]

__getattr__ = lazy_names(
    __name__,
    {
        "develop_specs": "DevelopSpec",
        "environment": "Environment create_environment find_environment remove_environment",
        "lockfile": "LockedRoot Lockfile",
        "spack_yaml": "EnvironmentManifest UserSpec ViewDescriptor",
        "named_environments": "is_environment list_environments",
    },
)
