"""One's own account, members, groups and the directory over REST: what the pages and the console can do."""

import pytest

from accounts.actions.members import add_to_group, create_group
from accounts.models import GroupMember, Membership, User
from accounts.roles import Role, Scope
from audit.ledger.models import AuditEvent
from kernel.actor import operator
from tests import world
from tests.rest.conftest import Api, token_of

NOBODY = "00000000-0000-4000-8000-000000000000"


def last_event(verb):
    return AuditEvent.objects.filter(verb=verb).order_by("-id").first()


# --- One's own account


def test_one_learns_who_one_is_and_what_the_token_is_good_for(people, vision):
    me = Api(token_of(people["ada"], scopes=[Scope.LOG], days=3, projects=[vision])).get("me/")
    assert (me["email"], me["name"], me["site_roles"], me["groups"]) == ("ada@example.org", "Ada", [], [])
    assert (me["token"]["name"], me["token"]["scopes"]) == ("tests", ["log"])
    assert me["token"]["expires_at"]
    assert "secret" not in me["token"]


def test_one_s_projects_are_those_that_the_token_reaches(people, vision):
    other = world.project("third")
    world_role = {"slug": "vision", "key": "VIS", "name": "vision", "my_roles": ["data_scientist"]}
    from accounts.actions.members import add_member

    add_member(operator(), other, role=Role.ML_ENGINEER, user=people["ada"])
    narrow = Api(token_of(people["ada"], projects=[vision]))
    assert narrow.get("me/")["projects"] == [world_role]
    assert {one["slug"] for one in Api(token_of(people["ada"])).get("me/")["projects"]} == {"vision", "third"}


def test_a_session_has_no_token_to_tell_of(signed_in):
    me = signed_in("kim").get("me/")
    assert (me["token"], me["site_roles"]) == (None, ["administrator"])


def test_one_changes_one_s_own_name_and_look(api, people):
    changed = api("ada").send("PATCH", "me/", {"name": "Ada Lovelace", "theme": "dark"})
    assert (changed["name"], changed["theme"]) == ("Ada Lovelace", "dark")
    assert User.objects.get(pk=people["ada"].pk).name == "Ada Lovelace"
    reading = Api(token_of(people["ada"], scopes=[Scope.READ]))
    assert reading.send("PATCH", "me/", {"name": "x"}, expecting=403)["title"].startswith("The token")
    for wrong in ({"name": ""}, {"name": "a" * 121}, {"theme": "pink"}):
        api("ada").send("PATCH", "me/", wrong, expecting=400)


# --- Projects


def test_an_administrator_makes_a_project_in_person(api, signed_in):
    asked = {"slug": "icu-vitals", "name": "ICU vitals", "purpose": "Early warning."}
    assert "administrator" in api("kim").post("projects/", asked, expecting=403)["title"].lower()
    api("mia").post("projects/", asked, expecting=403)
    made = signed_in("kim").post("projects/", asked, expecting=201)
    assert (made["slug"], made["name"], made["purpose"]) == ("icu-vitals", "ICU vitals", "Early warning.")
    assert "project_manager" in made["my_roles"]
    assert signed_in("kim").post("projects/", asked, expecting=409)["field"] == "slug"
    assert signed_in("kim").post("projects/", {"slug": "Not So"}, expecting=400)["field"] == "slug"


# --- Members


def test_a_manager_adds_changes_and_removes_members(api, people):
    mia, where = api("mia"), "projects/vision/members/"
    made = mia.post(where, {"email": "EVE@example.org", "role": "data_scientist", "reason": "joins"}, expecting=201)
    assert (made["user"]["name"], made["role"]) == ("Eve", "data_scientist")
    event = last_event("accounts.add_member")
    assert (event.door, event.actor_id) == ("rest", people["mia"].pk)
    api("eve").get("projects/vision/")
    assert mia.post(where, {"email": "eve@example.org", "role": "data_scientist"}, expecting=409)["field"] == "email"
    one = f"{where}{made['id']}/"
    assert mia.get(one)["role"] == "data_scientist"
    assert mia.send("PATCH", one, {"role": "ml_engineer"})["role"] == "ml_engineer"
    mia.send("PATCH", one, {"role": "auditor"}, expecting=400)
    mia.client.delete(f"/api/v1/{one}")
    mia.get(one, expecting=404)
    api("eve").get("projects/vision/", expecting=404)


@pytest.mark.parametrize(
    ("who", "status"), [("ada", 403), ("bob", 403), ("ann", 403), ("eve", 404), ("kim", 403)]
)  # fmt: skip
def test_others_give_and_take_no_roles(api, vision, people, who, status):
    held = Membership.objects.get(project=vision, user=people["ada"])
    wanted = {"email": "nobody@example.org", "role": "data_scientist"}
    problem = api(who).post("projects/vision/members/", wanted, expecting=status)
    assert "nobody@" not in str(problem), "whoever may give no role learns nothing of who has an account"
    api(who).send("PATCH", f"projects/vision/members/{held.pk}/", {"role": "ml_engineer"}, expecting=status)
    api(who).send("DELETE", f"projects/vision/members/{held.pk}/", expecting=status)
    assert Membership.objects.get(pk=held.pk).role == Role.DATA_SCIENTIST


