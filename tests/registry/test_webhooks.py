"""Registry events go out as signed messages, at least once, and never to an address that is not public."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import pytest

from accounts.actions.governance import govern_project
from artifacts.actions.recall import reinstate_version, withdraw_version
from artifacts.models import DatasetVersion
from audit.ledger.acting import acting
from audit.ledger.verify import verify_ledger
from kernel import clock
from kernel.actor import Actor, operator, system
from kernel.errors import Conflict, Invalid, NotFound, Refused
from registry.actions.aliases import delete_alias, set_alias, transition_stage
from registry.actions.promotions import withdraw_promotion
from registry.actions.registered_models import create_registered_model
from registry.actions.versions import delete_version
from registry.actions.webhooks import create_webhook, edit_webhook, ping_webhook, resend_delivery, rotate_secret
from registry.models import Delivery, Webhook
from registry.queries.webhooks import deliveries_of, get_delivery, get_webhook, webhooks_of
from registry.tasks import send_due
from registry.webhooks import sending
from registry.webhooks.addresses import Unreachable, address_of, parsed_url
from registry.webhooks.events import EVENTS
from registry.webhooks.queue import ATTEMPTS_MAX, LEASE, PAUSES, send_next
from registry.webhooks.secrets import SecretLost, new_secret, unsealed
from registry.webhooks.sending import post
from tests.factories import Team, a_person, a_team, events, events_since
from tests.registry.promoting import a_candidate, approved_by, asked_for, governed, log_goes_on, with_password
from tests.services.receiver import Receiver

State = Delivery.State
SECRET = new_secret()


@pytest.fixture(autouse=True)
def data(settings: Any, tmp_path: Any, db: None) -> None:
    settings.MLED_DATA = tmp_path


@pytest.fixture
def team() -> Team:
    return a_team()


@pytest.fixture
def receiver(settings: Any, tmp_path: Any) -> Any:
    """A server on this machine, which the settings open for webhooks."""
    with Receiver(tmp_path / "receiver") as running:
        settings.MLED_WEBHOOK_ALLOW_NETWORKS = ["127.0.0.0/8", "::1/128"]
        settings.MLED_WEBHOOK_CA = running.authority
        yield running


def a_webhook(team: Team, url: str = "https://ci.example.org/mled", **more: Any) -> Webhook:
    return create_webhook(team.engineer, team.project, **({"url": url, "secret": SECRET} | more))


def told(webhook: Webhook) -> list[str]:
    return list(Delivery.objects.filter(webhook=webhook).order_by("created_at", "pk").values_list("event", flat=True))


def facts(webhook: Webhook, event: str) -> dict[str, Any]:
    body = Delivery.objects.filter(webhook=webhook, event=event).latest("created_at").body
    return dict(json.loads(body)["facts"])


def only(webhook: Webhook) -> Delivery:
    return Delivery.objects.get(webhook=webhook)


# --- What goes out


def test_every_registry_event_makes_a_message(team):
    webhook = a_webhook(team)
    version = a_candidate(team.scientist, team.project)
    set_alias(team.engineer, version.model, alias="champion", version=version)
    set_alias(team.engineer, version.model, alias="champion", version=version)
    transition_stage(team.engineer, version, stage="Staging", archive_existing=False)
    delete_alias(team.engineer, version.model, alias="champion")
    delete_version(team.engineer, version)
    assert told(webhook) == [
        "model.created", "version.created", "alias.set", "stage.changed", "alias.removed", "version.deleted",
    ]  # fmt: skip
    stage = facts(webhook, "stage.changed")
    assert (stage["from_stage"], stage["stage"], stage["version"]) == ("None", "Staging", 1)
    alias = facts(webhook, "alias.set")
    assert (alias["alias"], alias["from_version"], alias["model"]) == ("champion", None, version.model.name)
    assert alias["project"] == team.project.slug


def test_an_alias_that_moves_says_from_where(team):
    webhook = a_webhook(team, events=["alias.set"])
    first = a_candidate(team.scientist, team.project)
    second = a_candidate(team.scientist, team.project, model=first.model)
    for version in (first, second):
        set_alias(team.engineer, first.model, alias="best", version=version)
    assert told(webhook) == ["alias.set", "alias.set"]
    assert (facts(webhook, "alias.set")["from_version"], facts(webhook, "alias.set")["version"]) == (1, 2)


def test_promotions_tell_each_of_their_steps(team):
    governed(team)
    webhook = a_webhook(team, events=[event for event in EVENTS if event.startswith("promotion")])
    withdraw_promotion(team.scientist, asked_for(team))
    request = asked_for(team)
    approved_by(with_password(team.manager), request)
    log_goes_on()
    assert told(webhook) == [
        "promotion.asked", "promotion.withdrawn", "promotion.asked", "promotion.approved", "promotion.effective",
    ]  # fmt: skip
    body = json.loads(Delivery.objects.filter(webhook=webhook).latest("created_at").body)
    assert body["actor"]["name"] == "MLED"
    assert body["facts"]["target"] == "champion"
    (event,) = events(verb="registry.carry_out_promotion")
    assert body["ledger_event"] == str(event.event.pk)


def test_recalled_data_are_told(team):
    webhook = a_webhook(team, events=["dataset.recalled", "dataset.reinstated"])
    version = a_candidate(team.scientist, team.project).run.inputs.get().dataset_version
    withdraw_version(team.engineer, version, reason="Labels are wrong.")
    reinstate_version(team.engineer, DatasetVersion.objects.get(pk=version.pk), reason="They were right.")
    assert told(webhook) == ["dataset.recalled", "dataset.reinstated"]
    assert facts(webhook, "dataset.recalled")["why"] == "Labels are wrong."


def test_only_webhooks_of_the_project_that_want_it_and_are_on_are_told(team):
    other = a_team()
    wants = a_webhook(team, events=["model.created"])
    quiet = [
        a_webhook(team, events=["version.created"]),
        edit_webhook(team.engineer, a_webhook(team), is_active=False),
        a_webhook(other),
    ]
    create_registered_model(team.scientist, team.project, name="vitals")
    assert told(wants) == ["model.created"]
    assert [told(webhook) for webhook in quiet] == [[], [], []]


def test_an_act_that_fails_tells_nobody(team):
    webhook = a_webhook(team)

    def stumble() -> None:
        with acting(system(), "test.stumble", project_id=team.project.pk):
            create_registered_model(operator(), team.project, name="vitals")
            raise RuntimeError("a bug")

    with pytest.raises(RuntimeError):
        stumble()
    assert told(webhook) == []


# --- Sending


def test_a_message_arrives_signed_and_is_noted(team, receiver):
    webhook = a_webhook(team, receiver.url)
    create_registered_model(team.scientist, team.project, name="vitals")
    send_due()
    (got,) = receiver.got
    assert got.path == "/hooks?of=mled"
    assert got.headers["host"] == f"localhost:{receiver.port}"
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    message = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
    mac = base64.b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode()
    assert got.headers["webhook-signature"] == f"v1,{mac}"
    assert abs(time.time() - int(got.headers["webhook-timestamp"])) < 60
    assert got.headers["webhook-id"] == json.loads(got.body)["id"]
    assert got.headers["mled-delivery"] == str(only(webhook).pk)
    assert got.headers["mled-event"] == "model.created"
    assert json.loads(got.body)["facts"]["model"] == "vitals"
    delivered = only(webhook)
    assert (delivered.state, delivered.status_code, delivered.attempts) == (State.DELIVERED, 204, 1)
    send_due()
    assert len(receiver.got) == 1


def test_a_failure_is_tried_again_with_growing_pauses_and_then_given_up(team, receiver, monkeypatch):
    receiver.status, receiver.answer = 500, b"Out of order. " + b"x" * 5000
    webhook = a_webhook(team, receiver.url)
    create_registered_model(team.scientist, team.project, name="vitals")
    real, passed = clock._now, 0.0
    monkeypatch.setattr(clock, "_now", lambda: real() + passed)
    for attempt in range(1, ATTEMPTS_MAX + 1):
        assert send_next()
        assert not send_next(), "Not before its time."
        waiting = only(webhook)
        assert waiting.attempts == attempt
        assert waiting.error.startswith("Answered 500. Out of order.")
        assert len(waiting.error) <= 500
        if attempt < ATTEMPTS_MAX:
            assert waiting.state == State.WAITING
            passed += PAUSES[attempt - 1].total_seconds() + 1
    assert only(webhook).state == State.FAILED
    passed += 10**6
    assert not send_next()
    ids = {got.headers["webhook-id"] for got in receiver.got}
    assert len(receiver.got) == ATTEMPTS_MAX
    assert len(ids) == 1, "A receiver tells repeats by it."


def test_what_a_worker_left_behind_is_sent_by_another(team, receiver, monkeypatch):
    webhook = a_webhook(team, receiver.url)
    create_registered_model(team.scientist, team.project, name="vitals")

    def die(*about: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("registry.webhooks.queue.post", die)
    with pytest.raises(KeyboardInterrupt):
        send_next()
    monkeypatch.undo()
    assert only(webhook).state == State.SENDING
    assert not send_next(), "Its lease still runs."
    real = clock._now
    monkeypatch.setattr(clock, "_now", lambda: real() + LEASE.total_seconds() + 1)
    assert send_next()
    assert (only(webhook).state, only(webhook).attempts) == (State.DELIVERED, 2)


def test_a_slow_worker_does_not_overwrite_what_another_noted(team, receiver, monkeypatch):
    webhook = a_webhook(team, receiver.url)
    create_registered_model(team.scientist, team.project, name="vitals")

    def slowly(*about: Any) -> sending.Answer:
        Delivery.objects.filter(webhook=webhook).update(state=State.DELIVERED, attempts=2, status_code=200)
        return sending.Answer(None, "too late")

    monkeypatch.setattr("registry.webhooks.queue.post", slowly)
    send_next()
    assert (only(webhook).state, only(webhook).error) == (State.DELIVERED, "")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed(team, receiver, status):
    receiver.status, receiver.headers = status, {"Location": receiver.url}
    answer = post(receiver.url, b"{}", {})
    assert answer.status == status
    assert not answer.is_good
    assert "not followed" in answer.error
    assert len(receiver.got) == 1


def test_a_slow_server_is_given_five_seconds_in_all(receiver):
    receiver.pause = 3
    answer = post(receiver.url, b"{}", {}, seconds=0.8)
    assert answer == sending.Answer(None, "No answer within 0.8 seconds.")


def test_a_server_that_drips_is_given_no_more(receiver):
    receiver.drips, receiver.status, receiver.headers = True, 200, {"Content-Length": "200"}
    started = time.monotonic()
    post(receiver.url, b"{}", {}, seconds=0.8)
    assert time.monotonic() - started < 4


def test_a_certificate_of_another_authority_or_name_is_refused(receiver, settings, tmp_path):
    settings.MLED_WEBHOOK_CA = ""
    assert "certificate is not good" in post(receiver.url, b"{}", {}).error
    with Receiver(tmp_path / "other", name="other.example.org") as other:
        settings.MLED_WEBHOOK_CA = other.authority
        answer = post(other.url, b"{}", {})
    assert "certificate is not good" in answer.error
    assert receiver.got == other.got == []


def test_what_is_not_there_says_so(settings):
    settings.MLED_WEBHOOK_ALLOW_NETWORKS = ["127.0.0.0/8", "::1/128"]
    answer = post("https://localhost:1/", b"{}", {})
    assert answer.status is None
    assert "Nothing listens at that address" in answer.error


def test_a_secret_that_cannot_be_opened_any_more_fails_in_words(team, receiver, settings):
    webhook = a_webhook(team, receiver.url)
    create_registered_model(team.scientist, team.project, name="vitals")
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another"
    with pytest.raises(SecretLost):
        unsealed(webhook.secret)
    send_next()
    assert "make a new one" in only(webhook).error
    settings.SECRET_KEY_FALLBACKS = [old]
    assert unsealed(webhook.secret) == SECRET


# --- Where it may lead


@pytest.mark.parametrize(
    "url",
    [
        "http://ci.example.org/", "ftp://ci.example.org/", "file:///etc/passwd", "//ci.example.org", "", "https://",
        "https://user:word@ci.example.org/", "https://user@ci.example.org/", "https://ci.example.org/#part",
        "https://ci.example.org:0/", "https://ci.example.org:99999/", "https://ci.example.org/a b", "https://[::1",
        "https://ci.example.org/\r\nHost: inside", "https://ci.example.org/" + "x" * 1000, "https://münchen.example/",
        "https://127.0.0.1/", "https://10.0.0.7/", "https://192.168.1.1/", "https://172.16.0.1/",
        "https://169.254.169.254/latest/meta-data", "https://100.64.0.1/", "https://0.0.0.0/", "https://[::1]/",
        "https://[::ffff:127.0.0.1]/", "https://[::ffff:10.0.0.1]/", "https://[fe80::1]/", "https://[fd00::1]/",
        "https://[::]/", "https://224.0.0.1/", "https://255.255.255.255/", "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/", "https://[fe80::1%25eth0]/", "https://192.0.2.1/", "https://198.18.0.1/",
        "https://[::127.0.0.1]/", "https://192.88.99.1/", "https://[fec0::1]/",
    ],
)  # fmt: skip
def test_no_webhook_leads_there(team, url):
    with pytest.raises(Invalid) as refusal:
        a_webhook(team, url)
    assert refusal.value.field == "url"
    assert post(url, b"{}", {}).status is None


@pytest.mark.parametrize("url", ["https://ci.example.org", "https://8.8.8.8:8443/x?y=z", "https://[2606:4700::1111]/"])
def test_public_addresses_are_fine(team, url):
    assert a_webhook(team, url).url == url


def looked_up(monkeypatch: Any, *answers: list[str]) -> list[str]:
    """Names lead to these addresses, one list for each look-up; what was looked up."""
    asked: list[str] = []

    def getaddrinfo(host: str, port: int, **more: Any) -> list[Any]:
        asked.append(host)
        found = answers[min(len(asked), len(answers)) - 1]
        return [(2, 1, 6, "", (address, port)) for address in found]

    monkeypatch.setattr("registry.webhooks.addresses.socket.getaddrinfo", getaddrinfo)
    return asked


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["::1"], ["::ffff:127.0.0.1"], ["10.1.2.3"], ["169.254.169.254"], ["100.100.0.1"],
     ["fe80::1%eth0"], ["93.184.216.34", "127.0.0.1"]],
)  # fmt: skip
def test_a_name_that_leads_inside_is_not_called(monkeypatch, addresses):
    looked_up(monkeypatch, addresses)
    with pytest.raises(Unreachable, match="not a public address"):
        address_of(parsed_url("https://ci.example.org/"), seconds=1)


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "127.1", "0177.0.0.1"])
def test_numbers_that_mean_this_machine_are_not_called(host):
    answer = post(f"https://{host}/", b"{}", {})
    assert answer.status is None
    assert "public address" in answer.error or "cannot be found" in answer.error


def test_a_name_that_changes_its_mind_leads_nowhere_else(receiver, monkeypatch):
    """The address that was checked is the one that is called: a second look-up never happens."""
    asked = looked_up(monkeypatch, ["127.0.0.1"], ["10.9.9.9"])
    assert post(receiver.url, b"{}", {}).is_good
    assert asked == ["localhost"]


def test_a_name_that_leads_nowhere(monkeypatch):
    looked_up(monkeypatch, [])
    with pytest.raises(Unreachable, match="leads nowhere"):
        address_of(parsed_url("https://ci.example.org/"), seconds=1)


def test_a_look_up_that_hangs_is_not_waited_for(monkeypatch):
    monkeypatch.setattr("registry.webhooks.addresses.socket.getaddrinfo", lambda *about, **more: time.sleep(5) or [])
    started = time.monotonic()
    with pytest.raises(Unreachable, match="not found in time"):
        address_of(parsed_url("https://ci.example.org/"), seconds=0.2)
    assert time.monotonic() - started < 4


def test_a_webhook_made_before_a_network_was_closed_is_not_called(team, receiver, settings):
    webhook = a_webhook(team, receiver.url)
    settings.MLED_WEBHOOK_ALLOW_NETWORKS = []
    create_registered_model(team.scientist, team.project, name="vitals")
    send_next()
    assert "not a public address" in only(webhook).error
    assert receiver.got == []


# --- Keeping them


def test_who_keeps_webhooks(team):
    for person in (team.engineer, team.manager, team.administrator):
        create_webhook(person, team.project, url="https://ci.example.org/", secret=new_secret())
    for person in (team.scientist, team.auditor):
        with pytest.raises(Refused):
            create_webhook(person, team.project, url="https://ci.example.org/", secret=new_secret())
    with pytest.raises(NotFound):
        create_webhook(a_person(), team.project, url="https://ci.example.org/", secret=new_secret())
    assert webhooks_of(team.auditor, team.project).count() == 3
    assert not webhooks_of(team.scientist, team.project).exists()


def test_the_secret_is_in_no_record(team):
    def make() -> None:
        webhook = a_webhook(team)
        rotate_secret(team.engineer, webhook, secret=new_secret())

    for kept in events_since(make):
        secret = [pair for change in kept.changes for name, pair in change["fields"].items() if name == "secret"]
        assert all(value is None or value.startswith("sha256:") for pair in secret for value in pair)
        assert secret
    stored = Webhook.objects.get().secret
    assert SECRET not in stored
    assert unsealed(stored) != SECRET


def test_after_a_new_secret_the_old_one_signs_nothing(team, receiver):
    webhook = a_webhook(team, receiver.url)
    fresh = new_secret()
    create_registered_model(team.scientist, team.project, name="vitals")
    rotate_secret(team.engineer, webhook, secret=fresh)
    send_due()
    (got,) = receiver.got
    message = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
    key = base64.b64decode(fresh.removeprefix("whsec_"))
    assert (
        got.headers["webhook-signature"]
        == "v1," + base64.b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode()
    )


def test_sending_again_is_the_same_message_and_on_record(team, receiver):
    webhook = a_webhook(team, receiver.url)
    create_registered_model(team.scientist, team.project, name="vitals")
    send_due()
    (kept,) = events_since(lambda: resend_delivery(team.engineer, only(webhook)))
    assert (kept.verb, kept.changes) == ("registry.resend_delivery", [])
    assert kept.subject == f"registry.webhook {webhook.pk.hex}"
    send_due()
    first, second = receiver.got
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.headers["mled-delivery"] != second.headers["mled-delivery"]


def test_a_ping_says_hello(team, receiver):
    webhook = a_webhook(team, receiver.url, events=["model.created"])
    ping_webhook(team.manager, webhook)
    send_due()
    assert receiver.got[0].headers["mled-event"] == "ping"


def test_what_is_switched_off_sends_nothing(team, receiver):
    webhook = a_webhook(team, receiver.url)
    create_registered_model(team.scientist, team.project, name="vitals")
    webhook = edit_webhook(team.engineer, webhook, is_active=False)
    send_due()
    assert receiver.got == []
    assert (only(webhook).state, only(webhook).error) == (State.FAILED, "The webhook is switched off.")
    for send in (lambda: ping_webhook(team.engineer, webhook), lambda: resend_delivery(team.engineer, only(webhook))):
        with pytest.raises(Conflict, match="switched off"):
            send()


def test_what_cannot_be_a_webhook_is_named(team):
    for wanted, where in (({"events": ["model.eaten"]}, "events"), ({"secret": "hunter2"}, "secret")):
        with pytest.raises(Invalid) as refusal:
            a_webhook(team, **wanted)
        assert refusal.value.field == where
    for _ in range(20):
        a_webhook(team)
    with pytest.raises(Conflict, match="at most 20"):
        a_webhook(team)


def test_an_outsider_sees_none_of_it(team):
    webhook = a_webhook(team)
    create_registered_model(team.scientist, team.project, name="vitals")
    zoe: Actor = a_person()
    for look in (
        lambda who: get_webhook(who, webhook.pk),
        lambda who: get_delivery(who, only(webhook).pk),
        lambda who: edit_webhook(who, webhook, is_active=False),
        lambda who: rotate_secret(who, webhook, secret=new_secret()),
        lambda who: ping_webhook(who, webhook),
        lambda who: resend_delivery(who, only(webhook)),
    ):
        with pytest.raises(NotFound):
            look(zoe)
    assert list(deliveries_of(zoe, webhook)) == []
    assert get_delivery(team.auditor, only(webhook).pk).webhook == webhook


def test_it_all_agrees_with_the_log(team):
    webhook = a_webhook(team)
    edit_webhook(team.engineer, webhook, url="https://other.example.org/", events=["alias.set"])
    govern_project(operator(), team.project, is_governed=True, protected_names=["champion"])
    log_goes_on()
    assert verify_ledger().problems == []
