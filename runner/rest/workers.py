"""Workers and queues, of the site and as a project sees them; and how a worker on another machine gets in."""

from typing import Any
from uuid import UUID

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import find_project
from accounts.authentication import TOKEN_PREFIX, bearer_secret
from accounts.models import Project
from accounts.rest.door import RestView, actor_of
from kernel.actor import Actor, ActorKind, Door
from kernel.errors import Conflict, Refused
from runner.actions.workers import (
    admit_worker,
    drain_worker,
    new_word,
    take_off_worker,
    use_admission,
    withdraw_admission,
)
from runner.elsewhere import command, handed_out, only_here
from runner.models import Admission, Worker
from runner.queries.workers import admissions_of, get_admission, get_worker, queues_of, workers_of


class WorkerJobJson(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    run = serializers.CharField(source="run.uid.hex")
    project = serializers.CharField(source="project.slug")
    state = serializers.CharField()
    stage = serializers.CharField()


class WorkerJson(serializers.ModelSerializer[Worker]):
    queues = serializers.ListField(child=serializers.CharField())
    about = serializers.DictField(help_text="Its machine, system, processors and memory.")

    class Meta:
        model = Worker
        fields = [
            "id", "name", "queues", "slots", "executor", "about", "version", "is_draining", "last_error",
            "last_error_at", "joined_at", "left_at", "seen_at",
        ]  # fmt: skip
        read_only_fields = fields


class WorkerNowJson(serializers.Serializer[Any]):
    worker = WorkerJson()
    state = serializers.CharField(help_text="ready, busy, draining or gone.")
    busy = serializers.IntegerField(help_text="Slots that are taken, by jobs of any project.")
    jobs = WorkerJobJson(many=True, help_text="Those that one may see.")


class QueueJson(serializers.Serializer[Any]):
    name = serializers.CharField()
    waiting = serializers.IntegerField()
    first_since = serializers.DateTimeField(allow_null=True, help_text="Since when the first of them waits.")
    usual_wait_seconds = serializers.FloatField(allow_null=True, help_text="The middle one of the last 50 jobs.")
    under_way = serializers.IntegerField()
    slots = serializers.IntegerField(help_text="Of the workers that take its jobs now.")
    workers = serializers.ListField(child=serializers.CharField())


class DrainWanted(serializers.Serializer[Any]):
    draining = serializers.BooleanField(default=True, help_text="false: it takes jobs again.")
    reason = serializers.CharField(required=False, allow_blank=True, max_length=1000)


class AtPlace(RestView):
    """Of the site, or of a project where the address names one."""

    def place(self) -> Project | None:
        slug = self.kwargs.get("slug")
        return None if slug is None else find_project(self.actor, slug)


class Workers(AtPlace):
    """The workers that are there or were lately, with what is in their slots."""

    needs = {"GET": "runner.see_workers"}
    queryset = Worker.objects.none()
    pagination_class = None
    serializer_class = WorkerNowJson

    @extend_schema(responses={200: WorkerNowJson(many=True)})
    def get(self, request: Request, **place: str) -> Response:
        return Response(self.get_serializer(workers_of(self.actor, self.place()), many=True).data)


class OneWorker(AtPlace):
    """One worker."""

    needs = {"DELETE": "runner.manage_workers"}
    serializer_class = WorkerJson

    @extend_schema(request=None, responses={200: WorkerJson})
    def delete(self, request: Request, worker: UUID, **place: str) -> Response:
        """Take one that is gone off the list; should it come back, it stands there again."""
        found = get_worker(self.actor, worker, self.place())
        return Response(self.get_serializer(take_off_worker(self.actor, self.place(), worker=found)).data)


class DrainWorker(AtPlace):
    """Whether a worker takes more jobs."""

    needs = {"POST": "runner.manage_workers"}
    serializer_class = WorkerJson

    @extend_schema(request=DrainWanted, responses={200: WorkerJson})
    def post(self, request: Request, worker: UUID, **place: str) -> Response:
        """Have it take no more, or take some again; those under way go on."""
        found, asked = get_worker(self.actor, worker, self.place()), self.parsed(DrainWanted)
        return Response(self.get_serializer(drain_worker(self.actor, self.place(), worker=found, **asked)).data)


class Queues(AtPlace):
    """The queues, with how many wait and how long."""

    needs = {"GET": "runner.see_workers"}
    queryset = Worker.objects.none()
    pagination_class = None
    serializer_class = QueueJson

    @extend_schema(responses={200: QueueJson(many=True)})
    def get(self, request: Request, **place: str) -> Response:
        return Response(self.get_serializer(queues_of(self.actor, self.place()), many=True).data)


class AdmissionJson(serializers.ModelSerializer[Admission]):
    made_by = serializers.CharField(source="created_by.name", allow_null=True, default=None)

    class Meta:
        model = Admission
        fields = ["id", "name", "created_at", "made_by", "expires_at", "used_at", "used_from"]
        read_only_fields = fields


class NewAdmissionJson(AdmissionJson):
    word = serializers.CharField(help_text="Shown this once; good once, within the hour.")
    command = serializers.CharField(help_text="To be run on the other machine, in a checkout of MLED.")
    notes = serializers.ListField(child=serializers.CharField(), help_text="What may be wrong with the addresses.")

    class Meta(AdmissionJson.Meta):
        fields = [*AdmissionJson.Meta.fields, "word", "command", "notes"]
        read_only_fields = fields


class AdmissionWanted(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=120, help_text="Of the worker.")


class Admissions(RestView):
    """One-time words that let workers on other machines in."""

    needs = {"GET": "runner.admit_worker", "POST": "runner.admit_worker"}
    queryset = Admission.objects.none()
    pagination_class = None
    secrets = frozenset({"word", "command"})
    serializer_class = AdmissionJson

    @extend_schema(responses={200: AdmissionJson(many=True)})
    def get(self, request: Request) -> Response:
        return Response(self.get_serializer(admissions_of(self.actor), many=True).data)

    @extend_schema(request=AdmissionWanted, responses={201: NewAdmissionJson})
    def post(self, request: Request) -> Response:
        """Let one worker in, within the hour. It is handed the addresses of database, broker and files."""
        word = new_word()
        made: Any = admit_worker(self.actor, **self.parsed(AdmissionWanted), word=word)
        made.word, made.command, made.notes = word, command(reached(request), word), only_here()
        return Response(NewAdmissionJson(made).data, status=201)


class OneAdmission(RestView):
    """One of them."""

    needs = {"DELETE": "runner.admit_worker"}
    serializer_class = AdmissionJson

    @extend_schema(request=None, responses={200: AdmissionJson})
    def delete(self, request: Request, admission: UUID) -> Response:
        """Its word is good for nothing from now on."""
        found = get_admission(self.actor, admission)
        return Response(self.get_serializer(withdraw_admission(self.actor, admission=found)).data)


class JoinedJson(serializers.Serializer[Any]):
    name = serializers.CharField()
    version = serializers.CharField(help_text="Of MLED here: the worker's should be the same.")
    environment = serializers.DictField(child=serializers.CharField())


class ByWord(BaseAuthentication):
    """The word is looked at by the action that uses it; here only what a caller without one is told to send."""

    def authenticate(self, request: Request) -> None:
        return None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="MLED"'


class Join(RestView):
    """Where a worker on another machine says its word, in the place of a token: `Authorization: Bearer mledw_…`."""

    needs = {"POST": "runner.admit_worker"}
    authentication_classes = (ByWord,)
    permission_classes = ()  # type: ignore[assignment]  # whoever has the word
    happens_anew = "A word is good once."
    serializer_class = JoinedJson

    @extend_schema(request=None, responses={200: JoinedJson}, auth=[])
    def post(self, request: Request) -> Response:
        """Say a one-time word, and be given the addresses and keys that a worker needs; the word is used then."""
        word = bearer_secret(request.META.get("HTTP_AUTHORIZATION", "")) or ""
        if not word:
            raise NotAuthenticated
        if word.startswith(TOKEN_PREFIX):
            raise Refused("A worker joins by a one-time word, not by a token.", hint="An administrator makes one.")
        version = request.headers.get("MLED-Version", settings.MLED_VERSION)
        if version != settings.MLED_VERSION:
            raise Conflict(
                f"MLED is {settings.MLED_VERSION} here and {version[:20]} there.",
                hint="Bring the worker to the same version; its word is still good.",
            )
        address = str(request.META.get("REMOTE_ADDR", ""))
        mled = Actor(ActorKind.SYSTEM, Door.REST, user_name="MLED", request_id=actor_of(request).request_id, ip=address)
        admission = use_admission(mled, word=word, address=address)
        given = handed_out(name=admission.name, url=reached(request))
        answer = {"name": admission.name, "version": settings.MLED_VERSION, "environment": given}
        return Response(answer, headers={"Cache-Control": "no-store"})


def reached(request: Request) -> str:
    """How the caller reached us."""
    return str(request.build_absolute_uri("/")).rstrip("/")
