# To be dot-sourced by PowerShell: ". bin/Activate.ps1". It finds its own place, so the directory
# may be moved; "deactivate" gives back the environment as it was.

if (Test-Path -LiteralPath Function:deactivate) { deactivate -NonDestructive }

@LOCATE@

function global:deactivate ([switch]$NonDestructive) {
    @RESTORE@
    if (Test-Path -LiteralPath Function:_SpackOldPrompt) {
        Copy-Item -LiteralPath Function:_SpackOldPrompt -Destination Function:prompt
        Remove-Item -LiteralPath Function:_SpackOldPrompt
    }
    Remove-Variable -Name _SpackOld, _SpackPrompt -Scope Global -ErrorAction SilentlyContinue
    if (-not $NonDestructive) { Remove-Item -LiteralPath Function:deactivate }
}

$global:_SpackOld = @{}
@SAVE@
@APPLY@

if (-not $Env:VIRTUAL_ENV_DISABLE_PROMPT) {
    $global:_SpackPrompt = $_spack_name
    function global:_SpackOldPrompt { "" }
    Copy-Item -LiteralPath Function:prompt -Destination Function:_SpackOldPrompt
    function global:prompt { "($global:_SpackPrompt) " + (_SpackOldPrompt) }
}
Remove-Variable -Name _spack_root, _spack_name -ErrorAction SilentlyContinue
