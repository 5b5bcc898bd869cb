"""Packages with an ``install`` of their own; both classes belong to the engine."""

from spack.package import GenericBuilder, Package

__all__ = ["GenericBuilder", "Package"]
