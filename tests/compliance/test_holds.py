"""Under a legal hold nothing goes: not softly, not for good, not at any door; who places and lifts one is on record."""

import io
import json

import pytest
from django.test import Client

from accounts.actions.erasing import erase_payloads
from accounts.models import Notice
from accounts.roles import Scope
from artifacts.blobs import receive
from audit.compliance.actions.holds import lift_hold, place_hold
from audit.compliance.actions.profiles import choose_retention
from audit.compliance.models import LegalHold
from audit.ledger.sequencer import Sequencer
from audit.ledger.verify import verify_ledger
from experiments.actions.comments import add_comment, edit_comment, remove_comment
from experiments.actions.experiments import delete_experiment, rename_experiment
from experiments.actions.files import delete_files
from experiments.actions.runs import delete_run, lock_run, set_tags
from kernel.errors import Conflict, Invalid, Locked, NotFound, Refused
from registry.actions.files import delete_model_files, put_model_file
from registry.actions.logged_models import create_logged_model, delete_logged_model
from registry.actions.registered_models import create_registered_model, delete_registered_model
from registry.actions.versions import create_version, delete_version
from tests.factories import (
    a_file,
    a_person,
    a_run,
    a_team,
    a_token,
    an_experiment,
    events_since,
    user_of,
)
from tests.ledger.conftest import data  # noqa: F401 - keys and anchors of a test's own

pytestmark = pytest.mark.django_db
WHY = "Claim 17/2026 of Roe"


@pytest.fixture
def team():
    return a_team()


@pytest.fixture
def run(team):
    return a_run(team.scientist, an_experiment(team.scientist))


def client_of(actor) -> Client:
    client = Client()
    client.force_login(user_of(actor))
    return client


def stays(act) -> None:
    with pytest.raises(Locked, match="under a legal hold"):
        act()


@pytest.mark.parametrize("whole", [True, False])
def test_nothing_goes_that_is_under_a_hold(team, run, whole):
    scientist = team.scientist
    a_file(scientist, run, "a/b.txt")
    comment = add_comment(scientist, run, text="look")
    model = create_logged_model(scientist, run.experiment, name="net", source_run=run)
    stored = a_file(scientist, run, "weights.bin", b"w")
    put_model_file(scientist, model, path="model.pkl", stored=_stored(b"model"))
    registered = create_registered_model(scientist, team.project, name="net")
    version = create_version(scientist, registered, source=f"runs:/{run.uid.hex}/a", run=run, logged_model=model)
    told = events_since(lambda: set_tags(scientist, run, tags={"note": "one"}))
    place_hold(team.manager, team.project, reason=WHY, run=None if whole else run)
    stays(lambda: delete_run(scientist, run))
    stays(lambda: delete_experiment(scientist, run.experiment))
    stays(lambda: delete_files(scientist, run, path="a"))
    stays(lambda: delete_files(scientist, run, path=""))
    stays(lambda: a_file(scientist, run, "weights.bin", b"others"))
    stays(lambda: remove_comment(scientist, comment))
    stays(lambda: delete_logged_model(scientist, model))
    stays(lambda: delete_model_files(scientist, model, path="model.pkl"))
    stays(lambda: delete_version(scientist, version))
    stays(lambda: delete_registered_model(scientist, registered))
    stays(lambda: erase_payloads(team.administrator, events=[told[0].event.pk], reason="GDPR 17"))
    a_file(scientist, run, "weights.bin", b"w")
    a_file(scientist, run, "new.txt", b"new things come in")
    assert stored.pk
    lift_hold(team.auditor, LegalHold.objects.get(project=team.project), reason="Settled.")
    delete_files(scientist, run, path="a")
    delete_version(scientist, version)
    delete_registered_model(scientist, registered)
    delete_logged_model(scientist, model)
    delete_run(scientist, run)


def _stored(content: bytes):
    return receive(io.BytesIO(content), expected=len(content))


def test_a_hold_over_one_run_leaves_the_others_alone(team, run):
    other = a_run(team.scientist)
    place_hold(team.auditor, team.project, reason=WHY, run=run)
    delete_run(team.scientist, other)
    stays(lambda: delete_run(team.scientist, run))
    elsewhere = a_team()
    delete_run(elsewhere.scientist, a_run(elsewhere.scientist))


def test_what_the_log_says_of_a_held_runs_comments_and_files_is_not_erased(team, run):
    other = a_run(team.scientist)

    def comment_on(one):
        made = []
        (told,) = events_since(lambda: made.append(add_comment(team.scientist, one, text="Anna Roe said so")))
        return made[0], told.event.pk

    kept, of_held = comment_on(run)
    _, of_other = comment_on(other)
    (edited,) = events_since(lambda: edit_comment(team.scientist, kept, text="somebody said so", version=1))
    (renamed,) = events_since(lambda: rename_experiment(team.scientist, run.experiment, name="anna"))
    (tagged,) = events_since(lambda: set_tags(team.scientist, other, tags={"who": "anna"}))
    place_hold(team.manager, team.project, reason=WHY, run=run)
    for event in (of_held, edited.event.pk, renamed.event.pk):
        stays(lambda event=event: erase_payloads(team.administrator, events=[event], reason="GDPR 17"))
        stays(lambda event=event: erase_payloads(team.administrator, events=[of_other, event], reason="GDPR 17"))
    assert erase_payloads(team.administrator, events=[of_other, tagged.event.pk], reason="GDPR 17") == 2


