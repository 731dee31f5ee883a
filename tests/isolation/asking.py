"""Every way of asking for something: each page, REST view and MLflow call, with the ids of one project in it.

A route that is new, or takes an argument that nobody here knows, makes the tests that use this fail.
"""

from __future__ import annotations

import dataclasses
import json
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.views import APIView

from accounts.models import Group, Membership, Notice, Signature
from artifacts.pages.version import PARTS
from audit.compliance.actions.bundles import seal_bundle
from audit.compliance.models import AccessReview, Finding, LegalHold, Purge, Report, ReportFile, Review
from audit.ledger.models import AuditEvent
from boards.models import ReaderPass
from experiments.models import SheetImport
from experiments.pages.frame import TABS
from experiments.queries.experiments import wire_id
from kernel.actor import operator
from kernel.digests import canonical_json
from mlflow_api.messages.registry_requests import OfModel
from mlflow_api.routes import ROUTES, Needs, Route
from registry.models import Delivery, PromotionRequest, Webhook
from registry.pages.frame import TABS as VERSION_TABS
from runner.models import Admission, Environment, Job, Recipe, Sweep, Template, Worker
from tests.factories import Everything, a_token, unique
from tests.isolation.verbs import verbs_of
from transfer.models import Transfer, TransferFile

WORD = "zanzibar"
"""Stands in every name, key and value of the project that is asked about: where it shows, something leaked."""


@dataclasses.dataclass(frozen=True)
class Ids:
    """What an outsider might have heard of: ids, names and paths."""

    slug: str
    experiment: str
    experiment_name: str
    run: str
    readable: str
    model: str
    member: str
    person: str
    token: str
    file: str
    upload: str
    registered: str
    dataset: str
    notice: str
    view: str
    comment: str
    review: str
    finding: str
    promotion: str
    webhook: str
    webhook_url: str
    delivery: str
    signature: str
    report: str
    report_file: str
    transfer: str
    transfer_file: str
    sign_off: str
    seal: str
    hold: str
    purge: str
    sheet: str
    group: str
    event: str
    job: str
    sweep: str
    recipe: str
    environment: str
    worker: str
    admission: str
    template: str
    claim: str

    def __iter__(self) -> Iterator[str]:
        """The longest first, so that one can be taken out of a text without breaking another."""
        return iter(sorted(dataclasses.astuple(self), key=len, reverse=True))


def ids_of(thing: Everything) -> Ids:
    """The real ids of a project's things."""
    member = Membership.objects.filter(project=thing.project).order_by("pk").first()
    assert member is not None
    assert member.user is not None
    return Ids(
        slug=thing.project.slug,
        experiment=wire_id(thing.experiment),
        experiment_name=thing.experiment.name,
        run=thing.run.uid.hex,
        readable=thing.run.readable_id,
        model=thing.model.model_id,
        member=str(member.pk),
        person=str(member.user_id),
        token=str(a_token(member.user)[0].pk),
        file=thing.file.path,
        upload=str(thing.upload.pk),
        registered=thing.version.model.name,
        dataset=str(thing.dataset.pk),
        view=str(thing.view.pk),
        comment=str(thing.comment.pk),
        review=_first_id(Review, run__project=thing.project),
        finding=_first_id(Finding, run__project=thing.project),
        notice=str(Notice.objects.create(user=member.user, project=thing.project, kind="told", text=WORD).pk),
        promotion=_first_id(PromotionRequest, model__project=thing.project),
        webhook=_first_id(Webhook, project=thing.project),
        webhook_url=_webhook_url(thing),
        delivery=_first_id(Delivery, webhook__project=thing.project),
        signature=_first_id(Signature, project=thing.project),
        report=_first_id(Report, project=thing.project),
        report_file=_report_file(thing),
        transfer=_first_id(Transfer, project=thing.project),
        transfer_file=TransferFile.objects.filter(transfer__project=thing.project).values_list("name", flat=True)[0],
        sign_off=_first_id(AccessReview, project=thing.project),
        seal=_seal(thing),
        hold=_first_id(LegalHold, project=thing.project),
        purge=_first_id(Purge, project=thing.project),
        sheet=_first_id(SheetImport, project=thing.project),
        group=_first_id(Group),
        event=_first_id(AuditEvent, project_id=thing.project.pk),
        job=_first_id(Job, project=thing.project),
        sweep=_first_id(Sweep, project=thing.project),
        recipe=_first_id(Recipe, project=thing.project),
        environment=_first_id(Environment, project=thing.project),
        worker=_first_id(Worker, jobs__project=thing.project),
        admission=_first_id(Admission),
        template=_first_id(Template, project=thing.project),
        claim=_first_id(ReaderPass, board__project=thing.project),
    )


