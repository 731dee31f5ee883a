"""Records rebuilt from changes, held against rows."""

from hypothesis import given
from hypothesis import strategies as st

from audit.ledger.evidence import Kind, Problem
from audit.ledger.replay import Change, FoundRow, compare, same

PARAMS = Kind("test.param", list)
PEOPLE = Kind("test.person", list, defaults={"name": None, "theme": "auto"})
KINDS = {kind.name: kind for kind in (PARAMS, PEOPLE)}


def change(kind: Kind, row_id: str, operation: str, **fields: object) -> Change:
    return {"type": kind.name, "id": row_id, "op": operation, "fields": {k: [None, v] for k, v in fields.items()}}


def problems(changes: list[Change], rows: list[FoundRow], *, parts: int = 1) -> list[Problem]:
    found: list[Problem] = []
    compare(changes, rows, KINDS, found.append, parts=parts)
    return sorted(found, key=repr)


def test_rows_as_their_events_left_them_are_sound():
    changes = [
        change(PEOPLE, "1", "create", name="Ada", theme="dark"),
        change(PEOPLE, "1", "update", name="Ada L."),
        change(PARAMS, "r", "set", lr="0.1", depth="3"),
        change(PARAMS, "r", "set", depth=None),
        change(PEOPLE, "2", "create", name="Bo", theme="auto"),
        change(PEOPLE, "2", "delete", name=None, theme=None),
    ]
    rows = [("test.person", "1", {"name": "Ada L.", "theme": "dark"}), ("test.param", "r", {"lr": "0.1"})]
    assert problems(changes, rows) == []


def test_the_field_that_differs_is_named_with_both_values():
    changes = [change(PEOPLE, "1", "create", name="Ada", theme="dark")]
    (problem,) = problems(changes, [("test.person", "1", {"name": "Eve", "theme": "dark"})])
    assert (problem.kind, problem.id, problem.field) == ("test.person", "1", "name")
    assert (problem.expected, problem.found) == ("Ada", "Eve")


def test_a_row_without_events_is_named():
    (problem,) = problems([], [("test.person", "9", {"name": "Eve"})])
    assert (problem.kind, problem.id) == ("test.person", "9")


def test_a_row_that_is_there_twice_is_named():
    row = ("test.person", "1", {"name": "Ada", "theme": "dark"})
    (problem,) = problems([change(PEOPLE, "1", "create", name="Ada", theme="dark")], [row, row])
    assert (problem.kind, problem.id) == ("test.person", "1")


def test_a_row_that_is_gone_is_named():
    (problem,) = problems([change(PARAMS, "r", "set", lr="0.1")], [])
    assert (problem.kind, problem.id) == ("test.param", "r")


def test_a_param_that_no_event_set_is_named():
    changes = [change(PARAMS, "r", "set", lr="0.1")]
    (problem,) = problems(changes, [("test.param", "r", {"lr": "0.1", "depth": "9"})])
    assert (problem.field, problem.expected, problem.found) == ("depth", None, "9")


def test_a_change_of_a_record_that_nothing_made_is_named():
    assert problems([change(PEOPLE, "1", "delete")], [])[0].id == "1"
    assert problems([change(PEOPLE, "1", "update", name="Eve")], [])[0].id == "1"


def test_a_column_that_came_later_holds_its_default():
    changes = [change(PEOPLE, "1", "create", name="Ada")]
    assert problems(changes, [("test.person", "1", {"name": "Ada", "theme": "auto"})]) == []
    assert problems(changes, [("test.person", "1", {"name": "Ada", "theme": "dark"})])[0].field == "theme"


def test_a_column_that_went_is_not_missed():
    changes = [change(PEOPLE, "1", "create", name="Ada", theme="auto", shoe_size=38)]
    assert problems(changes, [("test.person", "1", {"name": "Ada", "theme": "auto"})]) == []


def test_records_that_nobody_reads_are_counted():
    unknown = {"type": "test.unknown", "id": "1", "op": "create", "fields": {}}
    assert compare([unknown], [], KINDS, lambda _: None, parts=1) == {"test.unknown": 1}


def test_numbers_are_one_in_whatever_digits():
    assert same(100000000000000000000, 1e20)
    assert same(1152921504606847000, 1.152921504606847e18)
    assert same(1, 1.0)
    assert not same(0.1, 0.2)
    assert not same("1", 1)
    assert not same(None, 0)


values = st.none() | st.text(max_size=3) | st.integers(-5, 5)
changes_and_rows = st.tuples(
    st.lists(
        st.builds(
            lambda kind, row_id, operation, fields: change(kind, row_id, operation, **fields),
            st.sampled_from([PARAMS, PEOPLE]),
            st.sampled_from("abc"),
            st.sampled_from(["create", "update", "delete", "set"]),
            st.dictionaries(st.sampled_from(["name", "theme", "lr"]), values, min_size=1),
        ),
        max_size=12,
    ),
    st.lists(
        st.tuples(
            st.sampled_from(sorted(KINDS)),
            st.sampled_from("abc"),
            st.dictionaries(st.sampled_from(["name", "theme", "lr"]), values),
        ),
        max_size=5,
    ),
)


@given(changes_and_rows, st.integers(2, 5))
def test_in_parts_the_same_is_found_as_in_one_go(example, parts):
    changes, rows = example
    assert problems(changes, rows, parts=parts) == problems(changes, rows)
