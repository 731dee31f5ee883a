"""The ways in for what MLflow kept: the page, REST, the command; and a command that is killed."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.roles import Scope
from artifacts.actions.content import collect_blobs, mark_unnamed_blobs
from artifacts.actions.uploads import append_upload, begin_upload, finish_upload
from artifacts.models import ArtifactFile
from experiments.models import Experiment, MetricSegment, Run
from kernel import clock
from kernel.actor import operator
from tests.factories import a_team, a_token, user_of
from tests.services.processes import ROOT
from tests.transfer.stores import a_store, in_store
from transfer.models import Moved, Transfer
from transfer.running import carry


def as_person(actor) -> Client:
    client = Client()
    client.force_login(user_of(actor), backend="accounts.backends.EmailBackend")
    return client


def uploaded(actor, project, content: bytes) -> str:
    upload = begin_upload(actor, project, size_bytes=len(content))
    return str(finish_upload(actor, append_upload(actor, upload, offset=0, incoming=io.BytesIO(content))).pk)


def zipped(folder: Path) -> bytes:
    path = folder / "artifacts.zip"
    with zipfile.ZipFile(path, "w") as packed:
        for one in sorted((folder / "mlartifacts").rglob("*")):
            packed.write(one, one.relative_to(folder))
    return path.read_bytes()


@pytest.mark.django_db
def test_the_page_takes_a_store_and_the_archive_of_its_files(tmp_path, monkeypatch):
    team = a_team()
    store = a_store(tmp_path)
    page = f"/p/{team.project.slug}/transfers/import-mlflow/"
    person = as_person(team.scientist)
    assert "MLED_IMPORT_FROM" in person.get(page).content.decode()
    sent = [
        SimpleUploadedFile("mlflow.db", store.read_bytes()),
        SimpleUploadedFile("artifacts.zip", zipped(tmp_path)),
    ]
    answer = person.post(page, {"files": sent, "with_files": "on"})
    assert answer.status_code == 302
    transfer = Transfer.objects.get(project=team.project)
    assert answer["Location"] == f"/p/{team.project.slug}/transfers/{transfer.pk}/"
    with monkeypatch.context() as late:  # both files are kept for a worker that comes after a month
        mark_unnamed_blobs(operator())
        late.setattr(clock, "_now", lambda: time.time() + 30 * 86400)
        assert collect_blobs(operator()) == []
    carry(transfer.pk)
    done = Transfer.objects.get(pk=transfer.pk)
    assert (done.state, done.problems, done.source) == ("done", [], "mlflow.db"), done.failure
    assert done.counts["files_verified"] == ArtifactFile.objects.filter(root__project=team.project).count() == 6
    read = person.get(answer["Location"]).content.decode()
    assert "Everything that was brought in" in read
    for place in Experiment.objects.filter(runs__project=team.project, runs__lifecycle="active").distinct():
        assert f'/p/{team.project.slug}/runs/?experiment={place.pk}"' in read

    alone = person.post(page, {"files": [SimpleUploadedFile("mlflow.db", store.read_bytes())], "with_files": "on"})
    assert alone.status_code == 400
    assert "No archive of artifacts was given" in alone.content.decode()
    assert Transfer.objects.filter(project=team.project).count() == 1
    wrong = person.post(page, {"files": [SimpleUploadedFile("cat.png", b"meow")]})
    assert wrong.status_code == 400
    assert "Choose the database file of MLflow" in wrong.content.decode()
    assert as_person(team.auditor).get(page).status_code == 403


@pytest.mark.django_db
def test_rest_takes_an_upload_or_an_allowed_server_and_nothing_else(tmp_path, settings):
    team, other = a_team(), a_team()
    store = a_store(tmp_path, with_files=False)
    place = f"/api/v1/projects/{team.project.slug}/mlflow-imports/"
    rest = Client(headers={"authorization": f"Bearer {a_token(team.scientist, scopes=list(Scope))[1]}"})

    def post(expected: int, **body):
        answer = rest.post(place, body, content_type="application/json")
        assert answer.status_code == expected, answer.content
        return answer.json()

    sent = uploaded(team.scientist, team.project, store.read_bytes())
    made = post(201, upload=sent, experiments=["given up"], with_files=False)
    assert (made["kind"], made["options"]) == ("mlflow", {"experiments": ["given up"], "files": False})
    carry(UUID(made["id"]))
    assert Transfer.objects.get(pk=made["id"]).state == "done"
    assert Run.objects.get(project=team.project).name == "too late"

    refused = post(403, server="https://elsewhere.example.org")
    assert (refused["field"], "MLED_IMPORT_FROM" in refused["hint"]) == ("server", True)
    settings.MLED_IMPORT_FROM = ["http://grace:hush@127.0.0.1:1"]
    allowed = post(201, server="http://127.0.0.1:1")
    assert allowed["options"]["server"] == "http://127.0.0.1:1"
    assert "hush" not in json.dumps(allowed)
    assert post(400)["field"] == "upload"
    assert post(400, upload=sent, server="http://127.0.0.1:1")["field"] == "upload"
    hurt = post(201, upload=uploaded(team.scientist, team.project, b"SQLite format 3\x00" + b"x" * 5000))
    carry(UUID(hurt["id"]))
    failed = Transfer.objects.get(pk=hurt["id"])
    assert (failed.state, "no database that can be read" in failed.failure) == ("failed", True), failed.failure
    theirs = Client(headers={"authorization": f"Bearer {a_token(other.scientist, scopes=list(Scope))[1]}"})
    assert theirs.post(place, {"server": "x"}, content_type="application/json").status_code == 404


@pytest.mark.django_db
def test_files_that_were_asked_for_and_not_given_are_told_and_come_with_their_archive_later(tmp_path):
    team = a_team()
    store = a_store(tmp_path)
    rest = Client(headers={"authorization": f"Bearer {a_token(team.scientist, scopes=list(Scope))[1]}"})
    place = f"/api/v1/projects/{team.project.slug}/mlflow-imports/"

    def brought(**body) -> Transfer:
        sent = uploaded(team.scientist, team.project, store.read_bytes())
        answer = rest.post(place, {"upload": sent, **body}, content_type="application/json")
        assert answer.status_code == 201, answer.content
        carry(UUID(answer.json()["id"]))
        return Transfer.objects.get(pk=answer.json()["id"])

    alone = brought()
    assert alone.state == "done", alone.failure
    (told,) = (one for one in alone.problems if one["where"] == "files")
    assert "no archive of the artifacts was given" in told["message"]
    assert alone.counts["without_files"] == told["times"] == 10  # 9 runs and a model
    person = as_person(team.scientist)
    read = person.get(f"/p/{team.project.slug}/transfers/{alone.pk}/").content.decode()
    assert "Runs and models whose files stay behind" in read
    assert "is what its source says" not in read

    empty = io.BytesIO()
    with zipfile.ZipFile(empty, "w") as packed:
        packed.writestr("notes/readme.txt", "another folder")
    elsewhere = brought(artifacts_upload=uploaded(team.scientist, team.project, empty.getvalue()))
    assert "holds no file of any of these runs" in " ".join(one["message"] for one in elsewhere.problems)

    whole = brought(artifacts_upload=uploaded(team.scientist, team.project, zipped(tmp_path)))
    assert [one for one in whole.problems if one["where"] == "files"] == []
    assert ArtifactFile.objects.filter(root__project=team.project).count() == 6


@pytest.mark.django_db
def test_the_command_says_what_is_wrong_and_keeps_no_secret(tmp_path):
    team = a_team()
    store = a_store(tmp_path)
    email = user_of(team.scientist).email

    def command(source: str, *more: str) -> None:
        call_command("import_mlflow", source, "--project", team.project.slug, "--as", email, *more)

    with pytest.raises(CommandError, match="is no source of MLflow"):
        command("ftp://grace:hush@host/x")
    with pytest.raises(CommandError, match="cannot be reached") as away:
        command("postgresql://grace:hush@127.0.0.1:1/mlflow")
    assert "hush" not in str(away.value)
    with pytest.raises(CommandError, match="OLD=NEW"):
        command(f"sqlite:///{store}", "--artifacts", "nowhere")
    with pytest.raises(CommandError, match="has no experiment 'nowhere'"):
        command(f"sqlite:///{store}", "--experiments", "nowhere")
    command(f"sqlite:///{store}", "--without-files")
    assert not ArtifactFile.objects.filter(root__project=team.project).exists()
    command(f"sqlite:///{store}", "--artifacts", f"mlflow-artifacts:={tmp_path / 'mlartifacts'}")
    assert ArtifactFile.objects.filter(root__project=team.project).count() == 6
    assert Run.objects.filter(project=team.project).count() == 9


@pytest.mark.django_db
def test_a_source_with_a_password_need_not_stand_on_the_command_line(tmp_path, monkeypatch, capfd):
    team = a_team()
    store, email = a_store(tmp_path), user_of(team.scientist).email
    here = ["--project", team.project.slug, "--as", email, "--without-files"]
    file = tmp_path / "source"
    file.write_text(f"sqlite:///{store}\n")
    call_command("import_mlflow", *here, "--source-file", str(file))
    assert Run.objects.filter(project=team.project).count() == 9
    away = "postgresql://grace:hush@127.0.0.1:1/mlflow"
    with pytest.raises(CommandError, match="cannot be reached"):
        call_command("import_mlflow", away, *here)
    assert "the password stands on the command line" in capfd.readouterr().err
    monkeypatch.setenv("MLED_IMPORT_SOURCE", away)
    with pytest.raises(CommandError, match="cannot be reached"):
        call_command("import_mlflow", *here)
    assert capfd.readouterr().err == ""
    with pytest.raises(CommandError, match="Give the source once"):
        call_command("import_mlflow", f"sqlite:///{store}", *here)
    monkeypatch.delenv("MLED_IMPORT_SOURCE")
    with pytest.raises(CommandError, match="No source is given"):
        call_command("import_mlflow", *here)
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("import_mlflow", *here, "--source-file", str(tmp_path / "none"))


def test_a_command_that_is_killed_goes_on_where_it_was_and_doubles_nothing(own_live_mled, tmp_path):
    """kill -9 in the middle, again and again; then once to the end, and nothing is there twice."""
    live = own_live_mled
    store = a_store(tmp_path)
    _many_more(store, runs=40)
    live.create_user("ada@example.org")
    live.create_project("killed")
    live.add_member("killed", "ada@example.org", "data_scientist")
    command = [sys.executable, "manage.py", "import_mlflow", f"sqlite:///{store}"]
    command += ["--project", "killed", "--as", "ada@example.org"]
    seen: list[tuple[int, int]] = []
    for goal in (2, 25):
        process = subprocess.Popen(
            command, cwd=ROOT, env=live.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < until:
            with live.in_database():
                here = Run.objects.filter(project__slug="killed").count()
            if here >= goal:
                process.send_signal(signal.SIGKILL)
            time.sleep(0.02)
        process.kill()
        seen.append((process.wait(), here))
        _let_the_lease_run_out(live)
    assert seen[0][0] == -signal.SIGKILL, seen
    out = live.manage(*command[2:])
    with live.in_database():
        transfer = Transfer.objects.get(project__slug="killed", kind="mlflow")
        assert (transfer.state, transfer.problems) == ("done", []), transfer.failure
        assert json.loads(out.strip().splitlines()[-1])["runs_verified"] >= 9
        assert Run.objects.filter(project__slug="killed").count() == 49
        of_runs = Moved.objects.filter(project__slug="killed", kind="run")
        assert of_runs.count() == 49
        assert not of_runs.filter(digest="").exists()
        segments = MetricSegment.objects.filter(series__run__project__slug="killed")
        assert sum(segments.values_list("count", flat=True)) == 173 + 40 * 40
    again = json.loads(live.manage(*command[2:]).strip().splitlines()[-1])
    assert (again["runs"]["new"], again["runs"]["there"], "points" in again) == (0, 49, False)


def _many_more(store: Path, *, runs: int) -> None:
    for number in range(runs):
        uid = f"{number:032x}"
        in_store(
            store,
            "INSERT INTO runs (run_uuid, name, user_id, status, start_time, end_time, lifecycle_stage, artifact_uri, "
            "experiment_id) VALUES (?, 'many', 'ada', 'FINISHED', ?, ?, 'active', '', 1)",
            uid, 1_800_000_000_000 + number, 1_800_000_001_000 + number,
        )  # fmt: skip
        for step in range(40):
            in_store(
                store, "INSERT INTO metrics VALUES ('loss', ?, ?, ?, ?, 0)", step / 7, 1_800_000_000_000, uid, step
            )


def _let_the_lease_run_out(live) -> None:
    """What the clock would do within half a minute."""
    with live.in_database():
        row = Transfer.objects.filter(project__slug="killed", kind="mlflow").first()
        if row is not None and row.is_open:
            row.lease, row.lease_until = None, None
            row.save()
