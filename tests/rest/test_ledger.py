"""The log over REST: heads, keys and proofs for everybody who is signed in, what events say for those who read it."""

import base64
import json
import subprocess
import sys

import pytest

from accounts.actions.members import create_group
from audit.ledger import merkle
from audit.ledger.checkpoints import verify
from audit.ledger.keys import parse_public_key
from audit.ledger.models import AuditEvent, Checkpoint
from audit.ledger.offline import mled_verify
from audit.ledger.sequencer import Sequencer
from kernel.actor import operator
from tests import world


@pytest.fixture
def first(run):
    """The head over everything up to the run."""
    Sequencer().run_until_empty()
    return Checkpoint.objects.order_by("-size").first()


@pytest.fixture
def second(first):
    """A later head."""
    create_group(operator(), name="later")
    Sequencer().run_until_empty()
    return Checkpoint.objects.order_by("-size").first()


def made_run():
    return AuditEvent.objects.filter(verb="experiments.create_run").order_by("-id").first()


def includes(proof):
    """Computed here from what the answer holds alone."""
    leaf = merkle.leaf_hash(proof["leaf"].encode())
    assert leaf.hex() == proof["leaf_hash"]
    path = [bytes.fromhex(step) for step in proof["path"]]
    head = proof["checkpoint"]
    return merkle.includes(bytes.fromhex(head["root"]), head["size"], proof["seq"], leaf, path)


def text(client, path):
    answer = client.client.get(f"/api/v1/{path}", headers={"accept": "text/plain"})
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"].startswith("text/plain")
    return answer.content.decode()


def test_everybody_who_is_signed_in_sees_heads_and_keys(api, second, first):
    for who in ("ada", "mia", "ann", "eve", "kim"):
        assert [one["size"] for one in api(who).get("checkpoints/")["results"]][:1] == [second.size]
    newest = api("eve").get("checkpoints/newest/")
    assert (newest["size"], newest["root"]) == (second.size, second.root)
    assert api("eve").get(f"checkpoints/{first.size}/")["root"] == first.root
    api("eve").get(f"checkpoints/{second.size + 9}/", expecting=404)
    api("eve").get("checkpoints/99999999999999999999999/", expecting=404)


def test_a_head_as_text_is_the_note_that_a_kept_key_accepts(api, second):
    keys = [parse_public_key(line) for line in text(api("eve"), "log/keys/").splitlines()]
    assert [one["line"] for one in api("eve").get("log/keys/")] == [key.line() for key in keys]
    note = text(api("eve"), "checkpoints/newest/")
    head = verify(note, {key.id: key for key in keys})
    assert (head.size, head.root.hex()) == (second.size, second.root)
    assert base64.b64encode(head.root).decode() in note
    assert text(api("eve"), f"checkpoints/{second.size}/") == note


def test_the_proof_of_an_event_is_computed_anew_from_its_answer(api, run, first, second):
    event = made_run()
    for size in (None, first.size, second.size):
        proof = api("ada").get(f"events/{event.pk}/proof/", **({"size": size} if size else {}))
        assert proof["checkpoint"]["size"] == (size or second.size)
        assert includes(proof)
    leaf = json.loads(proof["leaf"])
    assert leaf["verb"] == "experiments.create_run"
    assert "first try" not in proof["leaf"], "a leaf commits to what an event says and does not say it"


def test_a_proof_says_which_head_does_not_cover_the_event(api, run, first):
    late = api("ada").send("PATCH", "me/", {"name": "Late"}) and AuditEvent.objects.order_by("-id").first()
    waiting = api("ada").get(f"events/{late.pk}/proof/", expecting=409)
    assert "does not cover" in waiting["title"]
    Sequencer().run_until_empty()
    assert includes(api("ada").get(f"events/{late.pk}/proof/"))
    old = api("ada").get(f"events/{late.pk}/proof/", size=first.size, expecting=409)
    assert "newer head" in old["hint"]
    api("ada").get(f"events/{late.pk}/proof/", size=first.size + 10_000, expecting=404)
    for wrong in ("x", "0", "-1", "1" * 30):
        assert api("ada").get(f"events/{late.pk}/proof/", size=wrong, expecting=400)["field"] == "size"


