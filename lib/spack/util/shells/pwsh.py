"""PowerShell."""

from __future__ import annotations

from spack.util.shells.shell_text import ActivationText, Dialect, Shell, guarded

__all__ = ["SHELL"]


def _quote_pwsh(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


SHELL = Shell(
    name="pwsh",
    synonyms=("powershell", "ps1"),
    dialect=Dialect(
        quote=_quote_pwsh,
        set="$Env:{name} = {value};\n",
        unset="Remove-Item -ErrorAction SilentlyContinue -LiteralPath Env:{name};\n",
        plain_words=False,
    ),
    activation=ActivationText(
        template="Activate.ps1",
        root="$_spack_root",
        name="$_spack_name",
        actions={
            "set": "$Env:{n} = {v}",
            "unset": "Remove-Item -LiteralPath Env:{n} -ErrorAction SilentlyContinue",
            "prepend": "$Env:{n} = if ($Env:{n}) {{ {v} + '{s}' + $Env:{n} }} else {{ {v} }}",
            "prepend_tail": "$Env:{n} = {v} + '{s}' + "
            "$(if ($Env:{n}) {{ $Env:{n} }} else {{ '{t}' }})",
            "append": "$Env:{n} = if ($Env:{n}) {{ $Env:{n} + '{s}' + {v} }} else {{ {v} }}",
        },
        basename="(Split-Path -Leaf $_spack_root)",
        joint=" + ",
        save="$global:_SpackOld['{n}'] = [Environment]::GetEnvironmentVariable('{n}')",
        # A null given to SetEnvironmentVariable becomes "", which does not unset since .NET 9.
        restore="if ($null -eq $global:_SpackOld['{n}']) {{ "
        "Remove-Item -LiteralPath Env:{n} -ErrorAction SilentlyContinue }} else {{ "
        "[Environment]::SetEnvironmentVariable('{n}', $global:_SpackOld['{n}']) }}",
        locate="$_spack_root = Split-Path -Parent $PSScriptRoot",
        locate_fixed="$_spack_root = {v}",
        locate_name="$_spack_name = {v}",
    ),
    prompt=(
        "$_spack_prompt = $Env:VIRTUAL_ENV_DISABLE_PROMPT; $Env:VIRTUAL_ENV_DISABLE_PROMPT = '{}'",
        "$Env:VIRTUAL_ENV_DISABLE_PROMPT = $_spack_prompt",
    ),
    deactivate=guarded(
        "if (Test-Path -LiteralPath Function:deactivate) { deactivate } else {", "", "}"
    ),
)
