"""Models that went into runs and came out of them, over REST."""

from registry.actions.logged_models import create_logged_model
from tests import world


def test_models_of_a_run_are_noted_and_listed(api, ada, people, vision, run):
    made = create_logged_model(ada, run.experiment, name="detector", source_run=run)
    other = world.run(ada, run.experiment)
    here = f"runs/{other.uid.hex}/models/"
    sent = {"inputs": [made.model_id], "outputs": [{"model": made.model_id, "step": 2**62}]}
    noted = api("ada").post(here, sent)
    assert noted == sent
    assert api("ada").post(here, sent) == sent
    assert api("mia").get(here) == sent
    assert api("ada").get(f"runs/{run.uid.hex}/models/") == {"inputs": [], "outputs": []}
    api("ann").post(here, sent, expecting=403)
    api("eve").post(here, sent, expecting=404)
    api("eve").get(here, expecting=404)
    api("ada").post(here, {"inputs": ["m-" + "0" * 32]}, expecting=404)
    api("ada").post(here, {"outputs": [{"step": 1}]}, expecting=400)