def test_a_proof_is_for_those_who_may_read_the_event(api, run, second):
    of_run = f"events/{made_run().pk}/proof/"
    of_site = f"events/{AuditEvent.objects.get(verb='accounts.create_group').pk}/proof/"
    of_project = f"events/{AuditEvent.objects.filter(verb='accounts.appoint_member').first().pk}/proof/"
    allowed = {
        of_run: {"ada", "bob", "mia", "ann"},  # whoever sees the run
        of_project: {"bob", "mia", "ann"},  # whoever reads the project's log
        of_site: {"kim"},
    }
    for path, able in allowed.items():
        for who in ("ada", "bob", "mia", "ann", "eve", "kim"):
            api(who).get(path, expecting=200 if who in able else 404)
    api("ada").get("events/00000000-0000-4000-8000-000000000000/proof/", expecting=404)


def test_that_the_log_only_grew_is_computed_anew(api, first, second):
    told = api("eve").get("log/consistency/", old=first.size)
    path = [bytes.fromhex(step) for step in told["path"]]
    roots = bytes.fromhex(told["old"]["root"]), bytes.fromhex(told["new"]["root"])
    assert (told["old"]["size"], told["new"]["size"]) == (first.size, second.size)
    assert merkle.is_continued(roots[0], first.size, roots[1], second.size, path)
    assert api("eve").get("log/consistency/", old=second.size, new=second.size)["path"] == []
    assert api("eve").get("log/consistency/", old=second.size, new=first.size, expecting=400)["field"] == "old"
    assert api("eve").get("log/consistency/", expecting=400)["field"] == "old"
    assert api("eve").get("log/consistency/", old=second.size + 5, new=second.size + 9, expecting=404)["field"] == "old"


def test_how_the_log_stands(api, second):
    eve = api("eve")
    told = eve.get("log/")
    assert (told["head"]["size"], told["waiting"], told["troubles"]) == (second.size, 1, []), "Eve's token waits"
    Sequencer().run_until_empty()
    assert eve.get("log/")["waiting"] == 0


def test_before_the_first_head_there_is_nothing_to_prove(api, run):
    assert api("ada").get("log/")["head"] is None
    api("ada").get("checkpoints/newest/", expecting=404)
    api("ada").get(f"events/{made_run().pk}/proof/", expecting=404)
    api("ann").post("projects/vision/log/bundles/", {}, expecting=409)


def test_a_project_s_log_comes_as_lines_whose_leaves_are_in_the_log(api, run, second):
    answer = api("ann").client.get("/api/v1/projects/vision/log/lines/", {"kind": "experiments.run"})
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/x-ndjson")
    lines = [json.loads(line) for line in b"".join(answer).splitlines()]
    assert [line["leaf"]["verb"] for line in lines] == ["experiments.create_run"]
    taken = AuditEvent.objects.filter(verb="compliance.export_log").get()
    assert taken.door == "rest"
    assert api("mia").client.get("/api/v1/projects/vision/log/lines/").status_code == 200
    for who, status in (("ada", 403), ("eve", 404), ("kim", 403)):
        api(who).get("projects/vision/log/lines/", expecting=status)
    assert api("ann").get("projects/vision/log/lines/", outcome="maybe", expecting=400)["field"] == "outcome"


def test_the_log_is_verified_on_the_spot(api, run, second):
    assert api("ann").get("projects/vision/log/check/", limit=2)["checked"] == 2
    whole = api("ann").get("projects/vision/log/check/", limit=500)
    assert (whole["waiting"], whole["wrong"], whole["next"]) == (0, "", None)
    api("ada").get("projects/vision/log/check/", expecting=403)
    api("eve").get("projects/vision/log/check/", expecting=404)


def test_a_sealed_bundle_is_asked_for_and_verified_offline(api, run, second, tmp_path):
    ann = api("ann")
    made = ann.post("projects/vision/log/bundles/", {"filter": {"kind": "experiments.run"}}, expecting=201)
    where = f"projects/vision/log/bundles/{made['id']}/"
    assert (made["events"], made["is_covered"]) == (1, False)
    ann.get(f"{where}file", expecting=409)
    Sequencer().run_until_empty()
    assert ann.get(where)["is_covered"] is True
    bundle, keys = tmp_path / "log.mledlog", tmp_path / "ledger.pub"
    bundle.write_bytes(b"".join(ann.client.get(f"/api/v1/{where}file")))
    keys.write_text(text(ann, "log/keys/"))
    command = [sys.executable, mled_verify.__file__, str(bundle), "--key", str(keys)]
    said = subprocess.run(command, capture_output=True, text=True)
    assert said.returncode == 0, said.stdout + said.stderr
    for who, status in (("ada", 403), ("eve", 404)):
        api(who).post("projects/vision/log/bundles/", {}, expecting=status)
        api(who).get(where, expecting=status)
    wrong = ann.post("projects/vision/log/bundles/", {"filter": {"outcome": "maybe"}}, expecting=400)
    assert wrong["field"] == "outcome"


