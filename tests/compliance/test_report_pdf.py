"""Reports as PDF: what the standards ask, what a reader looks for, and texts that wish to be more than texts."""

import os
import re
import resource
from typing import Any

import msgspec
import pytest

from audit.compliance.reports.facts import ChainFact, Fact, FileFact, Head, MetricFact, Section
from audit.compliance.reports.pdf import CannotTypeset, layout, press, render
from audit.compliance.reports.pdf.layout import readable_time
from tests.compliance.pdf_pages import Printed
from tests.compliance.report_facts import (
    WORDS,
    a_card_section,
    a_head,
    a_run_section,
    a_signature,
    a_trail_section,
    an_access_section,
    an_empty_run,
    digest_of,
    some_events,
)

pytestmark = pytest.mark.once

CONTENT = digest_of("content")
MARGIN = 18 / 25.4 * 72
REPORTS: dict[str, tuple[Head, list[Section]]] = {
    "compliance": (a_head(), [a_run_section(1042), a_run_section(1043), a_run_section(1044)]),
    "reproducibility": (a_head("reproducibility"), [a_run_section(1050)]),
    "model_card": (a_head("model_card"), [a_card_section()]),
    "trail": (a_head("trail"), [a_trail_section(1, 60), a_trail_section(2, 20)]),
    "access": (a_head("access"), [an_access_section(number) for number in range(7)]),
}
HOSTILE = [
    '#read("/etc/passwd")',
    '#import "@preview/cetz:0.3.0": *',
    "#{ panic() } $ x^2 $ `raw` *bold* _it_ <label> @ref \\u{41} \\ // c /* d */ = Heading - item + item",
    "]#set page(width: 1pt)[ ${{<%= {# #} {{ }}",
    '"; #sys.inputs; //',
    "<script>alert(1)</script> &amp; https://evil.example/",
    "w" * 300,
    "/".join(["deep"] * 90),
    "é" * 1200,
    "患者 山田 😀👩‍👩‍👧 हिन्दी ไทย",
    "مرحبا بالعالم שלום Ελλάδα Жизнь",
    "a\u202eb\u2066c\u200bd\u00ade\ufefff\u2028g\ue000h\x01i\x7fj\x85k\tl\x0bm",
    "e\u0301\u0302\u0303\u0488 \u0301alone \u093e",
    "line one\nline two\r\nline three\rline four\n\n\n",
    "tall\n" * 700,
    "--- ... '' \"\" << >> ~ !? -> => fi ffi 1/2",
    " ",
]


def printed(head: Head, *sections: Section, volume: int = 1, of: int = 1) -> Printed:
    return Printed(render(head, sections, volume=volume, of=of, digest=CONTENT))


@pytest.fixture(scope="module")
def reports() -> dict[str, Printed]:
    return {kind: printed(head, *sections) for kind, (head, sections) in REPORTS.items()}


# --- What the standards ask


@pytest.mark.parametrize("kind", REPORTS)
def test_a_report_says_that_it_is_pdf_a_and_pdf_ua_and_is_tagged(reports, kind):
    report = reports[kind]
    for claim in (
        b"<pdfaid:part>2</pdfaid:part>",
        b"<pdfaid:conformance>A</pdfaid:conformance>",
        b"<pdfuaid:part>1</pdfuaid:part>",
        b"<dc:language><rdf:Bag><rdf:li>en</rdf:li>",
        b"/Lang(en)",
        b"/DisplayDocTitle true",
        b"/MarkInfo<</Marked true",
    ):
        assert claim in report.content
    told = report.document.get_metadata_dict()
    assert told["Title"] == f"{REPORTS[kind][0].title}, Sepsis early warning"
    assert told["Author"] == "Mei Tanaka"
    assert told["CreationDate"].startswith("D:20261122095223")
    assert {"TOCI", "P", "H1"} <= report.elements()


def test_tables_are_tagged_as_such(reports):
    assert {"Table", "TR", "TH", "TD", "Figure", "L", "LI", "H2", "Link"} <= reports["compliance"].elements()


