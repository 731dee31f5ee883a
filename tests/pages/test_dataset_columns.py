"""What MLED reads out of the files of a dataset, on its pages."""

import pytest

from artifacts.models import Dataset, VersionProfile
from tests.factories import Team
from tests.pages.conftest import Browser
from tests.pages.icu import at, number, trained_on


def the_profile(dataset: Dataset, which: int, **columns: object) -> None:
    VersionProfile.objects.filter(version=number(dataset, which)).update(**columns)


def test_columns_are_asked_for_again_until_they_are_read(ada: Browser, icu: Dataset):
    the_profile(icu, 2, state="waiting")
    assert "hx-get" in ada.get(at(icu, "v/2/")).source
    the_profile(icu, 2, state="running")
    page = ada.get(at(icu, "v/2/profile/"))
    assert "Reading the files." in page
    assert "hx-get" in page.source
    lactate = {
        "name": "lactate", "kind": "number", "missing": 1, "distinct": 4, "min": 1.1, "max": 21.0, "mean": 7.5,
        "std": 9.1, "histogram": {"start": 1.1, "width": 10.0, "counts": [3, 1]},
    }  # fmt: skip
    the_profile(icu, 2, state="done", row_count=4, columns=[lactate])
    page = ada.get(at(icu, "v/2/profile/"))
    assert "hx-get" not in page.source
    assert "Read just now." in page
    assert "1.1000 to 21" in page
    assert 'aria-label="Distribution of lactate: most values between 1.1000 and 11.100"' in page.source


def test_many_columns_are_shown_in_short(ada: Browser, icu: Dataset):
    columns = [{"name": f"sensor_{place:03}", "kind": "integer"} for place in range(80)]
    the_profile(icu, 2, state="done", row_count=4, columns=columns)
    page = ada.get(at(icu, "v/2/"))
    assert "and 68 more columns" in page
    assert "sensor_079" not in page
    assert "sensor_079" in ada.get(at(icu, "v/2/schema/"))


@pytest.mark.parametrize(
    ("state", "words"), [("failed", "The table could not be read. Row 7 has 3 values."), ("none", "No table in it")]
)
def test_why_there_are_no_columns_is_told(ada: Browser, icu: Dataset, state, words):
    the_profile(icu, 2, state=state, error="Row 7 has 3 values." if state == "failed" else "")
    page = ada.get(at(icu, "v/2/schema/"))
    assert words in page
    assert "hx-get" not in page.source.split('id="columns"')[1][:200]


def test_the_summary_of_a_diff_begins_with_what_moved_most(ada: Browser, icu: Dataset):
    def column(name: str, mean: float) -> dict[str, object]:
        return {"name": name, "kind": "number", "mean": mean, "std": 1.0, "min": 0, "max": 9}

    the_profile(icu, 1, state="done", row_count=3, columns=[column("age", 64.0), column("lactate", 21.4)])
    gone = [column("age", 64.1), column("lactate", 2.38), {"name": "unit", "kind": "text"}]
    the_profile(icu, 2, state="done", row_count=4, columns=gone)
    page = ada.get(at(icu, "v/2/"))
    assert "same schema but 1 column" in page
    assert "unit added" in page
    assert page.text.index("mean 2.3800") < page.text.index("mean 64.1")


def test_the_run_says_where_the_files_and_columns_of_data_kept_by_mled_are(ada: Browser, team: Team, icu: Dataset):
    run = trained_on(team.scientist, number(icu, 1))
    page = ada.get(f"/r/{run.uid.hex}/data/")
    assert "Kept by MLED" in page
    assert "Schema not recorded" not in page
    for href in page.links("/v/1/"):
        ada.get(href)
    assert page.links("/v/1/schema/")
    assert "kept by MLED" in ada.get(f"/r/{run.uid.hex}/")


def test_the_history_of_a_run_names_the_data_that_it_took_in(ada: Browser, team: Team, icu: Dataset):
    run = trained_on(team.scientist, number(icu, 1))
    for tab in ("", "history/"):
        assert "named its data data icu-vitals v1" in ada.get(f"/r/{run.uid.hex}/{tab}")
