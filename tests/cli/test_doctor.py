"""mled doctor: each thing between this machine and its server, what is wrong with it, and what to do."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import SLUG

pytestmark = pytest.mark.once


def levels(said) -> dict[str, str]:
    return {row[1]: row[0] for row in said.rows}


def test_all_is_well_and_the_server_keeps_its_own_diagnosis_from_others(mled, shell_team):
    said = mled("doctor")
    assert said.code == 0, said.out
    assert levels(said) == dict.fromkeys(
        ["client", "settings", "address", "clock", "account", "token", "project", "server"], "ok"
    )
    assert shell_team.ada not in said.out + said.err


def test_an_administrator_sees_the_servers_own_too(command, shell_team, monkeypatch):
    shell_team.live.create_user("root@shell.example.org", role="administrator")
    monkeypatch.setenv("MLED_URL", shell_team.live.url)
    monkeypatch.setenv("MLED_TOKEN", shell_team.live.issue_token("root@shell.example.org", scopes=("read", "manage")))
    found = {one["check"]: one for one in command("doctor", "--json").json}
    assert found["versions"]["level"] == "ok"
    assert found["database"]["what"]
    assert "database" not in {one["check"] for one in command("doctor", "--local", "--json").json}


@pytest.mark.parametrize(
    ("setting", "check", "words"),
    [
        ({"MLED_URL": "http://127.0.0.1:9"}, "address", "does not answer"),
        ({"MLED_URL": "http://mled.example.org"}, "address", "not encrypted"),
        ({"MLED_TOKEN": "mled_wrong"}, "token", "unknown, expired or revoked"),
        ({"MLED_TOKEN": ""}, "token", "there is none"),
        ({"MLED_PROJECT": "nowhere"}, "project", "there is no 'nowhere'"),
    ],
)
def test_what_is_wrong_is_named_with_the_way_out(mled, monkeypatch, setting, check, words):
    for name, value in setting.items():
        monkeypatch.setenv(name, value)
    said = mled("doctor", "--json")
    assert said.code == 1
    (failed,) = [one for one in said.json if one["level"] == "failed"]
    assert (failed["check"], words in failed["what"], bool(failed["next"])) == (check, True, True)


def test_something_else_at_the_address_and_a_detour_are_told(mled, monkeypatch, shell_team):
    monkeypatch.setenv("MLED_URL", f"{shell_team.live.url}/elsewhere")
    assert "not as MLED does" in mled("doctor").out
    monkeypatch.setenv("MLED_URL", shell_team.live.url)
    monkeypatch.setenv("HTTP_PROXY", "http://secret:word@127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    said = mled("doctor")
    assert levels(said)["proxy"] == "warning"
    assert "secret" not in said.out


def test_settings_that_others_may_read_and_a_token_that_soon_ends_are_warned_of(
    command, shell_team, settings_folder, monkeypatch
):
    token = shell_team.live.issue_token("ada@shell.example.org", project=SLUG, days=2)
    command("login", shell_team.live.url, "--token-stdin", typed=token)
    (settings_folder / "config.json").chmod(0o644)
    said = command("doctor")
    assert said.code == 0
    assert {name: level for name, level in levels(said).items() if level != "ok"} == {
        "settings": "warning",
        "token": "warning",
    }
    assert json.loads((settings_folder / "config.json").read_text())["servers"]
