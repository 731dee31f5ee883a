"""The form for a run that is over, read and posted as a browser without scripts does."""

from __future__ import annotations

import html
import re

from django.core.files.uploadedfile import SimpleUploadedFile

from experiments.models import Run
from experiments.queries.runs import params_of, series_of
from experiments.values import BY_HAND
from tests.factories import events_since
from tests.pages.conftest import Page, address

FIELDS = {
    "experiment": "icu/by-hand",
    "name": "svm-rbf-w24",
    "architecture": "SVM, RBF kernel",
    "dataset_version": "icu-vitals v2",
    "started": "2026-03-02T14:00",
    "started_offset": "60",
    "duration": "1h 20m",
    "status": "FINISHED",
    "param_key": ["kernel", "C", ""],
    "param_value": ["rbf", "10", ""],
    "result_key": ["val/auroc"],
    "result_value": ["0.8127"],
    "tag_key": ["ward"],
    "tag_value": ["icu-2"],
    "note": "Done on the **old** cluster.",
}


def token_of(page: Page) -> str:
    found = re.search(r'name="key" value="([^"]+)"', page.source)
    assert found
    return found[1]


def values_of(page: Page, name: str) -> list[str]:
    tags = re.findall(rf'<input[^>]* name="{name}"[^>]*>', page.source.split("<template>")[0] + page.source)
    return [html.unescape(re.search(r'value="([^"]*)"', tag)[1]) for tag in tags]  # type: ignore[index]


def test_a_form_is_filled_stored_and_confirmed_with_its_id(ada, team, icu):
    here = address(team.project, "record/")
    assert "icu-vitals v2" in ada.get(here).source
    opened = ada.get(here)
    done = ada.follow(here, **FIELDS, key=token_of(opened))
    run = Run.objects.get()
    assert f"{run.readable_id} is stored." in done
    assert run.uid.hex in done
    assert "Recorded by hand by Ada" in done
    assert run.started_ms == 1772456400000  # 13:00 in UTC
    assert params_of(team.scientist, run)["C"] == "10"
    assert run.readable_id in ada.get(address(team.project, "runs/"))
    page = ada.get(f"/r/{run.uid.hex}/")
    assert "recorded by hand by Ada" in page
    again = ada.follow(here, **FIELDS, key=token_of(opened))
    assert f"{run.readable_id} is stored." in again
    assert Run.objects.count() == 1
    changed = ada.post(here, 200, **{**FIELDS, "name": "other"}, key=token_of(opened))
    assert "This form is stored already" in changed
    assert token_of(changed) != token_of(opened)
    assert Run.objects.count() == 1


def test_what_is_wrong_stands_beside_its_field_and_everything_typed_is_kept(ada, team, icu):
    here = address(team.project, "record/")
    file = SimpleUploadedFile("roc.txt", b"roc")
    wrong = {
        **FIELDS,
        "dataset_version": "icu-vitals v9",
        "param_key": ["C", "", "C"],
        "param_value": ["10", "", "<100>"],
        "result_value": ["0,04"],
        "started": "2999-01-01T10:00",
        "files": file,
    }
    before = len(events_since(lambda: None))
    page = ada.post(here, 200, **wrong, key="k1")
    assert before == 0
    assert not Run.objects.exists()
    assert "4 fields need another look. What you typed is kept, nothing is written." in page
    assert {"#dataset_version", "#started", "#param-key-2", "#result-value-1"} <= set(page.links("#"))
    assert "There is no v9: the latest is icu-vitals v2." in page
    assert "'C' is already given as 10 above. Keep one, or rename this." in page
    assert "Write 0.04 with a point." in page
    assert page.field("dataset_version") == "icu-vitals v9"
    assert (page.field("param-value-2"), page.field("result-value-1")) == ("<100>", "0,04")
    assert page.field("started") == "2999-01-01T10:00"
    assert "Done on the **old** cluster." in page
    assert "roc.txt" in page
    uploads = html.unescape(re.search(r'name="uploads" value="([^"]*)"', page.source)[1])  # type: ignore[index]
    ada.follow(here, **FIELDS, uploads=uploads, key="k1")
    assert list(Run.objects.get().artifact_root.files.values_list("path", flat=True)) == ["roc.txt"]


