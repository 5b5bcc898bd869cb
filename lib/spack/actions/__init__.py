"""Use cases: each takes the narrow pieces it needs, returns a result, and never prints."""
