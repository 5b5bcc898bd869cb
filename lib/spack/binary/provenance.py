"""Provenance of a binary: from what, by what and in what it was built.

An in-toto statement (version 1) with a predicate of SLSA (``https://slsa.dev/provenance/v1``). It
is a blob beside the archive: the signature of the manifest covers its digest, too. What it says is
what the install record has of the build, so that a second push gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from spack.binary.cache_manifest import refused
from spack.spec import ConcreteSpec
from spack.store import InstallRecord
from spack.util.json_input import parse_json

__all__ = ["BUILT", "PREDICATE_TYPE", "PROVENANCE", "provenance_text", "read_provenance"]

#: The media type of the blob.
PROVENANCE = "application/vnd.in-toto+json"

PREDICATE_TYPE = "https://slsa.dev/provenance/v1"
_STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
_BUILD_TYPE = "urn:spack-venv:build:v1"

#: The key of a record's facts that holds what is known of the build.
BUILT = "built"


def provenance_text(spec: ConcreteSpec, record: InstallRecord, digest: str) -> bytes:
    """Return the statement about the archive with *digest*; the same for the same install."""
    facts = record.facts.get(BUILT)
    built: Mapping[str, Any] = facts if isinstance(facts, Mapping) else {}
    statement = {
        "_type": _STATEMENT_TYPE,
        "subject": [{"name": f"{spec.name}-{spec.dag_hash()}", "digest": {"sha256": digest}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "buildDefinition": {
                "buildType": _BUILD_TYPE,
                "externalParameters": {"spec": str(spec), "hash": spec.dag_hash()},
                "internalParameters": {
                    "protected": list(built.get("protected", ())),
                    "unprotected": list(built.get("unprotected", ())),
                    "dirty": bool(record.facts.get("dirty")),
                },
                "resolvedDependencies": _materials(spec, built),
            },
            "runDetails": {
                "builder": {
                    "id": f"urn:spack-venv:host:{built.get('host', 'unknown')}",
                    "version": {"spack-venv": str(built.get("tool", "unknown"))},
                },
                "metadata": {"invocationId": record.transaction, **_times(built)},
            },
        },
    }
    return json.dumps(statement, sort_keys=True, separators=(",", ":")).encode()


def _materials(spec: ConcreteSpec, built: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what the build was made from: recipe, sources, patches, dependencies."""
    rows: list[dict[str, Any]] = []
    if spec.package_hash:
        rows.append({"name": f"recipe {spec.fullname}", "digest": {"recipe": spec.package_hash}})
    for kind in ("source", "patch"):
        rows += [
            {"name": f"{kind} {row['name']}", "digest": {"sha256": row["sha256"]}}
            for row in built.get(kind, ())
        ]
    for edge in spec.edges:
        rows.append({"name": edge.spec.short, "digest": {"dag": edge.spec.dag_hash()}})
    return rows


def _times(built: Mapping[str, Any]) -> dict[str, str]:
    if "finished" not in built:
        return {}
    moment = datetime.fromtimestamp(int(built["finished"]), timezone.utc)
    return {"finishedOn": moment.strftime("%Y-%m-%dT%H:%M:%SZ")}


def read_provenance(content: bytes, digest: str, origin: str) -> Mapping[str, Any]:
    """Return a statement about the archive with *digest*.

    :raises BinaryCacheError: it is damaged, or about something else.
    """
    try:
        data: Any = parse_json(content)
        subjects = [row["digest"]["sha256"] for row in data["subject"]]
        if data["predicateType"] != PREDICATE_TYPE:
            raise ValueError(f"its type is {data['predicateType']!r}")
        _check_predicate(data["predicate"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise refused(origin, f"its provenance cannot be read: {error}") from error
    if subjects != [digest]:
        raise refused(origin, "its provenance is of another archive")
    found: Mapping[str, Any] = data
    return found


def _check_predicate(predicate: Any) -> None:
    """Check the parts that are shown.

    :raises ValueError: one has another form; so are KeyError, TypeError and AttributeError.
    """
    definition, details = predicate["buildDefinition"], predicate["runDetails"]
    texts = [details["builder"]["id"], details.get("metadata", {}).get("finishedOn", "")]
    for row in definition.get("resolvedDependencies", ()):
        texts += [row["name"], *row.get("digest", {}).values()]
    held = definition.get("internalParameters", {})
    for key in ("protected", "unprotected"):
        texts += held.get(key, ())
    if not all(isinstance(text, str) and text.isprintable() for text in texts):
        raise ValueError("a part of it is not a text that can be shown")