def _seal(thing: Everything) -> str:
    """The event that sealed a bundle of the project's log."""
    manifest = canonical_json({"size": 1, "events": 0})
    return str(seal_bundle(operator(), thing.project, manifest=manifest, question=f'{{"q": "{WORD}"}}'))


def _first_id(table: Any, **which: Any) -> str:
    """The id of the project's first row in a table; a made-up one where it has none."""
    first = table.objects.filter(**which).order_by("pk").values_list("pk", flat=True).first()
    return str(first or uuid.uuid4())


def _report_file(thing: Everything) -> str:
    """The name of a file of the project's report."""
    name = ReportFile.objects.filter(report__project=thing.project).values_list("name", flat=True).first()
    return str(name or f"{WORD}.csv")


def _webhook_url(thing: Everything) -> str:
    """Where the project's webhook leads: whoever keeps webhooks sees that much."""
    return str(Webhook.objects.filter(project=thing.project).values_list("url", flat=True).first() or "-")


def made_up() -> Ids:
    """Ids of the same shapes that name nothing."""
    return Ids(
        slug=unique("nothing"),
        experiment="987654321",
        experiment_name="no such experiment",
        run=uuid.uuid4().hex,
        readable="QXZ-1",
        model=f"m-{uuid.uuid4().hex}",
        member="987654321",
        person=str(uuid.uuid4()),
        token=str(uuid.uuid4()),
        file="nothing/nothing.txt",
        upload=str(uuid.uuid4()),
        dataset=str(uuid.uuid4()),
        notice="987654321",
        view="987654321",
        comment=str(uuid.uuid4()),
        review=str(uuid.uuid4()),
        finding=str(uuid.uuid4()),
        registered="no-such-model",
        promotion=str(uuid.uuid4()),
        webhook=str(uuid.uuid4()),
        webhook_url="https://nothing.example.org/nothing",
        delivery=str(uuid.uuid4()),
        signature=str(uuid.uuid4()),
        report=str(uuid.uuid4()),
        report_file="no-such.csv",
        transfer=str(uuid.uuid4()),
        transfer_file="no-such.zip",
        sign_off=str(uuid.uuid4()),
        seal=str(uuid.uuid4()),
        hold=str(uuid.uuid4()),
        purge=str(uuid.uuid4()),
        sheet=str(uuid.uuid4()),
        group=str(uuid.uuid4()),
        event=str(uuid.uuid4()),
        job=str(uuid.uuid4()),
        sweep=str(uuid.uuid4()),
        recipe=str(uuid.uuid4()),
        environment=str(uuid.uuid4()),
        worker=str(uuid.uuid4()),
        admission=str(uuid.uuid4()),
        template=str(uuid.uuid4()),
        claim=str(uuid.uuid4()),
    )


@dataclasses.dataclass(frozen=True)
class Asked:
    """One request. names_something: an id of the project stands in it (else it asks about one's own)."""

    door: str
    method: str
    path: str
    body: bytes = b""
    kind: str = "application/json"
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    what: str = ""
    needs: str = ""

    def __str__(self) -> str:
        return f"{self.door}: {self.method} {self.what or self.path}"

    def by(self, client: Client, token: str = "") -> Answer:
        """What a client gets, with a token if given."""
        headers = {**self.headers, **({"Authorization": f"Bearer {token}"} if token else {})}
        return Answer(client.generic(self.method, self.path, self.body, self.kind, headers=headers))


class Answer:
    """A whole answer, streamed or not."""

    def __init__(self, response: HttpResponseBase) -> None:
        self.status = response.status_code
        self.headers = response.headers
        streaming = getattr(response, "streaming", False)
        content = b"".join(response) if streaming else response.content  # type: ignore[attr-defined, call-overload]
        self.text = content.decode(errors="replace")

    def without(self, *texts: str) -> str:
        """The text with these taken out, and with what differs from one request to the next."""
        text = self.text.replace(self.headers.get("X-Request-ID", "-"), "")
        text = re.sub(r'value="[A-Za-z0-9]{64}"', "", text)  # the CSRF token of a form
        text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "", text)  # when it was asked
        for one in texts:
            shapes = (one, quote(one), quote(one, safe=""), json.dumps(one)[1:-1])
            if one.isdigit():  # a short number stands for other things as well
                shapes = (f"'{one}'", f'"{one}"', f"/{one}/")
            for shape in shapes:
                text = text.replace(shape, "…")
        return text


# --- Pages and REST


