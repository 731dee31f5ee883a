"""Comments, names and notes over REST."""

import uuid

from tests.rest.conftest import Api


def patched(api: Api, path: str, body: dict, expecting: int = 200, **headers: str) -> dict:
    import json

    sent = api.client.generic(
        "PATCH", f"/api/v1/{path}", json.dumps(body), content_type="application/json", headers=headers
    )
    assert sent.status_code == expecting, sent.content
    return sent.json()


def test_a_comment_is_said_changed_and_taken_back(api, run):
    place = f"runs/{run.uid.hex}/comments/"
    key = str(uuid.uuid4())
    said = api("ada").post(place, {"text": "Look, @Bob", "key": key}, expecting=201)
    assert (said["id"], said["user"], said["version"]) == (key, "Ada", 1)
    assert api("ada").post(place, {"text": "Look, @Bob", "key": key}, expecting=201) == said
    changed = api("ada").send("PATCH", f"{place}{key}/", {"text": "See", "version": 1})
    assert (changed["text"], changed["version"]) == ("See", 2)
    late = api("ada").send("PATCH", f"{place}{key}/", {"text": "Mine", "version": 1}, expecting=409)
    assert "changed meanwhile" in late["title"]
    assert [one["text"] for one in api("ann").get(place)["results"]] == ["See"]
    api("bob").post(f"{place}{key}/remove/", {}, expecting=403)
    assert api("mia").post(f"{place}{key}/remove/", {}, expecting=400)["field"] == "reason"
    gone = api("mia").post(f"{place}{key}/remove/", {"reason": "Rude."})
    assert (gone["text"], gone["removed_by"], gone["removed_why"]) == ("", "Mia", "Rude.")


def test_another_team_finds_no_comment(api, run):
    key = api("ada").post(f"runs/{run.uid.hex}/comments/", {"text": "ours"}, expecting=201)["id"]
    for path in (f"runs/{run.uid.hex}/comments/", f"runs/{run.uid.hex}/comments/{key}/"):
        api("eve").get(path, expecting=404)
    api("ada").get(f"runs/{run.uid.hex}/comments/{uuid.uuid4()}/", expecting=404)


def test_a_note_changes_only_with_the_version_that_was_read(api, run):
    here = f"runs/{run.uid.hex}/"
    read = api("ada").get(here)
    assert f'"{read["notes_version"]}"' != api("ada").client.get(f"/api/v1/{here}")["ETag"]
    assert patched(api("ada"), here, {"note": "x"}, expecting=400)["field"] == "expected"
    first = patched(api("ada"), here, {"note": "first"}, **{"If-Match": f'"{read["notes_version"]}"'})
    assert first["tags"]["mlflow.note.content"] == "first"
    late = patched(api("ada"), here, {"note": "late", "expected": read["notes_version"]}, expecting=409)
    assert "nothing was saved" in late["title"]
    both = patched(api("ada"), here, {"note": "both", "name": "renamed", "expected": first["notes_version"]})
    assert (both["name"], both["tags"]["mlflow.note.content"]) == ("renamed", "both")
    patched(api("ada"), here, {"note": ""}, **{"If-Match": "*"})
    patched(api("bob"), here, {"note": "theirs", "expected": "*"}, expecting=403)
    patched(api("eve"), here, {"note": "theirs", "expected": "*"}, expecting=404)


def test_people_who_can_be_mentioned_see_the_run(api, run):
    told = api("ada").get(f"runs/{run.uid.hex}/people/")
    assert {"name": "Mia", "email": "mia@example.org"} in told
    assert "eve@example.org" not in {one["email"] for one in told}
    api("eve").get(f"runs/{run.uid.hex}/people/", expecting=404)
