"""Many clients at once at the registry: one winner where there can be one, numbers without gaps, no alias torn."""

from collections import Counter

from tests.client.test_concurrency import CLIENTS, all_at_once, status
from tests.client.test_registered_models import a_version, found, register
from tests.client.wire import Wire, mled_only, unique


def test_145_of_many_who_create_one_model_one_wins_and_the_others_hear_that_it_exists(wire: Wire) -> None:
    name = unique("race")
    codes: list[str] = []

    def create(own: Wire, _: int) -> int:
        answer = own.call("POST", "api/2.0/mlflow/registered-models/create", json={"name": name})
        codes.append(answer.json().get("error_code", "made"))
        return answer.status_code

    assert Counter(all_at_once(wire, create)) == {200: 1, 400: CLIENTS - 1}
    assert Counter(codes) == {"made": 1, "RESOURCE_ALREADY_EXISTS": CLIENTS - 1}


def test_146_versions_made_at_once_are_numbered_without_gap_or_double(wire: Wire) -> None:
    name = register(wire)

    def create(own: Wire, _: int) -> int:
        return sum(10 ** (3 * at) * int(a_version(own, name)) for at in range(3))

    packed = all_at_once(wire, create)
    numbers = [one // 10 ** (3 * at) % 1000 for one in packed for at in range(3)]
    assert sorted(numbers) == list(range(1, 3 * CLIENTS + 1))


def test_an_alias_that_many_set_at_once_stands_for_one_version(wire: Wire) -> None:
    name = register(wire)
    numbers = [a_version(wire, name) for _ in range(CLIENTS)]

    def place(own: Wire, client: int) -> int:
        return status(own, "registered-models/alias", name=name, alias="best", version=numbers[client])

    assert all_at_once(wire, place) == [200] * CLIENTS
    [alias] = found(wire, name)["aliases"]
    assert alias["version"] in numbers
    standing = wire.get("registered-models/alias", name=name, alias="best")["model_version"]
    assert standing["version"] == alias["version"]


@mled_only
def test_a_stage_that_many_claim_at_once_ends_with_one_in_it(wire: Wire) -> None:
    name = register(wire)
    numbers = [a_version(wire, name) for _ in range(CLIENTS)]

    def claim(own: Wire, client: int) -> int:
        asked = {"version": numbers[client], "stage": "Production", "archive_existing_versions": True}
        return status(own, "model-versions/transition-stage", name=name, **asked)

    assert all_at_once(wire, claim) == [200] * CLIENTS
    rows = wire.get("model-versions/search", filter=f"name = '{name}'")["model_versions"]
    assert Counter(one["current_stage"] for one in rows) == {"Production": 1, "Archived": CLIENTS - 1}


def test_a_version_deleted_while_an_alias_is_set_leaves_no_alias_behind(wire: Wire) -> None:
    name = register(wire)
    number = a_version(wire, name)

    def act(own: Wire, client: int) -> int:
        if client % 2:
            return status(own, "registered-models/alias", name=name, alias=f"a{client}", version=number)
        asked = {"name": name, "version": number}
        return own.call("DELETE", "api/2.0/mlflow/model-versions/delete", json=asked).status_code

    answers = all_at_once(wire, act)
    assert Counter(answers[0::2]) == {200: 1, 404: CLIENTS // 2 - 1}
    assert set(answers[1::2]) <= {200, 404}
    assert not found(wire, name).get("aliases")
