"""What one read has a tag, and a change may ask that it is still so: no two people overwrite each other unknowingly."""

import inspect
import json
import threading
from functools import partial

import pytest

from accounts.actions.projects import edit_project
from accounts.models import Project
from accounts.rest.conditions import Condition, tags_in
from accounts.rest.door import RestView
from accounts.roles import Role, Scope
from experiments.actions.experiments import rename_experiment
from experiments.models import Experiment
from experiments.rest.files import RunFile
from tests import world
from tests.factories import a_file, events
from tests.rest.conftest import Api, token_of
from tests.together import together, values

PROJECT = "projects/vision/"


def tag(api: Api, path: str) -> str:
    return str(api.client.get(f"/api/v1/{path}")["ETag"])


def sent(api: Api, method: str, path: str, body: object = None, **headers: str):
    text = json.dumps({} if body is None else body)
    return api.client.generic(method, f"/api/v1/{path}", text, "application/json", headers=headers)


def an_experiment(api: Api) -> str:
    return f"{PROJECT}experiments/{api.post(f'{PROJECT}experiments/', {'name': 'icu'}, expecting=201)['id']}/"


@pytest.mark.once
def test_tags_are_read_as_proxies_write_them():
    assert tags_in('"a", W/"b",c') == {"a", "b", "c"}
    assert tags_in("*") == {"*"}
    assert tags_in("") == set()


def test_what_one_has_already_is_not_sent_again(api, vision):
    first = api("ada").client.get(f"/api/v1/{PROJECT}")
    same = api("ada").client.get(f"/api/v1/{PROJECT}", headers={"If-None-Match": first["ETag"]})
    assert (same.status_code, same.content, same["ETag"]) == (304, b"", first["ETag"])
    assert "Content-Type" not in same
    weak = api("ada").client.get(f"/api/v1/{PROJECT}", headers={"If-None-Match": f'"x", W/{first["ETag"]}'})
    assert weak.status_code == 304
    assert api("ada").client.head(f"/api/v1/{PROJECT}")["ETag"] == first["ETag"]
    assert first["Cache-Control"] == "private, no-cache"
    assert tag(api("mia"), PROJECT) != first["ETag"], "Her own roles stand in it."
    api("mia").send("PATCH", PROJECT, {"name": "Sight"})
    fresh = api("ada").client.get(f"/api/v1/{PROJECT}", headers={"If-None-Match": first["ETag"]})
    assert (fresh.status_code, fresh.json()["name"]) == (200, "Sight")


def test_a_change_of_what_was_read_passes_and_of_anything_else_does_not(api, vision):
    read = tag(api("mia"), PROJECT)
    changed = sent(api("mia"), "PATCH", PROJECT, {"name": "Sight"}, **{"If-Match": read})
    assert (changed.status_code, changed["ETag"]) == (200, tag(api("mia"), PROJECT))
    written = len(events())
    late = sent(api("mia"), "PATCH", PROJECT, {"name": "Late"}, **{"If-Match": read})
    assert (late.status_code, late["Content-Type"]) == (412, "application/problem+json")
    assert (late["ETag"], late.json()["code"], late.json()["field"]) == (
        changed["ETag"], "PRECONDITION_FAILED", "If-Match",
    )  # fmt: skip
    assert changed["ETag"] in late.json()["hint"]
    assert len(events()) == written
    assert sent(api("mia"), "PATCH", PROJECT, {"name": "Again"}, **{"If-Match": changed["ETag"]}).status_code == 200
    assert sent(api("mia"), "PATCH", PROJECT, {"name": "Any"}, **{"If-Match": "*"}).status_code == 200
    assert sent(api("mia"), "PATCH", PROJECT, {"name": "As ever"}).status_code == 200


def test_an_act_below_a_thing_speaks_of_the_thing(api, vision):
    here = an_experiment(api("ada"))
    read = tag(api("ada"), here)
    api("ada").send("PATCH", here, {"name": "renamed"})
    assert sent(api("ada"), "POST", f"{here}delete/", {"reason": "old"}, **{"If-Match": read}).status_code == 412
    now = tag(api("ada"), here)
    assert sent(api("ada"), "POST", f"{here}delete/", {"reason": "old"}, **{"If-Match": now}).status_code == 200


def test_who_may_not_read_compares_nothing(api, vision, people):
    here = an_experiment(api("ada"))
    assert sent(api("eve"), "PATCH", here, {"name": "x"}, **{"If-Match": "*"}).status_code == 404
    assert sent(api("ann"), "PATCH", here, {"name": "x"}, **{"If-Match": tag(api("ann"), here)}).status_code == 403
    blind = Api(token_of(people["ada"], scopes=[Scope.LOG]))
    assert sent(blind, "PATCH", here, {"name": "x"}, **{"If-Match": "*"}).status_code == 403


