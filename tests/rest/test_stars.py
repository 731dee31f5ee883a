"""Stars and moves over REST: one's own only, again without a change, refused with a reason."""

from experiments.actions.experiments import create_experiment
from experiments.models import Run, Star
from experiments.queries.experiments import wire_id
from tests.factories import events_since


def test_a_star_is_set_listed_and_taken_back(api, run):
    ada = api("ada")
    for _ in range(2):
        assert ada.send("PUT", f"runs/{run.uid.hex}/star/")["run"] == run.uid.hex
    assert [row["id"] for row in ada.get("runs/", starred="true")["results"]] == [run.uid.hex]
    assert ada.get("runs/", q="starred = true")["results"] != []
    assert api("bob").get("runs/", starred="true")["results"] == []
    assert [row["id"] for row in ada.get("runs/", mine="true")["results"]] == [run.uid.hex]
    assert api("bob").get("runs/", mine="true")["results"] == []
    assert ada.get("runs/", mine="false")["results"] == []
    assert api("bob").client.delete(f"/api/v1/runs/{run.uid.hex}/star/").status_code == 204
    assert Star.objects.count() == 1
    assert ada.client.delete(f"/api/v1/runs/{run.uid.hex}/star/").status_code == 204
    assert Star.objects.count() == 0
    api("eve").send("PUT", f"runs/{run.uid.hex}/star/", expecting=404)


def test_a_run_is_moved_within_its_project(api, ada, people, vision, run):
    place = create_experiment(ada, vision, name="other place")
    wanted = {"experiment": wire_id(place), "reason": "tidy"}
    assert api("ada").post(f"runs/{run.uid.hex}/move/", wanted)["experiment_name"] == "other place"
    assert events_since(lambda: api("ada").post(f"runs/{run.uid.hex}/move/", wanted)) == []
    assert api("ada").post(f"runs/{run.uid.hex}/move/", {"experiment": "0"})["experiment"] == "0"
    assert "Project manager" in str(api("mia").post(f"runs/{run.uid.hex}/move/", wanted, expecting=403))
    api("eve").post(f"runs/{run.uid.hex}/move/", wanted, expecting=404)
    api("ada").post(f"runs/{run.uid.hex}/move/", {"experiment": "987654"}, expecting=404)
    assert "experiment" in str(api("ada").post(f"runs/{run.uid.hex}/move/", {}, expecting=400))
    assert Run.objects.get(pk=run.pk).experiment.is_default
