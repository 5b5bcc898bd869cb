# To be sourced by fish: "source bin/activate.fish". It finds its own place, so the directory may
# be moved; "deactivate" gives back the environment as it was.

if functions -q deactivate
    deactivate nondestructive
end

@LOCATE@

function deactivate -d "Give back the environment as it was before the activation"
    @RESTORE@
    if functions -q _spack_old_fish_prompt
        functions -e fish_prompt
        functions -c _spack_old_fish_prompt fish_prompt
        functions -e _spack_old_fish_prompt
    end
    set -e _SPACK_PROMPT
    if test "$argv[1]" != nondestructive
        functions -e deactivate
    end
end

@SAVE@
@APPLY@

if test -z "$VIRTUAL_ENV_DISABLE_PROMPT"; and functions -q fish_prompt
    set -g _SPACK_PROMPT $_spack_name
    functions -c fish_prompt _spack_old_fish_prompt
    function fish_prompt
        # The old prompt may show the status of the last command.
        set -l last $status
        printf '(%s) ' "$_SPACK_PROMPT"
        sh -c "exit $last"
        _spack_old_fish_prompt
    end
end
set -e _spack_root _spack_name
