"""What became of each thing of an archive here, kept so that an import goes on where it stopped."""

import hashlib
from collections.abc import Mapping
from typing import Any

from transfer.models import Moved, Transfer

_SOURCE_ID_MAX = 500


class Ids:
    """By kind and key of the archive: the id here. Loaded once; each act adds its own once it is committed."""

    def __init__(self, transfer: Transfer) -> None:
        self._transfer = transfer
        rows = Moved.objects.filter(project=transfer.project_id, origin=transfer.origin)
        told = rows.values_list("kind", "source_id", "target", "transfer_id", "digest")
        self._here: dict[tuple[str, str], str] = {}
        self._digests: dict[tuple[str, str], str] = {}
        self._mine: set[tuple[str, str]] = set()
        for kind, source_id, target, transfer_id, digest in told.iterator():
            self._here[kind, source_id] = target
            self._digests[kind, source_id] = digest
            if transfer_id == transfer.pk:
                self._mine.add((kind, source_id))

    def of(self, kind: str, key: str) -> str | None:
        """The id here; None for what is not here."""
        return self._here.get((kind, source_id(key)))

    def is_mine(self, kind: str, key: str) -> bool:
        """Whether this import brought it in, in whichever attempt."""
        return (kind, source_id(key)) in self._mine

    def digest_of(self, kind: str, key: str) -> str:
        """The digest of what was read when it was brought in."""
        return self._digests.get((kind, source_id(key)), "")

    def was_made(self, kind: str, key: str) -> bool:
        """Whether it was made by the import that wrote it down, and not found here."""
        return bool(self._digests.get((kind, source_id(key))))

    def keep(self, kind: str, key: str, target: str, *, digest: str = "") -> None:
        """Part of an act: write down what a thing became. digest: of its facts, where it was made."""
        Moved.objects.create(
            project_id=self._transfer.project_id,
            origin=self._transfer.origin,
            kind=kind,
            source_id=source_id(key),
            target=target,
            digest=digest,
            transfer=self._transfer,
        )

    def remember(self, kind: str, key: str, target: str, *, digest: str = "") -> None:
        """After the commit of `keep`."""
        named = kind, source_id(key)
        self._here[named], self._digests[named] = target, digest
        self._mine.add(named)

    def translated(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Facts of the archive with the ids that things have here."""
        told = dict(facts)
        if "status" in told and "id" in told:
            kind = "logged_models" if told["id"].startswith("m-") else "runs"
            told["id"] = self.of(kind, told["id"]) or told["id"]
        for name in ("models_in", "outputs"):
            if name in told:
                told[name] = sorted(self._linked(one) for one in told[name])
        if told.get("run"):
            told["run"] = self.of("runs", told["run"])
        if told.get("logged_model"):
            told["logged_model"] = self.of("logged_models", told["logged_model"])
        if "source" in told and "number" in told and "model" in told:
            told["source"] = self.source(told["source"])
        if "mlflow.parentRunId" in told.get("tags", {}):
            told["tags"] = told["tags"] | {"mlflow.parentRunId": self.parent(told["tags"]["mlflow.parentRunId"])}
        return told

    def _linked(self, link: Any) -> Any:
        if isinstance(link, str):
            return self.of("logged_models", link) or link
        return [self.of("logged_models", link[0]) or link[0], link[1]]

    def parent(self, uid: str) -> str:
        """The tag that names a parent, as it is here."""
        return self.of("runs", uid) or uid

    def source(self, source: str) -> str:
        """The source of a model version, as it is here."""
        scheme, _, rest = source.partition(":/")
        owner, slash, path = rest.partition("/")
        kind = {"runs": "runs", "models": "logged_models"}.get(scheme)
        here = self.of(kind, owner) if kind else None
        return f"{scheme}:/{here}{slash}{path}" if here else source


def source_id(key: str) -> str:
    """A key as the row keeps it: itself, or its digest where it is long."""
    return key if len(key) <= _SOURCE_ID_MAX else hashlib.sha256(key.encode()).hexdigest()