def test_a_report_can_be_walked_by_its_bookmarks(reports):
    marks = [mark.get_title() for mark in reports["compliance"].document.get_toc()]
    runs = [f"gru-wards-{number}SEPSIS-{number}" for number in (1042, 1043, 1044)]
    assert [mark.replace(" ", "") for mark in marks if mark.startswith("gru-")] == runs
    assert {"How to read this report", "Contents", "Runs", "Place in the log"} <= set(marks)


def test_the_same_facts_give_the_same_bytes(reports):
    for kind, (head, sections) in REPORTS.items():
        assert printed(head, *sections).content == reports[kind].content


def test_a_figure_has_words_for_those_who_do_not_see_it(reports):
    words = [words for words in reports["compliance"].alternatives if words.startswith("val/auroc. ")]
    assert len(words) == 3
    for told in words:
        assert re.search(r"Line from \S+ at step 0 to \S+ at step 23,950; least \S+ at step \S+, greatest \S+ at", told)


# --- What a reader looks for


def said(value: Any, name: str = "") -> list[str]:
    """Every text and number of some facts, as they are printed."""
    if isinstance(value, dict):
        # Not printed: what templates go by, and points of curves, of which the figure speaks.
        kept = value.keys() - {"curves", "kind", "type", "volumes", "url"} - ({"outcome"} if "verb" in value else set())
        return [text for key in kept if key != "outcome" for text in said(value[key], key)]
    if isinstance(value, list | tuple):
        return [text for one in value for text in said(one, name)]
    if isinstance(value, str):
        return [readable_time(value, exact=name == "as_of")]
    return [f"{value:,}" if name in ("size_bytes", "points", "step", "log_size") else str(value)] if value else []


@pytest.mark.parametrize("kind", REPORTS)
def test_everything_that_the_facts_say_is_in_the_text(reports, kind):
    head, sections = REPORTS[kind]
    texts = [text for part in (head, *sections) for text in said(msgspec.to_builtins(part))]
    assert len(texts) > 50
    assert [text for text in texts if layout.TIMES.sub(layout.told_time, text) not in reports[kind]] == []
    assert CONTENT in reports[kind]


@pytest.mark.parametrize("kind", REPORTS)
def test_nothing_leaves_its_page(reports, kind):
    assert reports[kind].outside(MARGIN) == []


def test_no_letter_covers_the_next():
    """Dots at the end of a piece of a word may hang out of it where a column is aligned to the right."""
    metrics = [MetricFact("m", "approx.0.25-or.so", None, "0.1044551122652242", "9.5", 1, "lower")]
    assert printed(a_head(), a_run_section(metrics=metrics)).covered(".,-/") == []


def test_every_page_says_what_it_is_of():
    report = printed(a_head(), a_run_section(), volume=2, of=3)
    for number, page in enumerate(report.pages, 1):
        assert f"Page {number} of {len(report.pages)}" in page
        assert "As of 2026-11-21 23:59:59.25 UTC · asked for by Mei Tanaka" in page
        assert f"{CONTENT[:8]}…{CONTENT[-4:]}" in page
        assert "Volume 2 of 3" in page
        assert "Compliance report, November" in page


def test_a_report_claims_no_more_than_evidence(reports):
    words = " ".join(reports["compliance"].text.split())
    assert "Checked against profile EU AI Act, high-risk systems, version 1.0" in words
    assert "supports evidence for the clauses that its rules name" in words
    assert "no statement that anything complies with a law" in words
    assert not re.search(r"(?i)\bcompliant with (the )?(law|regulation)", words)


def test_an_outcome_is_a_word_and_a_sign(reports):
    text = reports["compliance"].text
    for label, _, _ in WORDS.values():
        assert label in text
    assert {"✓", "✗", "◌"} <= set(text)
    assert "Waived by Jonas Weber, Tomás Ferreira (co-signed) until 2027-03-01." in " ".join(text.split())


