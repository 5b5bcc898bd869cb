"""Tools without a word of the domain: files, processes, YAML, locks, hashes."""
