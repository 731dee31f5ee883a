"""A call that is sent again with its key happens once: the same answer, nothing more written, no failure kept."""

import datetime as dt
import json
from functools import partial

import pytest
from django.db import connection
from django.test import Client

from accounts.actions.members import remove_member
from accounts.answers import KEPT_FOR
from accounts.models import ApiToken, KeptAnswer, Membership
from accounts.roles import PERMISSIONS, Role, Scope
from accounts.tasks import forget_kept_answers
from artifacts.actions import uploads
from experiments.models import Experiment
from kernel.actor import operator
from kernel.digests import sha256_hex
from tests import world
from tests.factories import events
from tests.rest.conftest import Api, token_of
from tests.rest.reaching import reached_from
from tests.rest.test_door import VIEWS
from tests.together import together, values

EXPERIMENTS = "projects/vision/experiments/"


def sent(api: Api, path: str, body: object, key: str = "night-1", **headers: str):
    """The whole answer to a POST with a key."""
    return api.client.post(
        f"/api/v1/{path}", json.dumps(body), "application/json", headers={"Idempotency-Key": key, **headers}
    )


def made(name: str) -> int:
    return Experiment.objects.filter(name=name).count()


def test_the_same_call_again_gives_the_first_answer_and_writes_nothing(api, vision):
    first = sent(api("ada"), EXPERIMENTS, {"name": "icu", "tags": {"a": "1", "b": "2"}})
    written = len(events())
    again = sent(api("ada"), EXPERIMENTS, {"tags": {"b": "2", "a": "1"}, "name": "icu"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert ("Idempotent-Replay" in first, again["Idempotent-Replay"]) == (False, "true")
    assert (made("icu"), len(events())) == (1, written)


def test_a_key_stands_for_one_call_of_one_person(api, vision):
    sent(api("ada"), EXPERIMENTS, {"name": "icu"})
    other = sent(api("ada"), EXPERIMENTS, {"name": "other"})
    assert (other.status_code, other.json()["code"], other.json()["field"]) == (
        409, "IDEMPOTENCY_KEY_REUSED", "Idempotency-Key",
    )  # fmt: skip
    assert "key of its own" in other.json()["hint"]
    bob = sent(api("bob"), EXPERIMENTS, {"name": "other"})
    assert (bob.status_code, "Idempotent-Replay" in bob, bob.json()["name"]) == (201, False, "other")
    elsewhere = sent(api("bob"), f"{EXPERIMENTS}{bob.json()['id']}/delete/", {"reason": "twice"})
    assert (elsewhere.status_code, "Idempotent-Replay" in elsewhere) == (200, False)


@pytest.mark.parametrize("key", ["k" * 201, "né", "a\tb"])
def test_a_key_that_is_none_is_told(api, vision, key):
    wrong = sent(api("ada"), EXPERIMENTS, {"name": "icu"}, key)
    assert (wrong.status_code, wrong.json()["field"]) == (400, "Idempotency-Key")
    assert made("icu") == 0


def test_a_refused_or_failed_call_is_not_kept(api, vision, people):
    assert sent(api("ada"), EXPERIMENTS, {"name": ""}).status_code == 400
    assert sent(api("ada"), EXPERIMENTS, {"name": "icu"}).status_code == 201
    assert sent(api("ann"), EXPERIMENTS, {"name": "icu 2"}).status_code == 403
    world.add_member(operator(), vision, role=Role.DATA_SCIENTIST, user=people["kim"])
    assert sent(api("kim"), EXPERIMENTS, {"name": "icu"}, "second").status_code == 409
    assert KeptAnswer.objects.count() == 1


def test_that_something_was_refused_is_still_in_the_log(api, vision):
    assert PERMISSIONS["compliance.hold"].privileged
    before = len(events(outcome="denied"))
    assert sent(api("ada"), "projects/vision/holds/", {"reason": "a trial"}).status_code == 403
    assert len(events(outcome="denied")) == before + 1
    assert not KeptAnswer.objects.exists()


def test_who_lost_the_right_gets_no_stored_answer(api, vision, people):
    assert sent(api("ada"), EXPERIMENTS, {"name": "icu"}).status_code == 201
    narrow = Api(token_of(people["ada"], scopes=[Scope.READ]))
    assert sent(narrow, EXPERIMENTS, {"name": "icu"}).status_code == 403
    elsewhere = Api(token_of(people["ada"], projects=[world.project("second")]))
    assert sent(elsewhere, EXPERIMENTS, {"name": "icu"}).status_code == 404
    remove_member(operator(), Membership.objects.get(user=people["ada"], project=vision))
    assert sent(api("ada"), EXPERIMENTS, {"name": "icu"}).status_code == 404


def test_a_secret_is_shown_once_and_kept_nowhere(api, people):
    first = sent(api("ada"), "tokens/", {"name": "night"})
    secret = first.json()["secret"]
    again = sent(api("ada"), "tokens/", {"name": "night"})
    assert (again.status_code, again["Idempotent-Replay"], again.json()["secret"]) == (201, "true", "")
    assert again.json() == {**first.json(), "secret": ""}
    assert ApiToken.objects.filter(user=people["ada"], name="night").count() == 1
    assert secret not in KeptAnswer.objects.get().body
    assert Client(headers={"authorization": f"Bearer {secret}"}).get("/api/v1/projects/").status_code == 200


def test_answers_are_forgotten_after_a_week(api, vision):
    old = KEPT_FOR + dt.timedelta(minutes=1)
    for key, age in (("old", old), ("young", KEPT_FOR - dt.timedelta(minutes=1))):
        sent(api("ada"), EXPERIMENTS, {"name": key}, key)
        kept = KeptAnswer.objects.get(key=key)
        KeptAnswer.objects.filter(key=key).update(at=kept.at - age)
    assert sent(api("ada"), EXPERIMENTS, {"name": "new"}, "old").status_code == 201
    KeptAnswer.objects.filter(key="old").update(at=KeptAnswer.objects.get(key="young").at - old)
    forget_kept_answers()
    assert [kept.key for kept in KeptAnswer.objects.all()] == ["young"]


def test_calls_with_one_key_at_the_same_moment_make_one(committed_db):
    vision = world.project("vision")
    ada = Api(token_of(world.person("ada", Role.DATA_SCIENTIST, vision)))
    answers = values(together(*[partial(sent, ada, EXPERIMENTS, {"name": "icu"}) for _ in range(4)]))
    assert [answer.status_code for answer in answers] == [201] * 4
    assert len({answer.content for answer in answers}) == 1
    assert sorted("Idempotent-Replay" in answer for answer in answers) == [False, True, True, True]
    assert made("icu") == 1


@pytest.mark.once
def test_a_view_that_takes_no_key_says_why():
    posting = [view for _, view in VIEWS if "POST" in view.needs]
    assert len(posting) > 30
    assert [view.__name__ for view in posting if view.happens_anew and len(view.happens_anew) < 20] == []


SLOW = "outside a transaction"  # what the docstring of a slow act says


def slow_ones(view: type) -> set[str]:
    """The slow acts that a view's POST leads to."""
    reached = reached_from(view, "post")
    return {one.__name__ for one in reached if SLOW in " ".join((one.__doc__ or "").split())}


@pytest.mark.once
def test_no_slow_act_holds_the_database_for_the_sake_of_a_key():
    slow = {view: slow_ones(view) for _, view in VIEWS if "POST" in view.needs}
    assert {view.__name__ for view, acts in slow.items() if acts} >= {"FinishUpload", "BulkActs", "Bundles"}
    assert {view.__name__: acts for view, acts in slow.items() if acts and not view.happens_anew} == {}


def test_an_upload_is_put_together_outside_a_transaction_even_where_a_key_came(api, vision, monkeypatch):
    upload = api("ada").post("projects/vision/uploads/", {"size_bytes": 3}, expecting=201)["id"]
    piece = {"Upload-Offset": "0"}
    assert api("ada").client.patch(f"/api/v1/uploads/{upload}/", b"abc", "application/octet-stream", headers=piece)
    around, within = len(connection.savepoint_ids), []
    assembled = uploads.assembled

    def watched(*given):
        within.append(len(connection.savepoint_ids))
        return assembled(*given)

    monkeypatch.setattr(uploads, "assembled", watched)
    finished = [sent(api("ada"), f"uploads/{upload}/finish/", None) for _ in range(2)]
    assert [answer.status_code for answer in finished] == [200, 200]
    assert finished[0].json() == finished[1].json() == {"digest": sha256_hex(b"abc"), "size_bytes": 3}
    assert within == [around]


@pytest.mark.parametrize(
    ("path", "wrapped"), [("metrics/", lambda point: point), ("batch/", lambda point: {"metrics": [point]})]
)
def test_points_that_say_when_need_no_key_and_keep_no_answer(api, run, path, wrapped):
    """A run that logs every ten seconds would else leave 60,000 rows in a week."""

    def left() -> tuple[int, int]:
        history = api("ada").get("runs/VIS-1/metric-history/", key="loss")
        return len(history["steps"]), KeptAnswer.objects.count()

    to, timed, untimed = f"runs/VIS-1/{path}", {"key": "loss", "value": 1, "at_ms": 5}, {"key": "loss", "value": 2}
    assert [sent(api("ada"), to, wrapped(timed)).status_code for _ in range(2)] == [200, 200]
    assert left() == (1, 0)
    answers = [sent(api("ada"), to, wrapped(untimed), "other") for _ in range(2)]
    assert ["Idempotent-Replay" in answer for answer in answers] == [False, True]
    assert left() == (2, 1)
    assert sent(api("ada"), to, [], "third").status_code == 400
