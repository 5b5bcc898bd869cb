# For Nushell 0.101 or newer: "overlay use bin/activate.nu". It finds its own place, so the directory
# may be moved. "deactivate" hides the overlay, which gives back the environment as it was.

const here = path self

export-env {
    let _spack_root = ($here | path dirname | path dirname)
    let _spack_name = (@NAME@)
    @APPLY@
    if not ($env.VIRTUAL_ENV_DISABLE_PROMPT? | is-not-empty) {
        let old = $env.PROMPT_COMMAND?
        $env.PROMPT_COMMAND = {||
            let text = if ($old | describe) == "closure" { do $old } else { $old | default "" }
            $"\(($_spack_name)) ($text)"
        }
    }
}

export alias deactivate = overlay hide activate
