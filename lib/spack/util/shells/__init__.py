"""What is written in each shell: a module each, whose row is in :data:`spack.util.shell.SHELLS`."""