def patterns(resolver: Any = None, before: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every URL pattern with its whole route."""
    for one in (resolver or get_resolver()).url_patterns:
        if isinstance(one, URLResolver):
            yield from patterns(one, before + str(one.pattern))
        else:
            yield before + str(one.pattern), one


def values_for(ids: Ids) -> dict[str, Sequence[str]]:
    """What to put for each argument of a URL."""
    return {
        "slug": [ids.slug],
        "experiment": [ids.experiment],
        "run": [ids.run, ids.readable],
        "model": [ids.model],
        "member": [ids.member],
        "person": [ids.person],
        "token": [ids.token],
        "path": [quote(ids.file)],
        "upload": [ids.upload],
        "dataset": [ids.dataset],
        "notice": [ids.notice],
        "part": list(PARTS),
        "name": [quote(ids.registered)],
        "number": ["1"],
        "promotion": [ids.promotion],
        "webhook": [ids.webhook],
        "delivery": [ids.delivery],
        "signature": [ids.signature],
        "report": [ids.report],
        "report_file": [ids.report_file],
        "transfer": [ids.transfer],
        "transfer_file": [ids.transfer_file],
        "sign_off": [ids.sign_off],
        "seal": [ids.seal],
        "hold": [ids.hold],
        "purge": [ids.purge],
        "sheet": [ids.sheet],
        "group": [ids.group],
        "event": [ids.event],
        "job": [ids.job],
        "sweep": [ids.sweep],
        "recipe": [ids.recipe],
        "environment": [ids.environment],
        "worker": [ids.worker],
        "admission": [ids.admission],
        "template": [ids.template],
        "claim": [ids.claim],
        "trainer_name": ["tabular"],
        "size": ["1"],
        "of": ["membership", "review"],
        "thing": [ids.member, ids.review],
        "alias": [f"{WORD}-alias"],
        "section": ["limits"],
        "tab": [*TABS, *VERSION_TABS],
        "rule": ["D1"],
        "kind": ["csv", "parquet"],
        "view": [ids.view],
        "comment": [ids.comment],
        "review": [ids.review],
        "finding": [ids.finding],
        "check": ["clock"],
        "secret": ["guess"],
        "uidb36": ["1"],
        "key": ["x-y"],
    }


def urls(route: str, pattern: URLPattern, ids: Ids) -> list[str]:
    """The pattern's URLs for these ids."""
    known = values_for(ids)
    if "<str:verb>" in route:
        known["verb"] = verbs_of(route)
    names = list(pattern.pattern.converters) or list(pattern.pattern.regex.groupindex)
    if "^" in route:
        route = {"account_reset_password_from_key": "login/reset/1-x-y/"}.get(pattern.name or "", "api/v1/nowhere/")
    found = [route]
    for name in names:
        found = [_filled(one, name, value) for one in found for value in known[name]]
    return [f"/{one}" for one in found]


def _filled(route: str, name: str, value: str) -> str:
    head, sep, tail = route.partition(f"{name}>")
    return head[: head.rindex("<")] + value + tail if sep else route


def is_console(route: str) -> bool:
    return route.startswith("admin/")


def page_requests(ids: Ids) -> Iterator[Asked]:
    """Each page, read and posted to."""
    form = urlencode({"email": "x@example.org", "role": "data_scientist", "reason": "why", "name": "x", "confirm": "1"})
    for route, pattern in patterns():
        if is_console(route) or hasattr(pattern.callback, "cls"):
            continue
        for url in urls(route, pattern, ids):
            yield Asked("pages", "GET", url, what=route)
            yield Asked("pages", "POST", url, form.encode(), "application/x-www-form-urlencoded", what=route)
    for query in (f"jump/?q={WORD}", f"jump/?q={ids.run}", f"jump/?q={ids.readable}", "projects/", ""):
        yield Asked("pages", "GET", f"/{query}")
    for query in ("curves.bin", "curves.csv", "curves/"):
        yield Asked("pages", "GET", f"/r/{ids.run}/{query}?key={WORD}-loss&keys={WORD}-loss")
    for start in starts_of(ids):
        yield Asked("pages", "GET", f"/p/{ids.slug}/lineage/?of={start}&view=table", what="lineage")


def starts_of(ids: Ids) -> tuple[str, ...]:
    """What a lineage may start from."""
    return f"run:{ids.run}", f"model:{ids.model}"


BODIES: dict[str, Any] = {
    "name": "x",
    "email": "x@example.org",
    "scopes": ["read"],
    "status": "FINISHED",
    "tags": {"a": "b"},
    "size_bytes": 1,
    "path": "x.txt",
}


def rest_requests(ids: Ids) -> Iterator[Asked]:
    """Each method of each REST view, and the lists narrowed to what is asked about."""
    for route, pattern in patterns():
        view: type[APIView] | None = getattr(pattern.callback, "cls", None)
        if view is None:
            continue
        for url in urls(route, pattern, ids):
            for method in getattr(view, "needs", {"GET": ""}):
                body = b"" if method == "GET" else json.dumps({**BODIES, "upload": ids.upload}).encode()
                yield Asked("rest", method, url, body, what=route)
    runs = "/api/v1/runs/"
    for query in (
        {"q": f"params.\"{WORD}-param\" = '{WORD}'"},
        {"q": f"run_id = '{ids.run}'"},
        {"order": f'metrics."{WORD}-loss" DESC'},
        {"project": ids.slug},
        {"experiment": ids.experiment},
        {"lifecycle": "all"},
    ):
        yield Asked("rest", "GET", f"{runs}?{urlencode(query)}", what="runs narrowed")
    yield Asked("rest", "GET", f"{runs}{ids.run}/metric-history/?key={WORD}-loss", what="history of a metric")
    yield from run_questions(ids)
    for start in starts_of(ids):
        yield Asked("rest", "GET", f"/api/v1/projects/{ids.slug}/lineage/?of={start}", what="lineage")
    chosen = {"name": "x", "projects": [ids.slug]}
    yield Asked("rest", "POST", "/api/v1/tokens/", json.dumps(chosen).encode(), what="a token for the project")


def run_questions(ids: Ids) -> Iterator[Asked]:
    """What is asked about runs, projects and experiments that stand in a body or in parameters."""
    line = f"params.\"{WORD}-param\" = '{WORD}'"
    for path in (
        f"curves/?run={ids.run}&key={WORD}-loss",
        f"compare/?run={ids.run},{ids.readable}",
        *(f"search/{what}/?{urlencode({'q': line})}" for what in ("count", "check", "complete")),
        *(f"search/{what}/?project={ids.slug}" for what in ("count", "check", "complete")),
        f"search/export/?format=csv&{urlencode({'q': line})}",
        f"search/export/?format=jsonl&experiment={ids.experiment}",
        f"search/complete/?of=params.{WORD}-param",
        f"projects/{ids.slug}/what-matters/?result={WORD}-loss",
        f"runs/{ids.run}/console/lines/?file={ids.file}",
    ):
        yield Asked("rest", "GET", f"/api/v1/{path}", what=path.partition("?")[0])
    bodies: tuple[tuple[str, dict[str, Any]], ...] = (
        ("runs/", {"project": ids.slug}),
        ("search/", {"q": line}),
        ("search/", {"project": ids.slug}),
        ("search/", {"experiment": [ids.experiment], "lifecycle": "all"}),
        ("search/groups/", {"by": [f"params.{WORD}-param", "project", "experiment"]}),
        ("search/export/", {"q": line}),
        (f"projects/{ids.slug}/runs/bulk/", {"act": "delete", "runs": [ids.run], "reason": "why"}),
        (f"projects/{ids.slug}/runs/bulk/", {"act": "lock", "q": "", "reason": "why"}),
    )
    for path, body in bodies:
        yield Asked("rest", "POST", f"/api/v1/{path}", json.dumps(body).encode(), what=f"{path} {body}")


# --- MLflow

TEXT_LISTS = {"experiment_ids", "run_ids", "order_by"}


def message_fields(ids: Ids) -> dict[str, Any]:
    """What to put for each field of a message."""
    point = {"key": "new", "value": 1.0, "timestamp": 1, "step": 0}
    return {
        "experiment_id": ids.experiment,
        "experiment_ids": [ids.experiment],
        "experiment_name": ids.experiment_name,
        "run_id": ids.run,
        "run_uuid": ids.run,
        "run_ids": [ids.run],
        "source_run_id": ids.run,
        "model_id": ids.model,
        "models": [{"model_id": ids.model, "step": 0}],
        "model_json": json.dumps(
            {"run_id": ids.run, "artifact_path": "m", "flavors": {}, "utc_time_created": "2026-01-01 00:00:00"}
        ),
        "metric_key": f"{WORD}-loss",
        "metrics": [point],
        "params": [{"key": "new", "value": "1"}],
        "tags": [{"key": "new", "value": "1"}],
        "datasets": [{"dataset": {"name": "d", "digest": "d", "source_type": "s", "source": "s"}}],
        "key": f"{WORD}-tag",
        "value": "1",
        "timestamp": 1,
        "name": unique("mine"),
        "new_name": unique("mine"),
        "status": "FINISHED",
        "path": "",
        "version": "1",
        "alias": f"{WORD}-alias",
        "stage": "Staging",
        "source": f"models:/{ids.model}",
        "description": "x",
        "num_parts": 2,
        "upload_id": ids.upload,
        "parts": [{"part_number": 1}, {"part_number": 2}],
        "start_step": 0,
        "end_step": 10,
    }


def message_of(route: Route, ids: Ids) -> dict[str, Any]:
    """A message for this route, with an id wherever it takes one."""
    if route.asks is None:
        return {}
    known = message_fields(ids)
    if "FinalizeLoggedModel" in route.asks.__name__:
        known["status"] = "LOGGED_MODEL_READY"
    if "SearchLoggedModels" in route.asks.__name__:
        known["datasets"] = [{"dataset_name": f"{WORD}-data"}]
    if "GetArtifact" in route.asks.__name__:
        known["path"] = ids.file
    if route.asks.__name__.endswith("Parts"):
        known["path"] = f"/somewhere/{WORD}.bin"
    if "ListProxied" in route.asks.__name__:
        known["path"] = f"{ids.experiment}/{ids.run}/artifacts"
    if issubclass(route.asks, OfModel):
        known["name"] = ids.registered
    if "SearchRegistry" in route.asks.__name__:
        known["filter"] = f"tags.\"{WORD}-tag\" = '{WORD}'"
    fields = [field.encode_name for field in msgspec.structs.fields(route.asks)]
    if "value" in fields and "timestamp" in fields:
        known["value"] = 1.0
    return {name: known[name] for name in fields if name in known}


def mlflow_requests(ids: Ids, *, at: str, headers: Mapping[str, str] | None = None) -> Iterator[Asked]:
    """Each MLflow call below a tracking URI. at: '/mlflow/<slug>' or '' for the bare root."""
    below = f"{ids.experiment}/{ids.run}/artifacts/{ids.file}"
    model_files = f"{ids.experiment}/models/{ids.model}/artifacts/{ids.file}"
    for route in ROUTES:
        if route.is_refused or route.needs is Needs.LINK:  # a link is its own credential: see tests/client/
            continue
        message = message_of(route, ids)
        paths = [route.path.replace("{model_id}", ids.model).replace("{key:any}", f"{WORD}")]
        if "{path:any}" in route.path:
            paths = [route.path.replace("{path:any}", quote(path)) for path in (below, model_files)]
        for path in paths:
            full = at + (path if path.startswith("/") else f"/api/{path}")
            if "{" in full:
                full = full.replace("{", "").replace("}", "")
            query = f"?{urlencode(message, doseq=True)}" if route.method == "GET" and message else ""
            body = b"content" if route.method == "PUT" else json.dumps(message).encode()
            yield Asked(
                "mlflow", route.method, full + query, b"" if route.method == "GET" else body,
                headers=headers or {}, what=route.path, needs=route.needs.value,
            )  # fmt: skip


def is_about_a_project(asked: Asked) -> bool:
    """Whether a call needs a project at all: `server-info` and what MLED does not serve need none."""
    return asked.needs not in (Needs.NOTHING.value, Needs.TOKEN.value)


def search_requests(ids: Ids, *, at: str) -> Iterator[Asked]:
    """Searches that would find the project's things by their contents."""
    for text in (f"params.\"{WORD}-param\" = '{WORD}'", f"tags.\"{WORD}-tag\" = '{WORD}'", f"run_id = '{ids.run}'", ""):
        for ids_given in ([ids.experiment], ["0"], [ids.experiment, "0"]):
            body = {"experiment_ids": ids_given, "filter": text, "run_view_type": "ALL"}
            yield Asked("mlflow", "POST", f"{at}/api/2.0/mlflow/runs/search", json.dumps(body).encode())
    for text in (f"name LIKE '%{WORD}%'", f"tags.\"{WORD}-tag\" = '{WORD}'", ""):
        body = {"filter": text, "view_type": "ALL", "max_results": 1000}
        yield Asked("mlflow", "POST", f"{at}/api/2.0/mlflow/experiments/search", json.dumps(body).encode())
    body = {"experiment_ids": [ids.experiment, "0"], "filter": f"name = '{WORD}-model'"}
    yield Asked("mlflow", "POST", f"{at}/api/2.0/mlflow/logged-models/search", json.dumps(body).encode())
    for what in ("registered-models", "model-versions"):
        for text in (f"name LIKE '%{WORD}%'", f"tags.\"{WORD}-tag\" = '{WORD}'", ""):
            yield Asked("mlflow", "GET", f"{at}/api/2.0/mlflow/{what}/search?{urlencode({'filter': text})}")
