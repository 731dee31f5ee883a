"""The plain Python below everything: ids, times, digests, page tokens, errors, actors."""

from __future__ import annotations

import ast
import base64
import datetime as dt
import json
import threading
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel import clock, errors
from kernel.actor import Actor, ActorKind, Door, anonymous, operator, system
from kernel.clock import from_ms, now, now_ms
from kernel.digests import canonical_json, commitment, sha256_hex
from kernel.errors import Invalid, MledError
from kernel.ids import uuid7
from kernel.paging import decode_token, encode_token, question_digest
from tests.services.processes import ROOT

# --- Ids


def test_ids_made_one_after_the_other_are_in_that_order():
    made = [uuid7() for _ in range(20_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_ids_are_version_7_of_the_rfc():
    made = uuid7()
    assert (made.version, made.variant) == (7, "specified in RFC 4122")


def test_an_id_tells_the_moment_it_was_made():
    before = now_ms()
    made = uuid7()
    assert before <= made.int >> 80 <= now_ms() + 20  # a busy process may run a little ahead


def test_ids_of_many_threads_never_clash():
    made: list[UUID] = []

    def make() -> None:
        made.extend([uuid7() for _ in range(2000)])

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 16_000


# --- Times


def test_now_is_aware_and_in_utc():
    assert now().tzinfo is dt.UTC


def test_a_test_that_moves_the_clock_moves_all_of_it(monkeypatch):
    monkeypatch.setattr(clock, "_now", lambda: 1_700_000_000.5)
    assert now() == dt.datetime(2023, 11, 14, 22, 13, 20, 500_000, tzinfo=dt.UTC)
    assert now_ms() == 1_700_000_000_500


@given(st.integers(-(2**63), 2**63 - 1))
def test_any_time_of_a_client_is_a_moment_or_none(ms):
    moment = from_ms(ms)
    assert moment is None or abs(moment.timestamp() * 1000 - ms) < 1000


@pytest.mark.parametrize("ms", [2**63 - 1, -(2**63), 10**17])
def test_a_time_that_no_calendar_holds_is_none(ms):
    assert from_ms(ms) is None


# --- Digests


def test_sha256_is_the_well_known_one():
    assert sha256_hex(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_canonical_json_has_one_form():
    assert canonical_json({"b": 1, "a": [1.0, "ä", None, True]}) == '{"a":[1,"ä",null,true],"b":1}'.encode()
    assert canonical_json({"b": 2, "a": 1}) == canonical_json({"a": 1, "b": 2})


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
SAFE = 2**53 - 1
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-SAFE, SAFE) | st.floats(-SAFE, SAFE) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_canonical_json_says_the_same_and_reads_back_into_itself(value):
    told = canonical_json(value)
    assert json.loads(told) == value
    assert canonical_json(json.loads(told)) == told


def test_a_commitment_needs_both_salt_and_body():
    assert commitment(b"salt", b"body") != commitment(b"salt", b"other")
    assert commitment(b"salt", b"body") != commitment(b"pepper", b"body")
    assert len(commitment(b"salt", b"body")) == 64


# --- Page tokens

POSITIONS = st.lists(st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXT)


@given(POSITIONS)
def test_a_token_brings_back_its_position(position):
    question = question_digest("runs", 1)
    token = encode_token(question, position)
    assert decode_token(question, token) == position
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_no_token_is_the_first_page():
    assert decode_token("q", None) is None
    assert decode_token("q", "") is None


def test_a_token_of_another_question_is_refused():
    token = encode_token(question_digest("runs", "a"), [1])
    with pytest.raises(Invalid, match="another query"):
        decode_token(question_digest("runs", "b"), token)


@given(st.text(max_size=80) | st.binary(max_size=60).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_an_invented_token_is_refused_in_words(text):
    if text:
        with pytest.raises(Invalid) as refused:
            decode_token("0123456789ab", text)
        assert refused.value.field == "page_token"


# --- Errors


def all_errors() -> list[type[MledError]]:
    return [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, MledError)]


def test_every_error_has_a_status_and_a_code_of_its_own_words():
    assert len(all_errors()) > 10
    for kind in all_errors():
        assert 400 <= kind.status < 600
        assert kind.code == kind.code.upper()
        assert kind.__doc__


def test_a_users_mistake_is_never_the_servers():
    """MLflow's client retries 408, 429 and 5xx for minutes."""
    again = {kind.__name__ for kind in all_errors() if kind.status >= 500 or kind.status in (408, 429)}
    assert again == {"NotServed", "TooMany", "Unavailable"}


def test_an_error_says_what_and_what_next():
    told = Invalid("The name is blank.", hint="Give one.", field="name")
    assert str(told) == "The name is blank. Give one."
    assert (told.message, told.hint, told.field) == ("The name is blank.", "Give one.", "name")
    assert str(Invalid("The name is blank.")) == "The name is blank."


# --- Actors


def test_only_a_signed_in_user_is_a_person():
    user = Actor(ActorKind.USER, Door.WEB, user_id=UUID(int=1))
    assert user.is_person
    for other in (operator(), system(), anonymous(Door.WEB), Actor(ActorKind.USER, Door.WEB)):
        assert not other.is_person


def test_an_actor_does_not_change_and_its_memory_is_its_own():
    first, second = operator(), operator()
    with pytest.raises(AttributeError):
        first.kind = ActorKind.USER
    first.memo["x"] = 1
    assert second.memo == {}
    assert first == second
    assert "memo" not in repr(first)


# --- The list is closed


def test_the_kernel_is_what_its_docstring_lists_and_knows_no_framework():
    words = ast.get_docstring(ast.parse((ROOT / "kernel" / "__init__.py").read_text())) or ""
    files = {path.stem for path in (ROOT / "kernel").glob("*.py")} - {"__init__"}
    listed = {word.strip(" .,") for word in words.partition(":")[2].split()}
    assert files == listed
