"""A panel's text in an address: scripts and pages read and write the same."""

import pytest

from experiments.pages.panels import panel_text, parse_panel
from tests.pages.scripts import Module, bundled

TEXTS = (
    "scatter;x=params.lr;y=metrics.val/auroc.best;color=params.arch;w=2;h=1",
    "scatter;x=params.a%3Bb%3Dc;y=metrics.100%25.last;title=loss%3A%20now;trend=1;pareto=1;goal=y:max,x:min",
    "parallel;fields=params.lr,tags.a%2Cb,metrics.loss.min;log=params.lr;flip=metrics.loss.min",
    "parallel;fields=params.lr;brush=params.lr:0.001:,params.arch:gru:t%3Acn:?",
    "line;metrics=loss,val/loss;w=99",
    "box;x=;y=metrics.ü 🦠.last;nonsense=1;w=0;h=hello;trend=yes;constructor=1;__proto__=2;;=;x",
    "bar",
    "",
    "BAR;x=params.lr",
    "scatter x",
)


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Module:
    return bundled("panels/spec.ts", tmp_path_factory.mktemp("spec"))


def test_both_sides_read_and_write_the_same(script):
    ours = [parse_panel(text) for text in TEXTS]
    theirs = script.calls(*(("parseSpec", [text]) for text in TEXTS))
    assert ours == theirs
    specs = [spec for spec in ours if spec is not None]
    texts = [panel_text(spec) for spec in specs]
    assert texts == script.calls(*(("specText", [spec]) for spec in specs))
    assert [parse_panel(text) for text in texts] == specs


def test_signs_that_divide_a_text_come_back_out_of_a_name():
    panel = parse_panel(TEXTS[1])
    assert panel is not None
    assert panel["x"] == "params.a;b=c"
    assert panel["y"] == "metrics.100%.last"
    assert panel["goal"] == {"y": ["max"], "x": ["min"]}
    assert panel_text(panel).startswith("scatter;x=params.a%3Bb%3Dc;y=metrics.100%25.last;")


def test_what_is_unknown_is_dropped_and_what_is_no_kind_is_no_panel():
    assert parse_panel(TEXTS[5]) == {"kind": "box", "y": "metrics.ü 🦠.last"}
    assert parse_panel("BAR;x=params.lr") is None
    assert parse_panel("") is None


def test_a_panel_asks_for_each_of_its_fields_once(tmp_path):
    panel = parse_panel("parallel;fields=params.lr,params.arch;color=params.lr;x=params.b")
    assert panel is not None
    [asked] = bundled("panels/points.ts", tmp_path).calls(("fieldsOf", [panel]))
    assert asked == ["params.b", "params.lr", "params.arch"]
