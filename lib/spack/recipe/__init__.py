"""What a package says of itself: frozen records (:mod:`spack.recipe.records`) and its names.

Nothing here runs recipe code: :mod:`spack.api` makes the records, :mod:`spack.repo` keeps them.
"""

from __future__ import annotations

from spack.recipe.records import (
    ConflictRecord,
    DependencyRecord,
    ExtendsRecord,
    LicenseRecord,
    PatchRecord,
    ProvidesRecord,
    Recipe,
    RequirementRecord,
    ResourceRecord,
    VariantRecord,
    VersionRecord,
)

__all__ = [
    "ConflictRecord",
    "DependencyRecord",
    "ExtendsRecord",
    "LicenseRecord",
    "PatchRecord",
    "ProvidesRecord",
    "Recipe",
    "RequirementRecord",
    "ResourceRecord",
    "VariantRecord",
    "VersionRecord",
]