def test_rules_of_membership_hold_over_rest(api, vision, people):
    mia, where = api("mia"), "projects/vision/members/"
    mine = Membership.objects.get(project=vision, user=people["mia"])
    assert "own role" in mia.send("DELETE", f"{where}{mine.pk}/", expecting=403)["title"]
    auditor = Membership.objects.get(project=vision, user=people["ann"])
    assert "Administrator" in mia.send("DELETE", f"{where}{auditor.pk}/", expecting=403)["title"]
    both = mia.post(where, {"email": "ann@example.org", "role": "data_scientist"}, expecting=409)
    assert "both write and audit" in both["title"]
    mia.post(where, {"email": "nobody@example.org", "role": "data_scientist"}, expecting=404)
    for wrong in ({}, {"email": "eve@example.org", "group": "g"}, {"email": "eve@example.org", "role": "king"}):
        mia.post(where, {"role": "data_scientist", **wrong}, expecting=400)
    mia.get(f"{where}987654/", expecting=404)


def test_an_administrator_appoints_and_dismisses_in_person(api, signed_in, people):
    where = "projects/vision/members/"
    wanted = {"email": "eve@example.org", "role": "auditor"}
    api("kim").post(where, wanted, expecting=403)
    made = signed_in("kim").post(where, wanted, expecting=201)
    assert last_event("accounts.appoint_member").actor_id == people["kim"].pk
    assert signed_in("kim").client.delete(f"/api/v1/{where}{made['id']}/").status_code == 204
    assert last_event("accounts.dismiss_member").subject_id


def test_a_group_gets_a_role_in_a_project(api, people, vision):
    group = create_group(operator(), name="night shift")
    add_to_group(operator(), group=group, user=people["eve"])
    assert [one["name"] for one in api("mia").get("projects/vision/groups/")["results"]] == ["night shift"]
    for nosy in ("ada", "ann"):
        api(nosy).get("projects/vision/groups/", expecting=403)
    api("eve").get("projects/vision/groups/", expecting=404)
    made = api("mia").post(
        "projects/vision/members/", {"group": "night shift", "role": "ml_engineer"}, expecting=201
    )  # fmt: skip
    assert (made["group"], [one["name"] for one in made["people"]]) == ("night shift", ["Eve"])
    api("eve").get("projects/vision/")
    absent = api("mia").post("projects/vision/members/", {"group": "no", "role": "ml_engineer"}, expecting=404)
    assert absent["field"] == "group"


# --- Groups and people of the site


def test_groups_are_kept_by_administrators_in_person(api, signed_in, people):
    kim = signed_in("kim")
    made = kim.post("groups/", {"name": "night shift"}, expecting=201)
    assert kim.post("groups/", {"name": "night shift"}, expecting=409)["field"] == "name"
    where = f"groups/{made['id']}/"
    put_in = kim.post(f"{where}people/", {"email": "eve@example.org"})
    assert [one["name"] for one in put_in["people"]] == ["Eve"]
    kim.post(f"{where}people/", {"email": "eve@example.org"}, expecting=409)
    assert "themselves" in kim.post(f"{where}people/", {"email": "kim@example.org"}, expecting=403)["title"]
    assert api("kim").get(where) == put_in, "a token of an administrator reads"
    for who, status in (("kim", 403), ("mia", 403), ("eve", 403)):
        api(who).post("groups/", {"name": "x"}, expecting=status)
    for nosy in ("mia", "ada", "eve"):
        api(nosy).get("groups/", expecting=403)
        api(nosy).get(where, expecting=403)
    assert kim.send("DELETE", f"{where}people/{people['eve'].pk}/")["people"] == []
    kim.send("DELETE", f"{where}people/{people['eve'].pk}/", expecting=404)
    assert not GroupMember.objects.filter(user=people["eve"]).exists()
    kim.get(f"groups/{NOBODY}/", expecting=404)


def test_the_directory_is_for_those_who_keep_accounts(api, people):
    found = api("kim").get("users/", q="AD")["results"]
    assert [(one["email"], one["roles"][0]["project"]) for one in found] == [("ada@example.org", "vision")]
    assert api("kim").get(f"users/{people['kim'].pk}/")["roles"][0]["role"] == "administrator"
    assert api("kim").get("users/", is_active="false")["results"] == []
    for nosy in ("ada", "mia", "eve", "ann"):
        api(nosy).get("users/", expecting=403)
        api(nosy).get(f"users/{people['ada'].pk}/", expecting=403)
    api("kim").get(f"users/{NOBODY}/", expecting=404)


