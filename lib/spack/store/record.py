"""What is known of one installed node, apart from the node itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spack.errors import StoreError
from spack.util.frozen import field, frozen
from spack.util.json_input import parse_json

if TYPE_CHECKING:
    from spack.spec import ConcreteSpec

__all__ = ["InstallRecord"]

FORMAT = 1


@frozen
class InstallRecord:
    """One row of the database; everything that ``find`` shows without loading a DAG.

    :param hash: the node's DAG hash.
    :param platform: with ``os`` and ``target``: the node's architecture.
    :param prefix: where it is; of an external without a path, ``/``.
    :param explicit: the user asked for it (and ``gc`` keeps it).
    :param installed: False for nodes that are known only because something depends on them, such as
        build dependencies that were removed.
    :param installed_at: seconds since the epoch; 0 where not installed.
    :param transaction: unique name of the installation that made it.
    :param run_environment: what the recipe wants at run time, as
        ``EnvironmentModifications.to_json`` gives it, or None.
    :param facts: further plain data, such as ``{"dirty": true}``.
    :param upstream: the root of the upstream install tree that it is in; "" for the own one.
    """

    hash: str
    name: str
    namespace: str
    version: str
    platform: str
    os: str
    target: str
    prefix: str
    explicit: bool = False
    installed: bool = True
    external: bool = False
    installed_at: float = 0.0
    transaction: str = ""
    run_environment: Any = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    upstream: str = ""

    @property
    def short(self) -> str:
        """``name@version/hash7``, as messages name a node."""
        return f"{self.name}@{self.version}/{self.hash[:7]}"

    @property
    def architecture(self) -> str:
        return f"{self.platform}-{self.os}-{self.target}"

    @classmethod
    def of(  # noqa: PLR0913 - keywords of independent settings
        cls,
        spec: ConcreteSpec,
        prefix: Path,
        *,
        explicit: bool = False,
        installed: bool = True,
        installed_at: float = 0.0,
        transaction: str = "",
        run_environment: Any = None,
        facts: Mapping[str, Any] | None = None,
    ) -> InstallRecord:
        """Return the record of *spec* at *prefix*."""
        return cls(
            hash=spec.dag_hash(),
            name=spec.name,
            namespace=spec.namespace or "",
            version=str(spec.version),
            platform=spec.platform,
            os=spec.os,
            target=spec.target,
            prefix=str(prefix),
            explicit=explicit,
            installed=installed,
            external=spec.external is not None,
            installed_at=installed_at,
            transaction=transaction,
            run_environment=run_environment,
            facts=dict(facts or {}),
        )

    def to_json(self) -> str:
        """Return the text of ``.spack/install_record.json``: what ``spec.json`` leaves out."""
        data: dict[str, Any] = {
            "format": FORMAT,
            "hash": self.hash,
            "prefix": self.prefix,
            "explicit": self.explicit,
            "installed_at": self.installed_at,
            "transaction": self.transaction,
            "run_environment": self.run_environment,
            "facts": dict(self.facts),
        }
        return json.dumps(data, indent=1) + "\n"

    @classmethod
    def from_json(
        cls, text: str, spec: ConcreteSpec, prefix: Path, origin: str, *, earlier_hash: str = ""
    ) -> InstallRecord:
        """Read what :meth:`to_json` wrote, for *spec* at *prefix* (which may have moved).

        :param earlier_hash: what the hash of *spec* was where an earlier version wrote it.
        :raises StoreError: if it is damaged or belongs to another node.
        """
        try:
            data = parse_json(text)
            if data["format"] != FORMAT:
                raise ValueError(f"format {data['format']!r} is not known")
            if data["hash"] != (earlier_hash or spec.dag_hash()):
                raise ValueError(f"it is of {data['hash']}, the spec of {spec.dag_hash()}")
            return cls.of(
                spec,
                prefix,
                explicit=bool(data["explicit"]),
                installed_at=float(data["installed_at"]),
                transaction=str(data["transaction"]),
                run_environment=data["run_environment"],
                facts=data["facts"],
            )
        except (ValueError, KeyError, TypeError) as error:
            raise StoreError(
                f"{origin}: not an install record that can be read: {error}",
                facts={"path": origin},
                hint="remove the prefix, then install the package again",
                ref="store-record",
            ) from error