def test_a_run_s_notes_may_be_named_by_their_version(api, run):
    here = f"runs/{run.uid.hex}/"
    version = api("ada").get(here)["notes_version"]
    first = sent(api("ada"), "PATCH", here, {"note": "one"}, **{"If-Match": f'"{version}"'})
    assert first.status_code == 200
    assert sent(api("ada"), "PATCH", here, {"note": "two"}, **{"If-Match": f'"{version}"'}).status_code == 412
    assert sent(api("ada"), "PATCH", here, {"note": "two"}, **{"If-Match": first["ETag"]}).status_code == 200


def test_a_file_is_named_by_its_digest_and_comparing_reads_none(api, ada, run, monkeypatch):
    a_file(ada, run, "model/weights.bin", b"one")
    here = f"runs/{run.uid.hex}/files/model/weights.bin"
    read = tag(api("ada"), here)
    a_file(ada, run, "model/weights.bin", b"two")
    now = tag(api("ada"), here)
    monkeypatch.setattr(RunFile, "get", lambda *given, **named: pytest.fail("A file is not taken out to be compared."))
    late = sent(api("ada"), "DELETE", here, **{"If-Match": read})
    assert (late.status_code, late["ETag"]) == (412, now)
    assert sent(api("ada"), "DELETE", here, **{"If-Match": now}).status_code == 204
    assert sent(api("ada"), "DELETE", here, **{"If-Match": now}).status_code == 404


def test_an_export_has_no_state_to_compare_and_leaves_no_trace_of_being_asked(api, run):
    mine = api("ada")
    before = len(events())
    answer = sent(mine, "POST", "search/export/?format=csv", {"project": "vision"}, **{"If-Match": "*"})
    assert (answer.status_code, answer.json()["field"]) == (400, "If-Match")
    assert len(events()) == before


def test_whatever_is_written_where_a_file_is_given_says_how_it_is_compared():
    both = {kind for kind in rest_views() if set(kind.needs) - {"GET"} and _gives_file(kind)}
    assert RunFile in both
    assert [kind for kind in both if not kind.gives_file] == []


def rest_views() -> list[type[RestView]]:
    found = [RestView]
    for kind in found:  # grows while it is read
        found += [one for one in kind.__subclasses__() if one not in found]
    return found


def _gives_file(kind: type[RestView]) -> bool:
    read = getattr(kind, "get", None)
    return read is not None and "HttpResponseBase" in str(inspect.signature(read).return_annotation)


def test_a_key_that_was_used_answers_though_the_thing_has_changed_since(api, vision):
    here = an_experiment(api("ada"))
    headers = {"If-Match": tag(api("ada"), here), "Idempotency-Key": "k"}
    first = sent(api("ada"), "POST", f"{here}delete/", {"reason": "old"}, **headers)
    again = sent(api("ada"), "POST", f"{here}delete/", {"reason": "old"}, **headers)
    assert (first.status_code, again.status_code, again["Idempotent-Replay"]) == (200, 200, "true")


@pytest.fixture
def ada_alone(committed_db):
    """Ada, at a project in a database that commits."""
    vision = world.project("vision")
    ada = world.person("ada", Role.DATA_SCIENTIST, vision)
    return ada, Api(token_of(ada))


def test_of_changes_to_what_was_read_at_the_same_moment_one_passes(ada_alone, monkeypatch):
    """All of them have read and compared before the first one writes."""
    _, api = ada_alone
    here, clients = an_experiment(api), 3
    read, all_compared, plain = tag(api, here), threading.Barrier(clients), Condition.ask

    def ask(condition):
        plain(condition)
        if not condition.was_asked:
            all_compared.wait(timeout=20)

    monkeypatch.setattr(Condition, "ask", ask)
    renamed = [partial(sent, api, "PATCH", here, {"name": f"n{one}"}, **{"If-Match": read}) for one in range(clients)]
    answers = values(together(*renamed))
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412]
    won = next(answer for answer in answers if answer.status_code == 200)
    assert Experiment.objects.get(is_default=False).name == won.json()["name"]


def test_a_change_through_another_door_in_between_is_not_overwritten(ada_alone, monkeypatch):
    ada, api = ada_alone
    mia = world.person("mia", Role.PROJECT_MANAGER, Project.objects.get())
    manager, here, plain = Api(token_of(mia)), an_experiment(api), Condition.ask

    def by_the_page():
        rename_experiment(world.at(ada), Experiment.objects.get(is_default=False), name="by the page")
        edit_project(world.at(mia), Project.objects.get(), name="by the page")

    def ask(condition):
        plain(condition)
        if not condition.was_asked:
            by_the_page()

    tags = [(who, path, tag(who, path)) for who, path in ((api, here), (manager, PROJECT))]
    monkeypatch.setattr(Condition, "ask", ask)
    for who, path, read in tags:
        assert sent(who, "PATCH", path, {"name": "by a script"}, **{"If-Match": read}).status_code == 412
    assert Experiment.objects.get(is_default=False).name == Project.objects.get().name == "by the page"
