"""Projects, members, experiments and tokens over REST."""

from tests import world


def names(page):
    return [row["name"] for row in page["results"]]


def test_one_sees_one_s_own_projects(api):
    assert names(api("ada").get("projects/")) == ["vision"]
    assert names(api("eve").get("projects/")) == ["other"]
    assert names(api("kim").get("projects/")) == ["other", "vision"]


def test_a_project_tells_one_s_roles(api):
    project = api("ada").get("projects/vision/")
    assert (project["slug"], project["key"], project["my_roles"]) == ("vision", "VIS", ["data_scientist"])


def test_another_team_s_project_is_not_there(api):
    absent = api("eve").get("projects/no-such/", expecting=404)
    for path in ("", "members/", "experiments/", "events/", "experiments/0/"):
        foreign = api("eve").get(f"projects/vision/{path}", expecting=404)
        assert foreign["title"].replace("vision", "no-such") == absent["title"]


def test_members_with_their_roles(api, vision, people):
    from accounts.actions.members import add_member, add_to_group, create_group
    from accounts.roles import Role
    from kernel.actor import operator

    group = create_group(operator(), name="night shift")
    add_to_group(operator(), group=group, user=people["eve"])
    add_member(operator(), vision, role=Role.ML_ENGINEER, group=group)
    rows = api("ada").get("projects/vision/members/")["results"]
    assert {(row["user"] or {}).get("name") or row["group"]: row["role"] for row in rows} == {
        "Ada": "data_scientist", "Bob": "ml_engineer", "Mia": "project_manager", "Ann": "auditor",
        "night shift": "ml_engineer",
    }  # fmt: skip
    assert [person["name"] for row in rows for person in row["people"]] == ["Eve"]


def test_lists_come_in_pages(api, ada, vision):
    from experiments.actions.experiments import create_experiment

    for number in range(7):
        create_experiment(ada, vision, name=f"e{number}")
    page, found = api("ada").get("projects/vision/experiments/", limit=3), []
    while page:
        found += names(page)
        page = api("ada").client.get(page["next"]).json() if page["next"] else None
    assert found == [f"e{number}" for number in reversed(range(7))] + ["Default"]


def test_an_experiment_from_making_to_restoring(api):
    bob = api("bob")
    made = bob.post("projects/vision/experiments/", {"name": "cats / new", "tags": {"team": "blue"}}, expecting=201)
    where = f"projects/vision/experiments/{made['id']}/"
    assert bob.get(where)["tags"] == {"team": "blue"}
    assert bob.send("PATCH", where, {"name": "cats/old"})["name"] == "cats/old"
    assert bob.post(where + "delete/")["lifecycle"] == "deleted"
    assert "cats/old" not in names(bob.get("projects/vision/experiments/"))
    assert names(bob.get("projects/vision/experiments/", lifecycle="deleted")) == ["cats/old"]
    bob.send("PATCH", where, {"name": "x"}, expecting=409)
    bob.post(where + "delete/", expecting=404)
    assert bob.post(where + "restore/")["lifecycle"] == "active"
    assert names(bob.get("projects/vision/experiments/", name="CATS")) == ["cats/old"]


def test_a_taken_name_is_a_conflict(api):
    api("ada").post("projects/vision/experiments/", {"name": "cats"}, expecting=201)
    problem = api("ada").post("projects/vision/experiments/", {"name": "cats"}, expecting=409)
    assert (problem["code"], problem["field"]) == ("ALREADY_EXISTS", "name")


def test_roles_hold_for_experiments(api):
    made = api("bob").post("projects/vision/experiments/", {"name": "bob's"}, expecting=201)
    where = f"projects/vision/experiments/{made['id']}/"
    api("mia").post("projects/vision/experiments/", {"name": "x"}, expecting=403)
    api("ann").send("PATCH", where, {"name": "x"}, expecting=403)
    api("ada").post(where + "delete/", expecting=403)
    api("eve").post(where + "delete/", expecting=404)
    api("eve").send("PATCH", where, {"name": "x"}, expecting=404)
    api("kim").get(where, expecting=404)
    problem = api("mia").post(where + "delete/", expecting=400)
    assert problem["field"] == "reason"
    assert api("mia").post(where + "delete/", {"reason": "cleaning up"})["lifecycle"] == "deleted"


