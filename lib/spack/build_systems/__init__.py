"""Build systems: what recipes inherit from (``spack_repo.builtin.build_systems``).

Each module holds a package class, which declares the variant ``build_system`` and what every
package of its kind depends on, and a builder class with the phases. They use the public recipe
API (:mod:`spack.package`) only, as a repository's own build systems would.
"""