def test_an_administrator_makes_locks_and_opens_accounts_in_person(api, signed_in, people):
    kim = signed_in("kim")
    made = kim.post("users/", {"email": "New@Example.org"}, expecting=201)
    assert (made["email"], made["name"], made["is_active"]) == ("new@example.org", "new", True)
    assert kim.post("users/", {"email": "new@example.org"}, expecting=409)["field"] == "email"
    where, token = f"users/{people['ada'].pk}/", token_of(people["ada"])
    assert kim.post(f"{where}deactivate/", {}, expecting=400)["field"] == "reason"
    assert kim.post(f"{where}deactivate/", {"reason": "left"})["is_active"] is False
    Api(token).get("me/", expecting=401)
    assert kim.post(f"{where}reactivate/", {"reason": "back"})["is_active"] is True
    Api(token).get("me/", expecting=401)
    kim.post(f"users/{people['kim'].pk}/deactivate/", {"reason": "x"}, expecting=400)
    for who in ("kim", "mia"):
        api(who).post(f"{where}deactivate/", {"reason": "x"}, expecting=403)
        api(who).post("users/", {"email": "other@example.org"}, expecting=403)


def test_roles_of_the_whole_site(api, signed_in, people):
    kim = signed_in("kim")
    made = kim.post("site-roles/", {"email": "eve@example.org", "role": "project_manager"}, expecting=201)
    assert {one["role"] for one in api("kim").get("site-roles/")["results"]} == {"administrator", "project_manager"}
    assert (
        "own role" in kim.post("site-roles/", {"email": "kim@example.org", "role": "auditor"}, expecting=403)["title"]
    )
    kim.post("site-roles/", {"email": "eve@example.org", "role": "ml_engineer"}, expecting=400)
    api("kim").post("site-roles/", {"email": "bob@example.org", "role": "auditor"}, expecting=403)
    api("mia").post("site-roles/", {"email": "nobody@example.org", "role": "auditor"}, expecting=403)
    api("mia").get("site-roles/", expecting=403)
    assert kim.client.delete(f"/api/v1/site-roles/{made['id']}/").status_code == 204
    kim.send("DELETE", f"site-roles/{made['id']}/", expecting=404)
    own = Membership.objects.get(user=people["kim"])
    kim.send("DELETE", f"site-roles/{own.pk}/", expecting=403)


def test_tokens_of_others_are_revoked_with_a_reason(api, signed_in, people):
    secret = token_of(people["ada"])
    where = f"users/{people['ada'].pk}/tokens/"
    (token,) = signed_in("kim").get(where)["results"]
    assert secret.startswith(token["prefix"])
    revoke = f"{where}{token['id']}/revoke/"
    assert signed_in("kim").post(revoke, {}, expecting=400)["field"] == "reason"
    for who in ("kim", "mia", "bob"):
        api(who).get(where, expecting=403)
        api(who).post(revoke, {"reason": "x"}, expecting=403)
    assert signed_in("kim").post(revoke, {"reason": "leaked"})["is_live"] is False
    Api(secret).get("me/", expecting=401)
    signed_in("kim").post(f"users/{people['bob'].pk}/tokens/{token['id']}/revoke/", {"reason": "x"}, expecting=404)


# --- Erasing


def test_forgetting_tells_first_what_it_does(api, signed_in, people):
    where = f"users/{people['eve'].pk}/forget/"
    told = signed_in("kim").get(where)
    assert (told["person"]["name"], told["roles"]) == ("Eve", 1)
    assert User.objects.get(pk=people["eve"].pk).name == "Eve"
    wrong = signed_in("kim").post(where, {"email": "ada@example.org", "reason": "GDPR 17(1)(a)"}, expecting=400)
    assert wrong["field"] == "email"
    for who in ("kim", "mia", "eve"):
        api(who).get(where, expecting=404)
        api(who).post(where, {"email": "eve@example.org", "reason": "x"}, expecting=404)
    gone = signed_in("kim").post(where, {"email": "eve@example.org", "reason": "GDPR 17(1)(a)"})
    assert gone["name"].startswith("former user")
    signed_in("kim").post(where, {"email": gone["email"], "reason": "again"}, expecting=409)


def test_what_an_event_says_is_erased_in_person_on_a_legal_basis(api, signed_in, people):
    api("ada").send("PATCH", "me/", {"name": "Secret Name"})
    event = last_event("accounts.rename_me")
    asked = {"events": [str(event.pk)], "reason": "GDPR 17(1)(d), logged by mistake"}
    api("kim").post("events/erase/", asked, expecting=403)
    api("mia").post("events/erase/", asked, expecting=403)
    assert signed_in("kim").post("events/erase/", {"events": asked["events"]}, expecting=400)["field"] == "reason"
    assert signed_in("kim").post("events/erase/", asked) == {"erased": 1}
    assert signed_in("kim").post("events/erase/", asked) == {"erased": 0}
    signed_in("kim").post("events/erase/", {**asked, "events": [NOBODY]}, expecting=404)
