"""How a reader likes the columns of the run table: widths, pins, formats, heat, kept on the server for them alone."""

import math
import re

import pytest

from accounts.models import PersonalSetting
from accounts.queries.settings import setting_of
from experiments.actions.batches import log_batch
from experiments.actions.experiments import set_metric_direction
from experiments.pages.numbers import FORMATS, written
from experiments.pages.taste import NAME, PINS_MAX, Taste, changed, taste_of
from kernel.errors import Invalid
from tests.factories import STARTED_MS, Team, a_batch, a_run
from tests.pages.conftest import Browser, Page, address

LOSS, LR = "metrics.loss", "params.lr"


@pytest.fixture
def three(team: Team) -> None:
    for number in range(3):
        run = a_run(team.scientist, name=f"r{number}", started_ms=STARTED_MS + number)
        log_batch(team.scientist, run, batch=a_batch(params={"lr": str(10**-number)}, loss=[0.123456 * (number + 1)]))


def table(browser: Browser, team: Team, **asked: object) -> Page:
    return browser.get(address(team.project, "runs/"), **{"columns": [LOSS, LR], **asked})


def like(browser: Browser, team: Team, do: str) -> Page:
    return browser.follow(address(team.project, "runs/columns/"), do=do, table=f"columns={LOSS}&columns={LR}")


def widths(page: Page) -> dict[str, int]:
    found = re.findall(r'<col[^>]* width="(\d+)" data-col="([^"]+)"', page.source)
    return {key: int(width) for width, key in found}


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("auto", "1,234.6"),
        ("fixed0", "1,235"),
        ("fixed2", "1,234.57"),
        ("fixed6", "1,234.567800"),
        ("significant3", "1.23e3"),
        ("significant5", "1,234.6"),
        ("scientific", "1.235e3"),
        ("percent", "123,456.78 %"),
        ("nonsense", "1,234.6"),
    ],
)
def test_a_figure_is_written_in_each_format(form: str, text: str):
    assert written(1234.5678, form) == text


def test_small_negative_and_odd_figures_are_written_in_each_format():
    small = [written(0.00012, form) for form in ("fixed3", "significant3", "scientific")]
    assert small == ["0.000", "0.000120", "1.200e-4"]
    assert written(-0.0000001, "fixed2") == "0.00"
    assert [written(0.5, form) for form in ("significant3", "percent", "fixed1")] == ["0.500", "50.00 %", "0.5"]
    assert {written(math.nan, form) for form in FORMATS} == {"NaN"}
    assert {written(-math.inf, form) for form in FORMATS} == {"−∞"}


def test_a_column_is_pinned_widened_and_formatted_for_oneself_alone(ada: Browser, team: Team, three):
    page = like(ada, team, f"fixed2:{LOSS}")
    assert ">0.37<" in page.source
    assert ">0.25" in table(ada, team, group="status").source, "the means of groups are written alike"
    page = like(ada, team, f"width-200:{LR}")
    assert widths(page)[LR] == 200
    page = like(ada, team, f"pin:{LR}")
    heads = re.findall(r'data-column-key="([^"]+)" data-column-group="([^"]+)"', page.source)
    assert heads == [(LR, "Pinned"), (LOSS, "Metrics")]
    assert 'class="pin1' in page.source
    assert setting_of(team.scientist, NAME, team.project)["pins"] == [LR]
    other = table(Browser(team.manager), team)
    assert ">0.37<" not in other.source
    assert "Pinned" not in other
    page = like(ada, team, f"unpin:{LR}")
    page = like(ada, team, f"width:{LR}")
    page = like(ada, team, f"auto:{LOSS}")
    assert taste_of(team.scientist, team.project) == Taste()


def test_heat_is_shown_where_one_likes_it_and_a_direction_is_known(ada: Browser, team: Team, three):
    assert "ht3" not in table(ada, team).source
    set_metric_direction(team.scientist, team.project, key="loss", higher_is_better=False)
    assert "ht3" in table(ada, team).source
    assert "ht3" not in like(ada, team, f"cool:{LOSS}").source
    assert "ht3" in like(ada, team, f"heat:{LOSS}").source


def test_what_is_no_act_or_no_column_changes_nothing(ada: Browser, team: Team, three):
    for do in ("", "pin", "pin:nonsense", "fly:params.lr", "width-99999999:params.lr", "width-x:params.lr"):
        like(ada, team, do)
    assert not PersonalSetting.objects.filter(name=NAME).exists()


def test_who_cannot_see_the_project_keeps_nothing(zoe: Browser, team: Team):
    zoe.post(address(team.project, "runs/columns/"), expecting=404, do=f"pin:{LR}")
    assert not PersonalSetting.objects.exists()


def test_a_taste_is_bounded_and_checked():
    many = Taste()
    for number in range(PINS_MAX + 2):
        many = changed(many, f"pin:params.p{number}")
    assert len(many.pins) == PINS_MAX
    assert changed(Taste(), "width-5:params.lr").widths == {"params.lr": 48}
    assert Taste.parse({"formats": {"metrics.x": "auto"}, "widths": {"nonsense": 100}}) == Taste()
    for wrong in ([], {"size": 1}, {"widths": []}, {"pins": "params.lr"}, {"formats": {"metrics.x": "wide"}}):
        with pytest.raises(Invalid):
            Taste.parse(wrong)
    for width in ("100", True, math.nan):
        with pytest.raises(Invalid, match="pixels"):
            Taste.parse({"widths": {"params.lr": width}})


def test_broad_letters_get_a_wider_column_than_as_many_narrow_ones(ada: Browser, team: Team):
    wide = {}
    for word in ("ill-till-will", "pump-mammoths"):
        run = a_run(team.scientist)
        log_batch(team.scientist, run, batch=a_batch(params={word: word}))
        wide[word] = widths(table(ada, team, columns=[f"params.{word}"]))[f"params.{word}"]
    assert wide["pump-mammoths"] > wide["ill-till-will"]
