"""Two versions side by side: files, columns, rows, statistics and what people wrote."""

import pytest

from artifacts.actions.versions import add_external_version
from artifacts.differences import SHOWN_AT_MOST, compare_columns, compare_files
from artifacts.profiling.jobs import profile_version
from artifacts.queries.datasets import diff_of, get_version
from artifacts.tables import ColumnProfile, Table
from kernel.errors import NotFound
from tests.factories import a_dataset, a_person, a_team, a_version


def content(**files):
    """Path -> digest and size, out of letters that stand for contents."""
    return {path: (letter * 64, len(letter)) for path, letter in files.items()}


def changes(old, new):
    return [(one.change, one.old_path, one.path) for one in compare_files(old, new).changes]


# --- Files


def test_files_are_told_apart_by_path_and_content():
    diff = compare_files(content(a="x", b="y", c="z"), content(a="x", b="Y", d="n"))
    assert (diff.same, diff.changed, diff.removed, diff.added, diff.renamed) == (1, 1, 1, 1, 0)
    assert [(one.change, one.path) for one in diff.changes] == [("changed", "b"), ("removed", "c"), ("added", "d")]
    assert not diff.is_same


def test_content_that_lies_elsewhere_was_renamed():
    assert changes(content(a="x", b="y"), content(b="y", z="x")) == [("renamed", "a", "z")]


def test_each_lost_file_is_renamed_once():
    assert changes(content(a="x", b="x"), content(c="x", d="x", e="x")) == [
        ("renamed", "a", "c"),
        ("renamed", "b", "d"),
        ("added", "", "e"),
    ]


def test_a_copy_is_added_and_not_renamed():
    assert changes(content(a="x"), content(a="x", b="x")) == [("added", "", "b")]


def test_the_same_files_differ_in_nothing():
    same = compare_files(content(a="x"), content(a="x"))
    assert same.is_same
    assert (same.same, list(same.changes)) == (1, [])


def test_of_very_many_changes_the_rest_is_counted():
    diff = compare_files({}, {f"{number:05}": ("a" * 64, 1) for number in range(10_000)})
    assert (diff.added, len(diff.changes), diff.unlisted) == (10_000, SHOWN_AT_MOST, 10_000 - SHOWN_AT_MOST)


# --- Columns


def table(*columns):
    return Table("done", 10, columns)


def number(name, **statistics):
    return ColumnProfile(name, "number", **{"missing": 0, "mean": 1.0, **statistics})


def test_columns_come_go_change_their_kind_and_their_statistics():
    old = table(number("kept"), number("moved"), number("gone"), number("retyped"))
    new = table(number("retyped", mean=None), number("moved", mean=3.5), number("kept"), number("new"))
    new = table(ColumnProfile("retyped", "text", missing=0), *new.columns[1:])
    found = compare_columns(old, new)
    assert [(one.name, one.change) for one in found] == [
        ("retyped", "retyped"),
        ("moved", "changed"),
        ("kept", "same"),
        ("new", "added"),
        ("gone", "removed"),
    ]
    (mean,) = [one for one in found[1].statistics if one.name == "mean"]
    assert (mean.old, mean.new, mean.delta, mean.is_same) == (1.0, 3.5, 2.5, False)


def test_times_have_no_difference_in_numbers():
    old, new = (ColumnProfile("at", "time", min=day) for day in ("2024-01-01T00:00:00", "2024-02-01T00:00:00"))
    (column,) = compare_columns(table(old), table(new))
    assert column.change == "changed"
    assert {one.name: one.delta for one in column.statistics} == {"min": None}


def test_columns_of_one_name_are_told_apart_by_their_turn():
    old, new = table(number("a"), number("a", mean=2.0)), table(number("a"), number("a", mean=2.0), number("a"))
    assert [one.change for one in compare_columns(old, new)] == ["same", "same", "added"]


def test_columns_are_not_compared_with_what_is_not_known():
    assert compare_columns(Table(), table(number("a"))) == []


# --- Whole versions


@pytest.fixture
def team(db):
    return a_team()


@pytest.fixture
def pair(team):
    """Two versions, both read."""
    churn = a_dataset(team.scientist, name="churn")
    a_version(team.scientist, churn, files={"x.csv": b"a\n1\n2\n", "n.txt": b"n"}, record={"licence": "MIT"})
    a_version(team.scientist, churn, files={"x.csv": b"a\n1\n2\n3\n", "m.txt": b"n"}, note="one row more")
    for version in churn.versions.all():
        profile_version(version.pk)
    return [get_version(team.manager, churn, number) for number in (1, 2)]


def test_a_diff_tells_all_of_it_in_a_few_queries(team, pair, django_assert_max_num_queries):
    old, new = pair
    with django_assert_max_num_queries(2):
        diff = diff_of(team.manager, old, new)
    assert (diff.rows_added, diff.files.changed, diff.files.renamed, diff.is_same_content) == (1, 1, 1, False)
    assert [(one.name, one.change) for one in diff.columns] == [("a", "changed")]
    assert diff.schema_changes == []
    assert [(one.label, one.old, one.new) for one in diff.record] == [
        ("Licence", "MIT", ""),
        ("Note", "", "one row more"),
    ]
    assert list(diff.notes) == []
    assert diff_of(team.manager, new, old).rows_added == -1


def test_a_version_with_itself_differs_in_nothing(team, pair):
    diff = diff_of(team.manager, pair[0], pair[0])
    assert diff.is_same_content
    assert diff.files.is_same
    assert (diff.rows_added, list(diff.record), [one.change for one in diff.columns]) == (0, [], ["same"])


def test_what_cannot_be_compared_is_said(team, pair):
    churn = pair[0].dataset
    add_external_version(team.scientist, churn, digest="d", source="s3://lake/churn")
    a_version(team.scientist, churn, files={"x.csv": b"a\n1,2\n"})
    outside, waiting = (get_version(team.manager, churn, number) for number in (3, 4))
    diff = diff_of(team.manager, pair[0], outside)
    assert not diff.files.is_known
    assert list(diff.notes) == ["Version 3 lies outside MLED: its files cannot be compared."]
    assert (diff.rows_added, list(diff.columns)) == (None, [])
    assert "still being read" in diff_of(team.manager, pair[0], waiting).notes[0]
    profile_version(waiting.pk)
    broken = diff_of(team.manager, pair[0], get_version(team.manager, churn, 4))
    assert "Version 4 could not be read: x.csv: row 2 has 2 values" in broken.notes[0]
    assert broken.files.is_known


def test_who_does_not_see_the_project_compares_nothing(team, pair):
    for stranger in (a_person(), team.administrator):
        with pytest.raises(NotFound):
            diff_of(stranger, *pair)
