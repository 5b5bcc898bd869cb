"""Nushell, which evaluates no text and reads a file instead."""

from __future__ import annotations

from spack.util.shells.shell_text import ActivationText, Dialect, Shell

__all__ = ["SHELL"]


def _quote_nu(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


SHELL = Shell(
    name="nu",
    evaluates=False,
    dialect=Dialect(quote=_quote_nu, set="", unset=""),
    activation=ActivationText(
        template="activate.nu",
        root="$_spack_root",
        name="$_spack_name",
        actions={
            "set": "$env.{n} = ({v})",
            "unset": "hide-env --ignore-errors {n}",
            "prepend": "$env.{n} = (_spack_prepended $env.{n}? {v} '{s}' '')",
            "prepend_tail": "$env.{n} = (_spack_prepended $env.{n}? {v} '{s}' '{s}{t}')",
            "append": "$env.{n} = (_spack_appended $env.{n}? {v} '{s}')",
        },
        basename="$_spack_root | path basename",
        joint=" ++ ",
        save="{n}",
        restore="",
        locate="let _spack_root = ($here | path dirname | path dirname)",
        locate_fixed="let _spack_root = {v}",
        locate_name="let _spack_name = ({v})",
    ),
    prompt=("", ""),
    deactivate=lambda statements, active: statements,
)