def test_a_locked_run_under_a_hold_names_both_in_its_refusal(team, run):
    lock_run(team.scientist, run)
    with pytest.raises(Locked) as lock_alone:
        delete_run(team.scientist, run)
    assert lock_alone.value.hint == "Unlock it, or log a new run."
    place_hold(team.manager, team.project, reason=WHY, run=run)
    with pytest.raises(Locked) as both:
        delete_run(team.scientist, run)
    assert "is locked and takes no writes" in both.value.message
    assert "Unlocking it sets nothing of it free to go" in both.value.hint
    assert WHY in both.value.hint


def test_mlflow_is_told_why(team, run):
    place_hold(team.manager, team.project, reason=WHY, run=run)
    secret = a_token(team.scientist, scopes=[Scope.READ, Scope.LOG], default_project=team.project)[1]
    answer = Client().post(
        "/api/2.0/mlflow/runs/delete",
        json.dumps({"run_id": run.uid.hex}),
        "application/json",
        headers={"Authorization": f"Bearer {secret}"},
    )
    assert answer.status_code in (400, 403)
    assert "under a legal hold" in answer.content.decode()


def test_managers_and_auditors_place_and_lift_with_a_reason(team, run):
    for actor in (team.scientist, team.engineer, team.administrator):
        with pytest.raises(Refused):
            place_hold(actor, team.project, reason=WHY)
    with pytest.raises(NotFound):
        place_hold(a_person(), team.project, reason=WHY)
    for reason in ("", "  ", "a\x00b", "x" * 2001):
        with pytest.raises(Invalid):
            place_hold(team.manager, team.project, reason=reason)
    (kept,) = events_since(lambda: place_hold(team.auditor, team.project, reason=WHY, run=run))
    assert (kept.verb, kept.reason, kept.event.project_id) == ("compliance.place_hold", WHY, team.project.pk)
    hold = LegalHold.objects.get(project=team.project)
    assert Notice.objects.filter(user=user_of(team.manager), kind="hold.placed").exists()
    with pytest.raises(Conflict):
        place_hold(team.manager, team.project, reason=WHY, run=run)
    place_hold(team.manager, team.project, reason="Another matter", run=run)
    with pytest.raises(Refused):
        lift_hold(team.scientist, hold, reason="no")
    with pytest.raises(Invalid):
        lift_hold(team.manager, hold, reason=" ")
    lift_hold(team.manager, hold, reason="Settled.")
    with pytest.raises(Conflict, match="lifted before"):
        lift_hold(team.manager, hold, reason="again")
    stays(lambda: delete_run(team.scientist, run))
    Sequencer().run_until_empty()
    assert verify_ledger().is_sound


def test_a_run_of_another_project_is_not_held_by_this_one(team):
    other = a_team()
    with pytest.raises(NotFound):
        place_hold(team.manager, team.project, reason=WHY, run=a_run(other.scientist))


def test_retention_only_grows_under_a_hold_as_ever(team):
    choose_retention(team.manager, team.project, retention_class="standard")
    place_hold(team.manager, team.project, reason=WHY)
    with pytest.raises(Conflict, match="never shorter"):
        choose_retention(team.manager, team.project, retention_class="short")
    choose_retention(team.manager, team.project, retention_class="ten-years")


# --- Pages and REST


def test_the_page_places_shows_and_lifts_a_hold_and_the_run_says_so(team, run):
    manager, url = client_of(team.manager), f"/p/{team.project.slug}/keeping/"
    assert "None stands" in manager.get(url).content.decode()
    assert "No run" in manager.post(url, {"run": "QXZ-1", "reason": WHY}).content.decode()
    assert "Say which matter it is for" in manager.post(url, {"run": "", "reason": ""}).content.decode()
    page = manager.post(url, {"run": run.readable_id, "reason": WHY}, follow=True).content.decode()
    assert WHY in page
    scientist = client_of(team.scientist)
    assert "Legal hold" in scientist.get(f"/r/{run.readable_id}/").content.decode()
    assert WHY in scientist.get(f"/p/{team.project.slug}/rules/").content.decode()
    assert "Place the hold" not in scientist.get(url).content.decode()
    lifting = f"{url}holds/{LegalHold.objects.get(project=team.project).pk}/lift/"
    assert "You may not put a legal hold" in scientist.post(lifting, {"reason": "no"}, follow=True).content.decode()
    assert "Say why" in manager.post(lifting, {"reason": ""}, follow=True).content.decode()
    assert "was lifted" in manager.post(lifting, {"reason": "Settled."}, follow=True).content.decode()
    assert client_of(a_person()).get(url).status_code == 404


def test_holds_over_rest(team, run):
    client = client_of(team.auditor)
    url = f"/api/v1/projects/{team.project.slug}/holds/"

    def send(path: str, **body: str):
        return client.post(path, json.dumps(body), "application/json")

    made = send(url, reason=WHY, run=run.readable_id)
    assert made.status_code == 201
    hold = made.json()
    assert (hold["run"], hold["reason"], hold["lifted_at"]) == (run.uid.hex, WHY, None)
    assert send(url, reason="").status_code == 400
    assert send(url, reason="x", run="QXZ-9").status_code == 404
    assert client.get(url).json()["results"] == [hold]
    lifted = send(f"/api/v1/holds/{hold['id']}/lift/", reason="Settled.")
    assert lifted.json()["lifted_reason"] == "Settled."
    assert send(f"/api/v1/holds/{hold['id']}/lift/", reason="again").status_code == 409
    assert client_of(a_person()).get(url).status_code == 404
