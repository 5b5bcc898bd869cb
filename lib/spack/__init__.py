"""The vendored package API and the engine behind it; see CONTRIBUTING.md for the layers."""

__version__ = "0.1.0"

#: Version of the public package API that ``spack.package`` offers to recipes.
package_api_version = (2, 4)

#: The release of Spack whose specs and configuration are understood: conditions may ask it.
spack_version = "1.2.0"