def test_pasted_text_fills_the_rows_and_more_rows_come_without_scripts(ada, team, icu):
    here = address(team.project, "record/")
    page = ada.post(here, 200, **{**FIELDS, "do": "paste param", "param_paste": "C: 100\noptimizer:\n  lr: 1e-3\n"})
    assert values_of(page, "param_key")[:3] == ["kernel", "C", "optimizer.lr"]
    assert values_of(page, "param_value")[:3] == ["rbf", "100", "1e-3"]
    broken = ada.post(here, 200, **{**FIELDS, "do": "paste result", "result_paste": '{"a": 1,,}'})
    assert "This is no JSON" in broken
    assert "{&quot;a&quot;: 1,,}" in broken.source
    more = ada.post(here, 200, **{**FIELDS, "do": "more tag"})
    assert len(re.findall(r'id="tag-key-[1-9]', more.source)) == 4
    look = ada.post(here, 200, **{**FIELDS, "do": "look"})
    assert "What an auditor will see 2 of 9" in look
    assert not Run.objects.exists()


def test_pasted_text_that_was_not_taken_over_is_stored_with_the_rest_or_refused_at_its_box(ada, team, icu):
    here = address(team.project, "record/")
    broken = ada.post(here, 200, **{**FIELDS, "result_paste": '{"a": 1,,}'}, key=token_of(ada.get(here)))
    assert "This is no JSON" in broken
    assert not Run.objects.exists()
    stored = ada.follow(here, **{**FIELDS, "param_paste": '{"gamma": 0.5}'}, key=token_of(ada.get(here)))
    assert "is stored." in stored
    assert params_of(team.scientist, Run.objects.get())["gamma"] == "0.5"


def test_what_no_record_can_hold_is_refused_at_its_field_and_stays_there(ada, team, icu):
    here = address(team.project, "record/")
    for text, words in (
        ('{"a": "\\ud800"}', "A value holds a character that cannot be stored."),
        ('{"b\\udfff": 1}', "A name in this text holds a character that cannot be stored."),
        ('{"' + "a" * 9000 + '": {' + ", ".join(f'"b{n}": 1' for n in range(900)) + "}}", "is longer than 250"),
    ):
        for button in ({"do": "paste param"}, {}):
            page = ada.post(here, 200, **{**FIELDS, **button, "param_paste": text}, key="k1")
            assert words in page
            assert html.escape(text) in page.source
            assert len(page.source) < 100_000
    long = {"duration": "1" * 12_000 + "x", "dataset_version": "a" + "@" * 12_000 + "x", "result_value": ["1" * 12_000]}
    page = ada.post(here, 200, **{**FIELDS, **long}, key="k1")
    assert {"#dataset_version", "#duration", "#result-value-1"} == set(page.links("#")) & set(
        page.links("#dataset") + page.links("#duration") + page.links("#result")
    )
    assert "This text has 12,001 characters; at most 200 are read." in page
    assert page.field("duration") == long["duration"]
    assert page.field("dataset_version") == long["dataset_version"]
    assert not Run.objects.exists()


def test_data_counts_as_named_only_where_the_catalogue_has_it_or_all_of_it_is_described(ada, team, icu):
    here = address(team.project, "record/")
    told = {
        "icu-vitals v2": {}, "icu-vitals v9": None, "icu-vitals": None, "nothing": None, "": None,
        " ": {"new_name": "ward", "new_digest": "1f", "new_source": "s3://b/c"}, "  ": None,
    }  # fmt: skip
    for text, new in told.items():
        sent = {**FIELDS, "dataset_version": text, **({"new_digest": "1f"} if new is None and not text.strip() else {})}
        page = ada.post(here, 200, **{**sent, **(new or {})}, do="look")
        assert ("1 version by digest" in page) == (new is not None), text


def test_a_run_is_a_template_for_the_next_without_its_results(ada, team, icu, trained):
    assert f"?like={trained.readable_id}" in ada.get(f"/r/{trained.uid.hex}/").source
    page = ada.get(address(team.project, f"record/?like={trained.readable_id}"))
    assert page.field("name") == "gru-d-w48"
    assert values_of(page, "param_key")[:2] == ["lr", "seed"]
    assert "val/loss" not in values_of(page, "result_key")
    assert page.field("commit").startswith("9f3c1ab")
    ada.get(address(team.project, "record/?like=NO-1"), 404)