def test_the_list_of_runs_tells_what_failed_from_what_is_not_recorded():
    section = a_run_section(1042)
    some = [next(rule for rule in section.rules if rule.outcome == "pass")] * 4
    outcomes = ("fail", "missing", "missing", "pass")
    rules = [msgspec.structs.replace(rule, outcome=word) for rule, word in zip(some, outcomes, strict=True)]
    (listed,) = [
        " ".join(page.split())
        for page in printed(a_head(), msgspec.structs.replace(section, rules=rules)).pages[:2]
        if "✗ 1 failed" in page
    ]
    assert "✗ 1 failed ◌ 2 not recorded 1 met" in listed
    unmet_only = printed(a_head(), msgspec.structs.replace(section, rules=[rules[1]])).text
    assert "◌ 1 not recorded" in unmet_only


def test_gaps_stand_before_everything_else_of_a_run():
    page = " ".join(printed(a_head(), a_run_section()).pages[2].split())
    assert page.index("Not recorded (3)") < page.index("Licence of icu-vitals-holdout v2") < page.index("About")


def test_nothing_is_filled_in_where_nothing_is_recorded():
    report = printed(a_head(reason="", anchored=""), an_empty_run())
    assert report.pages[0].count("not recorded") == 2
    assert report.pages[2].count("not recorded") >= 7
    assert "No event of the log speaks of it." in report
    assert not re.search(r"\b(None|null|none|nan|N/A)\b", report.text)


def test_a_report_of_nothing_says_so():
    assert "Nothing answers the question." in printed(a_head(counts=[], notes=[], question=[], about=[]))


def test_a_signature_that_does_not_hold_stands_out():
    broken = a_signature(holds="Does not match what is stored now: params.lr.", seq=None)
    round_ = msgspec.structs.replace(a_run_section().verdicts[1], signature=broken)
    report = printed(a_head(), a_run_section(verdicts=[round_], chain=ChainFact(9, 4, 90, "event 31 was changed")))
    assert "✗ Does not hold" in report
    assert "params.lr" in report
    assert "not yet covered by the log" in report
    assert "✗ Does not verify" in report
    assert "event 31 was changed" in report


# --- Texts that wish to be more than texts


def test_a_text_is_never_markup():
    facts = [Fact(f"{number} {text}", text) for number, text in enumerate(HOSTILE)]
    files = [FileFact(text, 1, digest_of(text)) for text in HOSTILE]
    metrics = [MetricFact(text, "NaN", None, "-Infinity", "1e+308", 0, "higher") for text in HOSTILE]
    events = [
        msgspec.structs.replace(event, actor=text, subject=text, change=text, reason=text, verb=text, roles=text)
        for text, event in zip(HOSTILE, some_events(len(HOSTILE)), strict=True)
    ]
    rules = [msgspec.structs.replace(a_run_section().rules[0], words=text, fix=text) for text in HOSTILE]
    verdicts = [
        msgspec.structs.replace(verdict, reason=text, signature=a_signature(text, comment=text, roles=text, holds=text))
        for verdict, text in zip(a_run_section().verdicts * 20, HOSTILE, strict=False)
    ]
    run = a_run_section(
        name=HOSTILE[2], about=facts, params=facts, tags=facts, environment=facts, code=facts, files=files,
        metrics=metrics, events=events, gaps=HOSTILE, changed=HOSTILE[0], state=HOSTILE[3], url="javascript:alert(1)",
        verdicts=verdicts, rules=rules,
    )  # fmt: skip
    card = a_card_section(written=facts, recorded=[(HOSTILE[0], facts)], gaps=HOSTILE, name=HOSTILE[2])
    person = an_access_section(name=HOSTILE[3], rights=facts, why=HOSTILE, notes=HOSTILE)
    head = a_head(title=HOSTILE[2], project=HOSTILE[0], reason=HOSTILE[1], requested_by=HOSTILE[9], about=facts)
    for kind, section in {"compliance": run, "model_card": card, "access": person}.items():
        report = printed(msgspec.structs.replace(head, kind=kind), section)
        assert "root:x:0" not in report.text
        assert [text for text in [*HOSTILE[:8], HOSTILE[15]] if text not in report] == []
        assert "more characters; the data annex has all of them" not in report
        assert report.outside(MARGIN) == []
        assert b"javascript:" not in report.content


