"""Typed helpers that several tests share; imported as ``kits``."""