def test_who_may_not_log_has_no_form(otto, zoe, ada, team, trained):
    here = address(team.project, "record/")
    assert "I already ran it" in ada.get(address(team.project, "runs/"))
    assert "I already ran it" in ada.get("/")
    assert "I already ran it" not in otto.get(address(team.project, "runs/"))
    assert "Duplicate as a template" not in otto.get(f"/r/{trained.uid.hex}/")
    otto.get(here, 403)
    otto.post(here, 403, **FIELDS)
    for path in ("", "versions.json", f"{trained.readable_id}/"):
        zoe.get(here + path, 404)
    zoe.post(here, 404, **FIELDS)
    zoe.post(here + "preview/", 404, text="x")
    assert list(Run.objects.all()) == [trained]


def test_parts_of_the_page_answer_by_themselves(ada, team, icu, trained):
    here = address(team.project, "record/")
    found = ada.client.get(here + "versions.json", {"q": "vitals v1"}).json()
    assert found == {"versions": ["icu-vitals v1"]}
    assert "<strong>old</strong>" in ada.post(here + "preview/", 200, text="**old**").source
    ada.get(here + f"{trained.readable_id}/", 302)  # it was executed: its page says so
    assert trained.source_type != BY_HAND
    broken = ada.post(here, 200, **{**FIELDS, "uploads": "{]"})
    assert "Choose the files again." in broken
    assert series_of(team.scientist, trained)


def test_a_whole_record_fills_every_field_that_it_names(ada, team, icu):
    here = address(team.project, "record/")
    record = (
        '{"name": "svm", "dataset": "icu-vitals v1", "started": "2026-05-01T08:30+02:00", "params": {"C": 1e2, '
        '"opt": {"lr": 0.1}}, "results": {"val/ece": 0.040}, "email": "ada@example.org", "note": "New."}'
    )
    before = events_since(lambda: None)
    page = ada.post(here, 200, **{**FIELDS, "do": "paste record", "record_paste": record})
    assert "The form is filled." in page
    assert not Run.objects.exists()
    assert before == []
    assert (page.field("name"), page.field("dataset_version")) == ("svm", "icu-vitals v1")
    assert (page.field("started"), page.field("email")) == ("2026-05-01T08:30", "ada@example.org")
    assert values_of(page, "started_offset")[:1] == ["120"]
    assert (page.field("architecture"), page.field("duration")) == ("SVM, RBF kernel", "1h 20m")  # as typed before
    assert values_of(page, "param_key")[:2] == ["C", "opt.lr"]
    assert values_of(page, "result_value")[:1] == ["0.040"]
    assert values_of(page, "tag_key")[:1] == ["ward"]
    broken = ada.post(here, 200, **{**FIELDS, "do": "paste record", "record_paste": '{"nane": "x", "name": "svm"}'})
    assert "A record has no field &#x27;nane&#x27;." in broken.source
    assert "#record_paste" in broken.links("#")
    assert (broken.field("name"), "nane" in broken.source) == ("svm-rbf-w24", True)
    foreign = '{"files": [{"path": "a.txt", "upload": "00000000-0000-0000-0000-000000000000"}]}'
    assert "Choose the file in the form." in ada.post(here, 200, **{**FIELDS, "record_paste": foreign, "key": "k"})
    ada.follow(here, **FIELDS, record_paste=record, key="k")
    run = Run.objects.get()
    assert (run.name, params_of(team.scientist, run)["opt.lr"]) == ("svm", "0.1")
    assert run.started_ms == 1777617000000  # 06:30 in UTC
    assert "e-mail label ada@example.org" in ada.get(f"/r/{run.uid.hex}/")


def test_an_e_mail_label_is_an_address(ada, team, icu):
    here = address(team.project, "record/")
    page = ada.post(here, 200, **FIELDS, email="ada at home", key="k")
    assert "'ada at home' is not an e-mail address." in page
    assert (page.field("email"), Run.objects.count()) == ("ada at home", 0)
