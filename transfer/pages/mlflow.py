"""Bringing in what MLflow kept: its database file and the folder of its artifacts, or a server that is allowed."""

from typing import BinaryIO, cast

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts.access import find_project, require
from accounts.models import Project
from accounts.pages.doors import actor_of, fill_in_error, signed_in
from artifacts.blobs import receive
from artifacts.pages.new_version import PLAIN_MAX_BYTES, sent_files
from artifacts.queries.uploads import finished_blobs
from artifacts.storage import StoredBlob
from kernel.actor import Actor
from kernel.errors import Invalid, MledError, NotFound, TooLarge
from transfer.actions.transfers import begin
from transfer.mlflow.asking import asked_of_files, asked_of_server
from transfer.mlflow.opening import allowed_servers
from transfer.models import Transfer
from transfer.pages.slots import ImportForm
from transfer.pages.transfers import url_of


class MlflowForm(forms.Form):
    """What comes in, and how much of it. uploads: what the page's script sent."""

    uploads = forms.CharField(required=False, widget=forms.HiddenInput)
    server = forms.ChoiceField(required=False, label="Or from a running server")
    experiments = forms.CharField(
        required=False,
        label="Only these experiments",
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="One name or id a line. Empty: all of them, and the registered models.",
        max_length=50_000,
    )
    with_files = forms.BooleanField(
        required=False,
        initial=True,
        label="With the files of runs and models",
        help_text="From mlflow.db this takes the archive of its artifacts: the database holds none of them.",
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        servers = sorted(allowed_servers())
        if servers:
            field = cast("forms.ChoiceField", self.fields["server"])
            field.choices = [("", "None: from the files above"), *((one, one) for one in servers)]
        else:
            del self.fields["server"]


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def bring_in(request: HttpRequest, slug: str) -> HttpResponse:
    """The form; sent, it is looked at in outline, and read in the background."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    require(viewer, "transfer.bring_in", project)
    form = MlflowForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            return redirect(url_of(_begun(viewer, project, form, request)))
        except NotFound:
            form.add_error(None, "What was sent is no longer there. Choose it again.")
        except MledError as error:
            fill_in_error(form, error)
    context = {"at": "transfers", "project": project, "form": form, "has_servers": "server" in form.fields}
    return render(request, "transfer/import_mlflow.html", context, status=400 if form.errors else 200)


def _begun(viewer: Actor, project: Project, form: MlflowForm, request: HttpRequest) -> Transfer:
    given = form.cleaned_data
    names = [line.strip() for line in given["experiments"].splitlines() if line.strip()]
    files = _files(viewer, project, given["uploads"], request)
    if given.get("server"):
        if files:
            raise Invalid("Choose files or a server, not both.", field="server")
        asked = asked_of_server(given["server"], experiments=names, with_files=given["with_files"])
    else:
        asked = asked_of_files(files, experiments=names, with_files=given["with_files"])
        if given["with_files"] and asked.artifacts is None:
            raise Invalid(
                "No archive of artifacts was given: the files of runs and models would stay behind.",
                hint="Choose mlflow.db and the archive, or untick this.",
                field="with_files",
            )
    return begin(
        viewer,
        project,
        kind=Transfer.Kind.MLFLOW,
        source=asked.source,
        options=asked.options,
        blob=asked.blob,
        artifacts=asked.artifacts,
    )


def _files(viewer: Actor, project: Project, text: str, request: HttpRequest) -> list[tuple[str, StoredBlob]]:
    """What was sent: by the page's script, else in the form itself."""
    sent = sent_files(text)
    if sent:
        found = finished_blobs(viewer, project, [one.id for one in sent])
        return [(one.path, stored) for one, stored in zip(sent, found, strict=True)]
    plain = [file for file in request.FILES.getlist("files") if isinstance(file, UploadedFile)]
    if sum(file.size or 0 for file in plain) > PLAIN_MAX_BYTES:
        words = f"Without scripts a form takes at most {PLAIN_MAX_BYTES // 10**6} MB."
        raise TooLarge(words, hint="Switch scripts on, or send them over REST, or use import_mlflow.", field="files")
    return [(file.name or "", receive(cast("BinaryIO", file), expected=file.size)) for file in plain]


def mlflow_url(project: Project) -> str:
    """The form."""
    return reverse("transfer:import_mlflow", args=[project.slug])


MLFLOW = ImportForm(
    "MLflow",
    "What an MLflow server kept: experiments, runs with their whole history, models, files.",
    "chart",
    mlflow_url,
)
