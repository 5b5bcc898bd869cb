# For Nushell 0.101 or newer: "overlay use bin/activate.nu". It finds its own place, so the directory
# may be moved. "deactivate" hides the overlay, which gives back the environment as it was.

const here = path self

# PATH is a list in Nushell and stays one; other variables are text.
def _spack_prepended [old: any, value: string, separator: string, tail: string] {
    if ($old | describe) =~ "^list" {
        [$value] | append $old
    } else if ($old | is-empty) {
        $value + $tail
    } else {
        $value + $separator + $old
    }
}

def _spack_appended [old: any, value: string, separator: string] {
    if ($old | describe) =~ "^list" {
        $old | append $value
    } else if ($old | is-empty) { $value } else { $old + $separator + $value }
}

export-env {
    # Over another activation: first back to what was before it.
    if "_SPACK_OLD" in $env {
        let _spack_old = $env._SPACK_OLD
        hide-env --ignore-errors ...$_spack_old.unset
        load-env $_spack_old.set
    }
    let _spack_names = [
        PROMPT_COMMAND
        @SAVE@
    ]
    $env._SPACK_OLD = {
        set: ($env | select ...($_spack_names | where $it in $env))
        unset: ($_spack_names | where $it not-in $env)
    }
    @LOCATE@
    @APPLY@
    if ($env.VIRTUAL_ENV_DISABLE_PROMPT? | is-empty) {
        let _spack_prompt = $env.PROMPT_COMMAND?
        $env.PROMPT_COMMAND = {||
            let text = if ($_spack_prompt | describe) == "closure" {
                do $_spack_prompt
            } else {
                $_spack_prompt | default ""
            }
            $"\(($_spack_name)) ($text)"
        }
    }
}

export alias deactivate = overlay hide activate
