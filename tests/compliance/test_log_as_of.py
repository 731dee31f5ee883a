"""A run and the members of a project as they were: replayed from the log alone, and two moments beside each other."""

from __future__ import annotations

import datetime as dt

import pytest

from accounts.actions.members import remove_from_group, remove_member
from accounts.actions.projects import grant_sight
from accounts.actions.users import deactivate_user
from accounts.models import Membership
from accounts.roles import Role
from audit.compliance.actions.reviews import submit_run
from audit.compliance.pages.log_as_of import column_label, compared
from audit.compliance.queries.as_of import moment_of
from audit.compliance.queries.log_as_of import members_at, run_at
from audit.compliance.queries.rights_as_of import rights_at
from audit.ledger.models import AuditEvent
from audit.ledger.sequencer import Sequencer
from experiments.actions.batches import log_batch
from experiments.actions.runs import delete_tag, set_tags, update_run
from experiments.models import Run, RunTag
from experiments.values import RunStatus
from kernel.actor import operator
from kernel.clock import now
from kernel.errors import Invalid, NotFound, Refused
from tests.compliance.test_log import client_of, erase
from tests.factories import a_batch, a_group, a_person, a_run, a_team, again, join, user_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def team():
    return a_team()


@pytest.fixture
def run(team):
    return a_run(team.scientist, name="gru")


def test_a_run_is_as_it_was_whatever_its_rows_say_today(team, run):
    before_all = now() - dt.timedelta(minutes=1)
    log_batch(team.scientist, run, batch=a_batch(params={"lr": "0.1"}, loss=[0.9]))
    set_tags(team.scientist, run, tags={"stage": "draft", "team": "icu"})
    then = now()
    set_tags(team.scientist, run, tags={"stage": "candidate"})
    delete_tag(team.scientist, run, key="team")
    update_run(team.scientist, run, status=RunStatus.FINISHED)
    first, second = run_at(team.auditor, run, then), run_at(team.auditor, run, now())
    assert run_at(team.auditor, run, before_all).is_empty
    assert first.parts["Parameters"] == {"lr": "0.1"}
    assert first.parts["Tags"]["stage"] == "draft"
    assert first.parts["Tags"]["team"] == "icu"
    assert second.parts["Tags"].get("team") is None
    assert dict(RunTag.objects.filter(run=run).values_list("key", "value")) == second.parts["Tags"]
    differing = {
        (title, row.name): (row.before, row.after)
        for title, rows in compared(first, second)
        for row in rows
        if row.differs
    }
    assert differing[("Tags", "stage")] == ("draft", "candidate")
    assert differing[("Tags", "team")] == ("icu", "")
    assert differing[("Run", "status")] == ("RUNNING", "FINISHED")
    assert ("Parameters", "lr") not in differing


def test_its_columns_are_those_of_the_row_also_after_acts_about_other_things(team, run):
    update_run(team.scientist, run, status=RunStatus.FINISHED)
    submit_run(team.scientist, Run.objects.get(pk=run.pk), comment="Please.")
    Sequencer().run_until_empty()
    set_tags(team.scientist, Run.objects.get(pk=run.pk), tags={"n": "1"})
    told = run_at(team.auditor, run, now()).parts["Run"]
    row = Run.objects.get(pk=run.pk).ledger_fields()
    assert told["review_state"] == row["review_state"] == "submitted"
    assert (told["status"], told["name"], told["number"]) == (row["status"], row["name"], row["number"])
    assert told["experiment_id"] == run.experiment.name


def test_members_are_those_of_the_moment_with_groups_and_who_was_in_them(team):
    grace, zoe = a_person("Grace"), a_person("Zoe")
    nurses = a_group(grace, zoe, name="nurses-of-" + team.project.slug)
    join(team.project, nurses, Role.DATA_SCIENTIST)
    max_ = join(team.project, user_of(a_person("Max Power")), Role.ML_ENGINEER)
    then = now()
    remove_member(team.manager, Membership.objects.get(pk=max_.pk))
    remove_from_group(team.administrator, group=nurses, user=user_of(zoe))
    first, second = members_at(team.auditor, team.project, then), members_at(team.auditor, team.project, now())
    assert first.parts["Members"]["Max Power"] == "ML engineer"
    assert first.parts["Members"]["Ada"] == "Data scientist"
    assert "Max Power" not in second.parts["Members"]
    assert first.parts["Members"][f"{nurses.name} (group)"] == "Data scientist: Grace, Zoe"
    assert second.parts["Members"][f"{nurses.name} (group)"] == "Data scientist: Grace"
    assert set(members_at(team.manager, team.project, now()).parts["Members"]) == set(second.parts["Members"])


def test_what_was_erased_is_counted(team, run):
    set_tags(team.scientist, run, tags={"note": "secret"})
    erase(AuditEvent.objects.get(verb="experiments.set_tags", subject_id=run.uid.hex))
    state = run_at(team.auditor, run, now())
    assert state.erased == 1
    assert "note" not in state.parts["Tags"]
    text = client_of(team.auditor).get(f"/p/{team.project.slug}/log/as-of/?what=run:{run.uid.hex}").content.decode()
    assert "Of 1 of these events the content was erased" in text


