"""The lines of an archive, typed. `claims`: what belongs to the place that a thing came from; it is no content."""

import hashlib
from collections.abc import Iterable
from typing import Annotated, Any

import msgspec
import orjson
from msgspec import Meta, Struct

from transfer.archive.layout import BY_IMPORT

Text = Annotated[str, Meta(max_length=20_000_000)]
Name = Annotated[str, Meta(max_length=2000)]
Uid = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
ModelId = Annotated[str, Meta(pattern=r"^m-[0-9a-f]{32}\Z")]
Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Int64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Tags = dict[Name, Text]
File = tuple[Annotated[str, Meta(max_length=1000)], Digest, Count]
Series = tuple[Name, Name, Count, Digest]


class Record(Struct, kw_only=True, forbid_unknown_fields=True):
    """One line. claims: JSON that says whose it was and when, there."""

    claims: dict[str, Any] = {}

    def facts(self) -> dict[str, Any]:
        """What it holds, without claims and without the tags that imports add."""
        told: dict[str, Any] = msgspec.to_builtins(self)
        told.pop("claims")
        if isinstance(told.get("tags"), dict):
            told["tags"] = {key: value for key, value in told["tags"].items() if not key.startswith(BY_IMPORT)}
        return told


class ExperimentRecord(Record):
    name: Name
    is_default: bool = False
    deleted: bool = False
    artifact_location: Name = ""
    tags: Tags = {}


class DatasetRecord(Record):
    name: Name
    description: Text = ""
    aliases: dict[Name, Count] = {}


class VersionRecord(Record):
    """files: None where they lie outside. recalled: why; None where it is in use."""

    dataset: Name
    number: Count
    digest: Annotated[str, Meta(max_length=64)]
    source_type: Name = ""
    source: Text = ""
    schema: Text = ""
    profile: Text = ""
    files: list[File] | None = None
    record: dict[Name, Text] = {}
    recalled: Text | None = None


class InputRecord(Struct, kw_only=True, forbid_unknown_fields=True):
    dataset: Name
    digest: Annotated[str, Meta(max_length=64)]
    context: Name = ""
    tags: dict[str, Text] = {}


class RunRecord(Record):
    """models_in: logged models that went in. outputs: those that came out, with the step."""

    id: Uid
    experiment: Name
    name: Name
    status: Name
    deleted: bool = False
    started_ms: Int64 | None = None
    ended_ms: Int64 | None = None
    claimed_user: Name = ""
    params: Tags = {}
    tags: Tags = {}
    inputs: list[InputRecord] = []
    models_in: list[ModelId] = []
    outputs: list[tuple[ModelId, Int64]] = []
    files: list[File] = []
    series: list[Series] = []


class LoggedModelRecord(Record):
    """metrics: how many points were logged for it, and a digest of them."""

    id: ModelId
    experiment: Name
    name: Name
    type: Name = ""
    run: Uid | None = None
    status: Name = "PENDING"
    params: Tags = {}
    tags: Tags = {}
    files: list[File] = []
    metrics: tuple[Count, Digest] | None = None


class RegisteredModelRecord(Record):
    name: Name
    description: Text = ""
    tags: Tags = {}
    aliases: dict[Name, Count] = {}


class ModelVersionRecord(Record):
    model: Name
    number: Count
    source: Text = ""
    run: Uid | None = None
    logged_model: ModelId | None = None
    run_link: Name = ""
    description: Text = ""
    stage: Name = "None"
    tags: Tags = {}
    card: dict[Name, Text] = {}


class CommentRecord(Record):
    id: Uid
    run: Uid
    text: Text


class ViewRecord(Record):
    """query: the pairs of its address; experiments by name."""

    name: Name
    query: list[tuple[Name, Text]] = []
    shared: bool = False
    default: bool = False


class DirectionRecord(Record):
    key: Name
    higher_is_better: bool


class PersonRecord(Struct, kw_only=True, forbid_unknown_fields=True):
    id: Uid
    name: Name
    is_service: bool = False


TYPES: dict[str, type[Record]] = {
    "experiments": ExperimentRecord,
    "datasets": DatasetRecord,
    "dataset_versions": VersionRecord,
    "runs": RunRecord,
    "logged_models": LoggedModelRecord,
    "registered_models": RegisteredModelRecord,
    "model_versions": ModelVersionRecord,
    "comments": CommentRecord,
    "views": ViewRecord,
    "directions": DirectionRecord,
}


def line_of(record: Struct) -> bytes:
    """A record as its line: keys sorted, UTF-8, no blanks."""
    return orjson.dumps(msgspec.to_builtins(record), option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


def fact_line(record: Record) -> bytes:
    """What the digest of the content is taken over."""
    return orjson.dumps(record.facts(), option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


def fact_digest(record: Record) -> str:
    """SHA-256 of one record's facts."""
    return hashlib.sha256(fact_line(record)).hexdigest()


def content_digest(kinds: dict[str, str]) -> str:
    """The digest of everything: over the digests of the kinds."""
    return hashlib.sha256(orjson.dumps(kinds, option=orjson.OPT_SORT_KEYS)).hexdigest()


def points_digest(lines: Iterable[bytes]) -> tuple[int, str]:
    """How many points a model has, and a digest over them as they stand in sorted lines."""
    count, digest = 0, hashlib.sha256()
    for line in sorted(lines):
        count += 1
        digest.update(line + b"\n")
    return count, digest.hexdigest()
