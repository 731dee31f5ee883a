"""The history of each tracked object, on its page, with old and new values, for whoever sees the object."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from accounts.actions.members import change_role
from accounts.actions.projects import edit_project, grant_sight
from accounts.actions.tokens import revoke_token
from accounts.models import ApiToken, Group, GroupMember, Membership, ProjectUserObjectPermission, User
from accounts.roles import Role
from accounts.scoping import ProjectScoped
from artifacts.models import DatasetVersion
from audit.compliance.kinds import kinds, word_of
from audit.compliance.models import Finding, Report, Review
from audit.compliance.pages.past import address_of
from audit.compliance.queries.past import past_of
from audit.ledger.tracking import tracked_models
from experiments.actions.experiments import grant_access
from experiments.models import ExperimentUserObjectPermission
from kernel.errors import NotFound
from runner.models import Admission, Worker
from tests.compliance.test_log import client_of, erase
from tests.factories import (
    a_group,
    a_person,
    a_quota,
    a_run,
    a_team,
    a_token,
    again,
    an_administrator,
    an_experiment,
    everything,
    join,
    user_of,
)

pytestmark = pytest.mark.django_db

# Tracked, yet no object of a project: where the history of each is shown.
ELSEWHERE = {
    User: "its page in the admin console",
    Group: "its page in the admin console",
    GroupMember: "the console, with its group",
    ApiToken: "the page of one's tokens",
    ProjectUserObjectPermission: "the history of the project",
    ExperimentUserObjectPermission: "the history of the experiment",
    Admission: "the console, among the events of the log",
    Worker: "the console, among the events of the log",
}


@pytest.fixture
def team():
    return a_team()


def text_of(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def test_every_tracked_object_has_its_history_somewhere(team):
    thing = everything(team.engineer, team.project)
    a_quota(team.project)
    page = client_of(a_person("Olga", site_role=Role.AUDITOR))
    shown = set()
    for model in [*tracked_models(), DatasetVersion]:
        if not issubclass(model, ProjectScoped):
            assert model in ELSEWHERE, f"Where is the history of {model.__name__}?"
            continue
        row = next(one for one in model.objects.all().order_by("pk") if one.scope_project_id == thing.project.pk)
        if model is Report:  # what a report says is for those who may ask for it
            page = client_of(team.auditor)
        text = text_of(page, address_of(team.project, row))
        assert "m-log-t" in text, f"The history of {model.__name__} has no line."
        shown.add(word_of(model))
    assert shown == set(kinds())


def test_the_histories_that_are_elsewhere_are_there(team):
    root, grace = client_of(an_administrator()), a_person("Grace")
    group = a_group(grace)
    for row in (user_of(grace), Group.objects.get(pk=group.pk)):
        text = text_of(root, f"/admin/accounts/{row._meta.model_name}/{row.pk}/history/")
        assert "Event in the log" in text
    experiment = an_experiment(team.scientist, team.project)
    grant_access(team.manager, experiment, user=user_of(grace), reason="A guest for a day.")
    text = text_of(client_of(team.manager), address_of(team.project, experiment))
    assert "A guest for a day." in text
    assert str(user_of(grace)) in text
    grant_sight(team.manager, team.project, user=user_of(grace))
    text = text_of(client_of(team.manager), address_of(team.project, team.project))
    assert "let somebody see the project" in text


def test_old_and_new_values_reasons_roles_and_doors_stand_in_it(team):
    member = join(team.project, a_person("Nia"), Role.DATA_SCIENTIST)
    change_role(again(team.manager), member, role=Role.ML_ENGINEER, reason="She keeps the workers now.")
    text = text_of(client_of(team.scientist), f"/p/{team.project.slug}/history/membership/{member.pk}/")
    for words in ("data_scientist", "ml_engineer", "She keeps the workers now.", "Project manager", "changed a role"):
        assert words in text
    edit_project(team.manager, team.project, name="New name", purpose=team.project.purpose)
    text = text_of(client_of(team.scientist), address_of(team.project, team.project))
    assert '<span class="new">New name</span>' in text


def test_an_event_about_something_else_tells_only_what_it_did_to_the_object(team):
    thing = everything(team.engineer, team.project)
    finding = Finding.objects.get(run=thing.run)
    _, past = past_of(team.scientist, team.project, "finding", finding.pk.hex)
    assert past.events
    said = {change.type for one in past.events for change in one.past.changes}
    assert said == {"compliance.finding", "compliance.findingnote"}
    assert Review.objects.filter(run=thing.run).exists()


def test_what_was_erased_is_said(team):
    member = join(team.project, a_person("Nia"), Role.DATA_SCIENTIST)
    _, past = past_of(team.manager, team.project, "membership", str(member.pk))
    erase(past.events[0].past.event)
    text = text_of(client_of(team.manager), address_of(team.project, member))
    assert "erased" in text.partition("m-log-t")[2]


def test_it_goes_on_page_by_page(team, monkeypatch):
    monkeypatch.setattr("audit.compliance.pages.past.A_PAGE", 2)
    member = join(team.project, a_person("Nia"), Role.DATA_SCIENTIST)
    for role in (Role.ML_ENGINEER, Role.DATA_SCIENTIST, Role.ML_ENGINEER, Role.DATA_SCIENTIST):
        member = change_role(again(team.manager), member, role=role)
    page, address, seen = client_of(team.manager), address_of(team.project, member), []
    while address:
        text = text_of(page, address)
        seen += re.findall(r"<dt>Event</dt><dd class=\"mono\">(\w+)</dd>", text)
        more = re.search(r'rel="next" href="([^"]+)"', text)
        address = more.group(1) if more else ""
    assert len(seen) == len(set(seen)) == 5


@pytest.mark.parametrize(
    "address",
    ["history/sonnet/1/", "history/membership/x/", "history/membership/99999999999999999999/", "history/review/7/"],
)
def test_what_is_not_there_is_absent(team, address):
    assert client_of(team.manager).get(f"/p/{team.project.slug}/{address}").status_code == 404


def test_what_one_may_not_see_is_absent_also_through_a_project_of_ones_own(team):
    other = a_team()
    run, hook = a_run(other.scientist), Membership.objects.filter(project=other.project).first()
    for kind, key in (("run", run.uid.hex), ("membership", str(hook.pk))):
        with pytest.raises(NotFound):
            past_of(team.manager, team.project, kind, key)
        assert client_of(a_person()).get(f"/p/{other.project.slug}/history/{kind}/{key}/").status_code == 404
    guest, alarms = a_person("Pip"), an_experiment(team.scientist, team.project)
    grant_access(team.manager, alarms, user=user_of(guest))
    mine, page = a_run(team.scientist, alarms), client_of(guest)
    assert page.get(f"/r/{mine.uid.hex}/history/").status_code == 200
    for row in (mine, a_run(team.scientist), Membership.objects.filter(project=team.project).first()):
        assert page.get(address_of(team.project, row)).status_code == 404  # the project itself is out of sight


def test_a_token_s_history_is_its_owner_s_alone(team):
    token = ApiToken.objects.get(pk=a_token(team.scientist, name="laptop")[0].pk)
    revoke_token(team.scientist, token=token)
    address = f"/me/tokens/{token.pk}/history/"
    text = text_of(client_of(team.scientist), address)
    assert "laptop" in text
    assert "revoked" in text
    assert token.digest not in text
    assert client_of(team.manager).get(address).status_code == 404
    assert address in text_of(client_of(team.scientist), "/me/tokens/")


def test_pages_lead_to_the_history_of_what_they_show(team):
    thing = everything(team.engineer, team.project)
    slug, page = team.project.slug, client_of(team.manager)
    leads = {
        f"/p/{slug}/members/": "/history/membership/",
        f"/p/{slug}/settings/": "/history/project/",
        f"/p/{slug}/experiments/": "/history/experiment/",
        f"/p/{slug}/datasets/{thing.dataset.pk}/v/1/history/": "/history/dataset-version/",
        f"/p/{slug}/models/{thing.version.model.name}/history/": "/history/registered-model/",
        f"/p/{slug}/logged-models/{thing.model.model_id}/": "/history/logged-model/",
        f"/r/{thing.run.uid.hex}/review/": "/history/finding/",
    }
    for address, way in leads.items():
        assert way in text_of(page, address), address
