"""What people write in Markdown is shown as they mean it, and runs nothing."""

import pytest

from accounts.markdown import LONGEST, as_html


def test_words_lists_tables_and_code_come_out():
    shown = as_html("# Limits\n\n**Drifts** above 0.7\n\n- ward 3\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n`seed`")
    for part in ("<h3>Limits</h3>", "<strong>Drifts</strong>", "<li>ward 3</li>", "<td>1</td>", "<code>seed</code>"):
        assert part in shown


def test_headings_stay_below_those_of_the_page():
    assert "<h6>deep</h6>" in as_html("###### deep")


def test_links_lead_out_without_telling_where_from():
    shown = as_html("[paper](https://example.org/a?b=1)")
    assert 'href="https://example.org/a?b=1"' in shown
    assert 'rel="noopener nofollow"' in shown


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "![x](https://example.org/track.png)",
        "[x](javascript:alert(1))",
        "[x](data:text/html,<script>)",
        "<a href='javascript:alert(1)'>x</a>",
        "<div style='position:fixed'>",
        "[x](https://a 'onmouseover=alert(1)')\n<svg/onload=alert(1)>",
    ],
)
def test_nothing_in_it_runs_or_calls_out(text):
    shown = as_html(text)
    for part in ("<script", "<img", "<svg", "<div", 'href="javascript', 'href="data', ' onerror="', ' style="'):
        assert part not in shown


def test_a_text_beyond_measure_is_shown_as_it_is():
    assert as_html("*" * (LONGEST + 1)).count("*") == LONGEST + 1
    assert "&lt;script" in as_html("<script>" + "x" * LONGEST)