def test_the_anchored_heads_are_for_keeping_elsewhere(api, second):
    """Whatever kind of file the client says it takes."""
    answer = api("eve").client.get("/api/v1/log/anchors/", headers={"accept": "text/plain"})
    assert answer.status_code == 200
    kept = [json.loads(line)["note"] for line in b"".join(answer).splitlines()]
    assert second.note in kept


# --- How things were


def test_members_as_they_were_and_what_differs(api, vision, people, run):
    from accounts.models import Membership

    before = AuditEvent.objects.order_by("-id").first().at.isoformat()
    held = Membership.objects.get(project=vision, user=people["ada"])
    api("mia").send("PATCH", f"projects/vision/members/{held.pk}/", {"role": "ml_engineer"})
    after = AuditEvent.objects.order_by("-id").first().at.isoformat()
    told = api("ann").get("projects/vision/as-of/", **{"what": "members", "at": before, "and": after})
    assert told["first"]["parts"]["Members"]["Ada"] == "Data scientist"
    assert [(one["name"], one["after"]) for one in told["differences"]] == [("Ada", "ML engineer")]
    assert api("ann").get("projects/vision/as-of/", at=before)["second"] is None
    assert api("ann").get("projects/vision/as-of/", what="rights")["first"]["parts"]
    of_run = api("ann").get("projects/vision/as-of/", what=f"run:{run.readable_id}")
    assert of_run["first"]["parts"]["Run"]["name"] == "first try"


@pytest.mark.parametrize(
    ("asked", "field"), [({"what": "dinner"}, "what"), ({"at": "noon"}, "at"), ({"and": "0001-01-01"}, "and")]
)
def test_a_wrong_question_about_the_past_names_its_field(api, asked, field):
    assert api("ann").get("projects/vision/as-of/", expecting=400, **asked)["field"] == field


def test_the_past_is_for_those_who_read_the_log(api, run):
    api("ada").get("projects/vision/as-of/", expecting=403)
    api("eve").get("projects/vision/as-of/", expecting=404)
    api("ann").get("projects/vision/as-of/", what="run:VIS-999", expecting=404)


def test_what_happened_to_one_object_is_for_whoever_sees_it(api, run, people, vision):
    page = api("ada").get(f"projects/vision/history/run/{run.uid.hex}/", limit=1)
    assert page["results"][0]["verb"] == "experiments.create_run"
    assert page["next"] is None
    api("eve").get(f"projects/vision/history/run/{run.uid.hex}/", expecting=404)
    api("ada").get("projects/vision/history/run/nothing/", expecting=404)
    api("ada").get(f"projects/vision/history/dinner/{run.uid.hex}/", expecting=404)
    token = api("ada").get("tokens/")["results"][0]["id"]
    assert api("ada").get(f"tokens/{token}/history/")["results"][0]["verb"] == "accounts.create_token"
    api("bob").get(f"tokens/{token}/history/", expecting=404)


def test_my_work_is_what_waits_for_me(api, signed_in, run, people, vision):
    empty = api("bob").get("my-work/")
    assert set(empty) == {"reviews", "findings", "answers", "promotions", "purges", "duties", "reports"}
    assert empty["reviews"] == []
    from experiments.actions.runs import update_run

    update_run(world.at(people["ada"]), run, status="FINISHED", ended_ms=2000)
    api("ada").post(f"runs/{run.readable_id}/reviews/", {}, expecting=201)
    waits = {"project": "vision", "waiting": 1, "trail_overdue": False, "access_overdue": False}
    assert signed_in("ann").get("my-work/")["duties"] == [waits]
    assert api("ann").get("my-work/")["duties"] == [waits], "a token reads what waits, though it decides nothing"
    assert api("ada").get("my-work/")["duties"] == []
