"""What is to go says so: in headers of its answers and in the schema, half a year before at least."""

import datetime as dt

import pytest
from django.utils.http import http_date
from drf_spectacular.generators import SchemaGenerator

from accounts.rest.ageing import Deprecated
from accounts.rest.members import Members
from accounts.rest.projects import OneProject, ProjectJson

OLD = Deprecated(dt.date(2026, 3, 1), dt.date(2026, 12, 1), "the list of projects")
OLDER = Deprecated(dt.date(2026, 1, 1), dt.date(2027, 1, 1), "`purpose`")


def moment(day: dt.date) -> int:
    return int(dt.datetime.combine(day, dt.time(), tzinfo=dt.UTC).timestamp())


@pytest.fixture
def aged(monkeypatch):
    """A method and a field of the API that are to go."""
    monkeypatch.setattr(OneProject, "deprecated", {"GET": OLD})
    monkeypatch.setattr(ProjectJson, "deprecated_fields", {"key": OLDER}, raising=False)


@pytest.mark.once
def test_nothing_goes_sooner_than_after_half_a_year():
    with pytest.raises(ValueError, match="180 days"):
        Deprecated(dt.date(2026, 1, 1), dt.date(2026, 6, 1), "something else")


def test_answers_tell_since_when_and_until_when(api, vision, aged):
    one = api("mia").client.get("/api/v1/projects/vision/")
    assert one["Deprecation"] == f"@{moment(OLDER.since)}", "The field's: it is the earlier one."
    assert one["Sunset"] == http_date(moment(OLD.sunset))
    assert one["Link"] == '</api/v1/docs/#deprecation>; rel="deprecation"'
    listed = api("mia").client.get("/api/v1/projects/")
    assert listed["Sunset"] == http_date(moment(OLDER.sunset)), "Only the field is old here."
    changed = api("mia").send("PATCH", "projects/vision/", {"name": "Sight"})
    assert changed["name"] == "Sight"
    refused = api("mia").client.get("/api/v1/projects/nothing/")
    assert (refused.status_code, refused["Deprecation"]) == (404, f"@{moment(OLD.since)}")
    assert "Deprecation" not in api("mia").client.get("/api/v1/projects/vision/members/")
    assert Members.deprecated == {}


@pytest.mark.once
def test_the_schema_marks_them_and_says_what_takes_their_place(aged):
    told = SchemaGenerator().get_schema(request=None, public=True)
    operations = told["paths"]["/api/v1/projects/{slug}/"]
    assert operations["get"]["deprecated"] is True
    assert "Use the list of projects." in operations["get"]["description"]
    assert "deprecated" not in operations["patch"]
    fields = told["components"]["schemas"]["ProjectJson"]["properties"]
    assert (fields["key"]["deprecated"], "Use `purpose`." in fields["key"]["description"]) == (True, True)
    assert "deprecated" not in fields["name"]