def test_only_who_reads_the_log_sees_it(team, run):
    other = a_team()
    for viewer, error in ((team.scientist, Refused), (team.administrator, Refused), (other.auditor, NotFound)):
        with pytest.raises(error):
            members_at(again(viewer), team.project, now())
    for viewer, error in ((team.scientist, Refused), (other.auditor, NotFound)):
        with pytest.raises(error):
            run_at(again(viewer), run, now())
    strange = a_run(other.scientist)
    answer = client_of(team.auditor).get(f"/p/{team.project.slug}/log/as-of/?what=run:{strange.uid.hex}")
    assert answer.status_code == 404


def test_the_page_shows_one_moment_or_what_differs_between_two(team, run):
    set_tags(team.scientist, run, tags={"stage": "draft"})
    then = now().isoformat(timespec="microseconds")
    set_tags(team.scientist, run, tags={"stage": "candidate"})
    client, url = client_of(team.auditor), f"/p/{team.project.slug}/log/as-of/"
    assert "Choose a moment" in client.get(url).content.decode()
    one = client.get(url, {"what": f"run:{run.readable_id}", "at": then}).content.decode()
    assert "draft" in one
    assert "candidate" not in one
    two = client.get(url, {"what": f"run:{run.readable_id}", "at": then, "and": now().isoformat()}).content.decode()
    assert '<span class="old">draft</span>' in two
    assert '<span class="new">candidate</span>' in two
    assert "Not there yet" in client.get(url, {"what": "members", "at": "2001-01-01T00:00"}).content.decode()


def test_the_columns_of_a_run_are_said_in_words_and_its_times_as_times(team, run):
    update_run(team.scientist, run, status=RunStatus.FINISHED, ended_ms=1_795_345_150_986)
    url = f"/p/{team.project.slug}/log/as-of/"
    text = (
        client_of(team.auditor).get(url, {"what": f"run:{run.readable_id}", "at": now().isoformat()}).content.decode()
    )
    assert '<span title="ended_ms">Ended</span></td><td>2026-11-22' in text
    assert "1795345150986" not in text
    assert (column_label("artifact_root_id"), column_label("review_state")) == ("Place of its files", "Review state")


def test_a_run_that_is_not_there_keeps_the_form_and_is_named_at_the_field(team):
    url = f"/p/{team.project.slug}/log/as-of/"
    answer = client_of(team.auditor).get(url, {"what": "run:ZZ-99", "at": "2026-11-20T12:00"})
    text = answer.content.decode()
    assert answer.status_code == 404
    assert "has no run" in text
    assert 'id="what-error"' in text
    assert 'value="run:ZZ-99"' in text
    assert 'value="2026-11-20T12:00"' in text


@pytest.mark.parametrize(
    "asked",
    [
        {"at": "noon"},
        {"at": "2026-11-20T12:00", "and": "later"},
        {"what": "model:1"},
        {"what": "run:"},
        {"at": "0001-01-01"},
        {"at": "2999-01-01T00:00"},
        {"and": "2999-01-01T00:00"},
    ],
)
def test_what_cannot_be_answered_is_named(team, asked):
    answer = client_of(team.auditor).get(f"/p/{team.project.slug}/log/as-of/", asked)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.content.decode()


def test_moments_are_in_utc_unless_they_say_otherwise():
    noon = dt.datetime(2025, 11, 20, 12, tzinfo=dt.UTC)
    assert moment_of("2025-11-20T12:00", "at") == moment_of("2025-11-20T14:00+02:00", "at") == noon
    assert moment_of("2025-11-20T14:00 02:00", "at") == noon  # a plus sign in an address
    with pytest.raises(Invalid):
        moment_of("9999-12-31T23:59-12:00", "at")


def test_rights_are_those_of_the_roles_at_the_moment_and_two_moments_differ_by_right(team):
    before = now()
    grace = a_person("Grace")
    group = a_group(grace, name="nurses-of-" + team.project.slug)
    join(team.project, group, Role.ML_ENGINEER)
    guest, olga = a_person("Gus"), a_person("Olga", site_role=Role.AUDITOR)
    grant_sight(team.manager, team.project, user=user_of(guest))
    deactivate_user(team.administrator, user=user_of(team.scientist), reason="left")
    first, second = rights_at(team.auditor, team.project, before), rights_at(team.auditor, team.project, now())
    lock, log = "Lock and unlock runs", "Create runs and log params, metrics and tags"
    decide = "Give a signed verdict on a run"
    ada, manager = str(user_of(team.scientist)), str(user_of(team.manager))
    assert f"{ada} (own only)" in first.parts["Manages"][lock]
    assert f"{manager} (with reason)" in first.parts["Manages"][lock]
    assert ada in first.parts["Logs"][log]
    assert ada not in second.parts["Logs"][log]
    assert str(user_of(grace)) in second.parts["Logs"][log]
    assert str(user_of(guest)) in second.parts["Reads"]["See experiments, runs and metrics"]
    assert str(user_of(olga)) in second.parts["Reviews"][decide]
    differing = {row.name for _, rows in compared(first, second) for row in rows if row.differs}
    assert {lock, log, decide} <= differing
    assert "Choose a project's rules and retention" not in differing
    remove_from_group(operator(), group=group, user=user_of(grace))
    assert str(user_of(grace)) not in rights_at(team.auditor, team.project, now()).parts["Logs"][log]
    with pytest.raises(Refused):
        rights_at(team.administrator, team.project, now())


def test_the_page_shows_rights_and_says_whose_table_it_is(team):
    page = client_of(team.auditor).get(f"/p/{team.project.slug}/log/as-of/?what=rights")
    text = page.content.decode()
    assert page.status_code == 200
    assert "the table of this version of the software" in text
    assert "Give a signed verdict on a run" in text