def test_the_default_experiment_is_number_0(api):
    assert api("ada").get("projects/vision/experiments/0/")["is_default"] is True


def test_odd_experiment_ids_are_not_there(api):
    for odd in ("-1", "x", "99999999999999999999", "٣", "1e3", "%00"):
        api("ada").get(f"projects/vision/experiments/{odd}/", expecting=404)


def test_a_token_shows_its_secret_once(api, people):
    ada = api("ada")
    asked = {"name": "laptop", "scopes": ["read"], "days": 7, "projects": ["vision"], "default_project": "vision"}
    made = ada.post("tokens/", asked, expecting=201)
    assert made["secret"].startswith(made["prefix"])
    kept = ada.get(f"tokens/{made['id']}/")
    assert "secret" not in kept
    assert "digest" not in kept
    assert (kept["scopes"], kept["default_project"], kept["is_live"]) == (["read"], "vision", True)
    from tests.rest.conftest import Api

    assert names(Api(made["secret"]).get("projects/")) == ["vision"]


def test_a_token_is_not_made_where_what_should_narrow_it_is_misspelt(api):
    ada = api("ada")
    for wrong in ({"scope": ["read"]}, {"project": "vision"}):
        said = ada.post("tokens/", {"name": "narrow", **wrong}, expecting=400)
        assert (said["field"], "scopes" in said["hint"]) == (*wrong, True)
    assert "narrow" not in [token["name"] for token in ada.get("tokens/")["results"]]


def test_a_revoked_token_stays_in_the_list_and_opens_nothing(api):
    from tests.rest.conftest import Api

    ada = api("ada")
    made = ada.post("tokens/", {"name": "old"}, expecting=201)
    assert ada.send("DELETE", f"tokens/{made['id']}/")["is_live"] is False
    assert ada.send("DELETE", f"tokens/{made['id']}/")["is_live"] is False, "a second time changes nothing"
    Api(made["secret"]).get("projects/", expecting=401)
    assert made["id"] in [token["id"] for token in ada.get("tokens/")["results"]]


def test_tokens_are_one_s_own(api):
    made = api("ada").post("tokens/", {"name": "mine"}, expecting=201)
    for stranger in ("eve", "bob", "kim"):
        api(stranger).get(f"tokens/{made['id']}/", expecting=404)
        api(stranger).send("DELETE", f"tokens/{made['id']}/", expecting=404)
        assert made["id"] not in [token["id"] for token in api(stranger).get("tokens/")["results"]]


def test_who_audits_or_administers_makes_tokens_that_only_read(signed_in):
    for name in ("ann", "kim"):
        told = signed_in(name).post("tokens/", {"name": "x", "scopes": ["read", "log"]}, expecting=403)
        assert "act in person" in str(told)
        assert signed_in(name).post("tokens/", {"name": "y"}, expecting=201)["scopes"] == ["read"]


def test_a_token_cannot_make_a_stronger_one_nor_reach_another_project(api, people):
    from accounts.roles import Scope
    from tests.rest.conftest import Api, token_of

    managing = Api(token_of(people["ada"], scopes=[Scope.MANAGE]))
    managing.post("tokens/", {"name": "more", "scopes": ["log"]}, expecting=403)
    api("ada").post("tokens/", {"name": "x", "projects": ["other"]}, expecting=404)
    for wrong in ({"days": 0}, {"days": 366}, {"scopes": []}, {"scopes": ["all"]}, {"name": ""}, {"days": "x"}):
        api("ada").post("tokens/", {"name": "x", **wrong}, expecting=400)


def test_lists_take_the_same_few_queries_whatever_their_length(api, ada, vision, django_assert_max_num_queries):
    experiment = world.default_experiment(vision)
    for number in range(20):
        world.run(ada, experiment, name=f"r{number}")
    client = api("ada")
    for path in ("projects/", "projects/vision/members/", "projects/vision/experiments/", "runs/"):
        with django_assert_max_num_queries(8):
            client.get(path)
