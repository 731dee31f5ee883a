"""The bytes of a leaf: the same on both databases, and canonical JSON to the letter."""

import datetime as dt
from uuid import UUID

import pytest
import rfc8785
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from audit.ledger import canonical
from audit.ledger.models import AuditEvent
from audit.ledger.values import plain
from kernel.digests import canonical_json

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
times = st.datetimes(min_value=dt.datetime(1970, 1, 1), max_value=dt.datetime(2200, 1, 1), timezones=st.just(dt.UTC))


def events(text: st.SearchStrategy[str]) -> st.SearchStrategy[AuditEvent]:
    return st.builds(
        AuditEvent,
        id=st.uuids(),
        project_id=st.none() | st.uuids(),
        actor_kind=st.just("user"),
        actor_id=st.none() | st.uuids(),
        actor_roles=text,
        token_id=st.none() | st.uuids(),
        door=st.just("rest"),
        client=text,
        request_id=text,
        verb=text,
        outcome=st.sampled_from(["done", "denied"]),
        subject_type=text,
        subject_id=text,
        client_ms=st.none() | st.integers(-(2**63), 2**63 - 1),
        at=times,
        commitment=st.just("0" * 64),
    )


def by_definition(event: AuditEvent) -> bytes:
    return canonical_json({name: plain(getattr(event, name)) for name in canonical.LEAF_COLUMNS} | {"v": 1})


def test_every_column_of_an_event_is_in_its_leaf():
    assert sorted(canonical.LEAF_COLUMNS) == sorted(field.column for field in AuditEvent._meta.concrete_fields)
    assert list(canonical.LEAF_COLUMNS) == sorted(canonical.LEAF_COLUMNS)


@pytest.mark.once
@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**53) + 1, 2**53 - 1)
        | st.floats(allow_nan=False, allow_infinity=False)
        | texts,
        lambda parts: st.lists(parts) | st.dictionaries(texts, parts),
    )
)
def test_the_quick_way_to_canonical_json_is_the_one_of_the_standard(value):
    assert canonical_json(value) == rfc8785.dumps(value)


@given(events(texts))
def test_a_leaf_is_the_canonical_json_of_its_event(event):
    row = [getattr(event, name) for name in canonical.LEAF_COLUMNS]
    assert canonical.leaf_bytes(row) == by_definition(event)


@pytest.mark.django_db
def test_what_is_read_back_from_the_database_makes_the_same_leaf():
    awkward = ['"\\/\b\f\n\r\t\x1f\x7f', "\u2028 é ü 𝄞 \ufffe", "", "  x  "]
    for number, text in enumerate(awkward):
        for at in (dt.datetime(2026, 1, 2, 3, 4, 5, 0, dt.UTC), dt.datetime(2026, 1, 2, 3, 4, 5, 60, dt.UTC)):
            event = AuditEvent(
                id=UUID(int=number * 2 + at.microsecond // 60), client=text, verb=text, at=at,
                client_ms=[None, 2**53, -(2**63), 0][number], project_id=UUID(int=7), commitment="0" * 64,
            )  # fmt: skip
            event.save(force_insert=True)
            with connection.cursor() as cursor:
                columns = canonical.leaf_select(connection.vendor, "event")
                cursor.execute(f"SELECT {columns} FROM ledger_auditevent event ORDER BY event.id DESC LIMIT 1")
                stored = canonical.leaf_bytes(cursor.fetchone())
            assert stored == by_definition(event)
            assert stored == by_definition(AuditEvent.objects.get(id=event.id))


def test_a_stored_value_of_a_strange_type_is_unreadable():
    row = [None] * len(canonical.LEAF_COLUMNS)
    row[4] = b"\xff"
    with pytest.raises(canonical.Unreadable):
        canonical.leaf_bytes(row)