def test_a_letter_that_no_font_has_is_shown_as_such_and_named():
    report = printed(a_head(requested_by="山田 Mei"), a_run_section(name="患者 v2 \u202e", params=[Fact("名", "x")]))
    assert "□□ Mei" in report
    assert "Letters that this file cannot show" in report
    for points in ("U+5C71 U+7530", "U+60A3 U+8005 U+202E", "U+540D"):
        assert points in report
    assert "Letters that this file" not in printed(a_head(), a_run_section()).text


def test_a_very_long_text_is_cut_and_says_so():
    report = printed(a_head(), a_run_section(tags=[Fact("note", "word " * 5000)]))
    assert "21,000 more characters; the data annex has all of them" in report


# --- Many and large


def test_long_tables_break_over_pages_and_repeat_their_heads():
    files = [FileFact(f"checkpoints/epoch-{n:04d}/weights.bin", n, digest_of("file", n)) for n in range(2007)]
    params = [Fact(f"layer.{n}.rate", f"{n}.5") for n in range(500)]
    report = printed(a_head(), a_run_section(files=files, params=params))
    there = [file.path for file in files if file.path in report and file.sha256 in report]
    assert there == [file.path for file in files[:2000]]
    assert "The first 2,000 of 2,007 are here; the other 7 are in the data annex." in report
    assert [param.label for param in params if f"{param.label}{param.value}" not in report] == []
    with_files = [page for page in report.pages if "weights.bin" in page]
    assert 20 < len(with_files) < 50
    assert all("SHA-256" in page and "Path" in page for page in with_files)
    assert report.outside(MARGIN) == []


def test_a_volume_that_has_told_enough_goes_on_in_short(monkeypatch):
    monkeypatch.setattr(layout, "VOLUME_BYTES", 1_000_000)
    whole, short = a_run_section(1, size=4), a_run_section(2, size=4)
    report = printed(a_head(), whole, short)
    second = next(at for at, page in enumerate(report.pages) if "In short." in page)
    first_words, words = ("\n".join(pages) for pages in (report.pages[:second], report.pages[second:]))
    assert whole.files[-1].sha256 in first_words
    assert short.files[4].sha256 in words
    assert short.files[5].sha256 not in words
    assert "The first 5 of 16 are here; the other 11 are in the data annex." in words
    assert "rules that are met, waived or not applicable are in the data annex." in " ".join(words.split())
    for rule in short.rules:
        assert (f"{rule.rule} {rule.title}"[:20] in words) == (rule.outcome in ("fail", "missing"))


def test_typesetting_that_takes_too_long_is_given_up(monkeypatch):
    monkeypatch.setattr(press, "SECONDS", 0.001)
    with pytest.raises(CannotTypeset, match="more time or memory"):
        printed(a_head(), a_run_section())


def test_what_goes_wrong_while_gathering_is_not_hidden():
    def broken():
        yield a_run_section()
        raise LookupError("the spool is gone")

    with pytest.raises(LookupError, match="the spool is gone"):
        render(a_head(), broken(), volume=1, of=1, digest=CONTENT)


@pytest.mark.slow
def test_a_volume_of_runs_takes_seconds_and_bounded_memory():
    count = 200 if os.environ.get("MLED_TEST_FULL") else 20
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    report = Printed(
        render(a_head(), (a_run_section(number) for number in range(count)), volume=1, of=1, digest=CONTENT)
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    peak = after.ru_maxrss // 1024
    print(f"{count} runs, {len(report.document)} pages: {seconds:.1f} s, {peak} MB, {len(report.content):,} bytes")
    assert len(report.document) > 4 * count
    assert seconds < 3 + 0.08 * count
    assert peak < 2500
