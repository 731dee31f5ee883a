"""What it takes to verify a report elsewhere is given out by the server, and fits together."""

import pytest
from django.test import Client

from audit.ledger.anchors import anchor_file
from audit.ledger.keys import public_file
from audit.ledger.offline import mled_verify
from experiments.values import RunStatus
from tests.compliance.report_building import asked_for, built, in_order
from tests.factories import a_person, a_run, a_team, user_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(settings, tmp_path):
    settings.MLED_DATA = tmp_path / "data"
    return a_team()


@pytest.fixture
def run(team):
    return a_run(team.scientist, name="gru", status=RunStatus.FINISHED)


def page_of(actor) -> Client:
    client = Client()
    client.force_login(user_of(actor))
    return client


def test_keys_heads_and_the_guide_are_given_out_to_whoever_is_signed_in(team, run):
    page = page_of(a_person())
    assert page.get("/verify/checkpoints.log").status_code == 404
    in_order()
    keys = page.get("/verify/ledger.pub")
    assert keys.content == public_file().read_bytes()
    assert keys.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert keys.headers["Content-Disposition"] == 'attachment; filename="ledger.pub"'
    assert b"".join(page.get("/verify/checkpoints.log")) == anchor_file().read_bytes() != b""
    assert b"--key ledger.pub --anchor checkpoints.log" in b"".join(page.get("/verify/verify.md"))
    for name in ("ledger.pub", "checkpoints.log", "verify.md"):
        assert Client().get(f"/verify/{name}").status_code == 302


def test_the_page_of_a_report_leads_to_all_that_verifying_it_takes(team, run, tmp_path, capsys):
    report = built(asked_for(team.auditor, team.project, scope="run", subject=run.uid.hex, formats=["mledlog"]))
    page, url = page_of(team.auditor), f"/p/{team.project.slug}/reports/{report.pk}/"
    text = " ".join(page.get(url).content.decode().split())
    name = f"{team.project.slug}-{report.head_at:%Y-%m-%d}-compliance-report.mledlog"
    assert f"python mled_verify.py {name} --key ledger.pub --anchor checkpoints.log" in text
    taken = page.get(f"{url}files/report.mledlog")
    assert name in taken.headers["Content-Disposition"]
    (tmp_path / name).write_bytes(b"".join(taken))
    for file in ("ledger.pub", "checkpoints.log"):
        assert f'href="/verify/{file}"' in text
        answer = page.get(f"/verify/{file}")
        (tmp_path / file).write_bytes(b"".join(answer))
    assert 'href="/verify/verify.md"' in text
    given = [str(tmp_path / one) for one in (name, "ledger.pub", "checkpoints.log")]
    assert mled_verify.main([given[0], "--key", given[1], "--anchor", given[2]]) == 0
    assert "WARNING" not in capsys.readouterr().out
