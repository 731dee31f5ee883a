"""Who one is: login, logout, whoami, and what the environment says in their place."""

from __future__ import annotations

import json
import stat

import pytest

from mled import places
from mled.problems import Usage
from tests.cli.conftest import ADA, SLUG

pytestmark = pytest.mark.once


def test_a_login_is_kept_for_its_owner_alone_and_logout_forgets_it(command, shell_team, settings_folder):
    said = command("login", shell_team.live.url + "/", "--token-stdin", typed=shell_team.ada + "\n")
    assert said.code == 0, said.err
    assert f"as Ada <{ADA}>, project {SLUG}" in said.err
    file = settings_folder / "config.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    who = command("whoami", "--json")
    assert (who.json["email"], who.json["project"], who.json["projects"]) == (ADA, SLUG, {SLUG: ["ml_engineer"]})
    assert who.json["token_from"] == str(file)
    assert shell_team.ada not in said.out + said.err + who.out + who.err
    assert command("logout").code == 0
    assert shell_team.ada not in file.read_text()
    assert command("whoami").code == 4
    assert command("whoami", "--url", shell_team.live.url).err.startswith("Error: ")


def test_a_wrong_token_is_refused_kept_nowhere_and_told_where_one_is_made(command, shell_team, settings_folder):
    said = command("login", shell_team.live.url, "--token-stdin", typed="mled_wrong\n")
    assert said.code == 4
    assert "unknown, expired or revoked" in said.err
    assert f"{shell_team.live.url}/me/tokens/" in said.err
    assert "mled_wrong" not in said.err
    assert not settings_folder.exists()


def test_without_a_login_every_command_says_how(command):
    said = command("runs")
    assert said.code == 4
    assert "mled login" in said.err
    assert "MLED_TOKEN" in said.err


def test_the_environment_wins_over_what_was_kept(command, shell_team, monkeypatch):
    command("login", shell_team.live.url, "--token-stdin", typed=shell_team.ada)
    monkeypatch.setenv("MLED_TOKEN", shell_team.eve)
    assert command("whoami", "--json").json["email"].startswith("eve@")
    assert command("whoami", "--json").json["token_from"] == "MLED_TOKEN"


def test_a_kept_token_goes_only_where_it_was_kept_for(command, shell_team, monkeypatch):
    command("login", shell_team.live.url, "--token-stdin", typed=shell_team.ada)
    assert places.find_place().token == shell_team.ada
    assert (places.find_place().project, places.find_place().asked_project) == (SLUG, "")  # writing; reading
    assert places.find_place(project="other").asked_project == "other"
    assert places.find_place(url="https://other.example.org").token == ""


def test_a_token_does_not_go_over_plain_http_to_another_machine(command, monkeypatch, shell_team):
    monkeypatch.setenv("MLED_URL", "http://mled.example.org")
    monkeypatch.setenv("MLED_TOKEN", shell_team.ada)
    said = command("whoami")
    assert said.code == 4
    assert "not encrypted" in said.err
    assert "--insecure-http" in said.err


def test_in_the_keyring_where_there_is_one(command, shell_team, settings_folder, monkeypatch):
    class Keyring:
        class errors:  # noqa: N801  # as the package calls it
            class KeyringError(Exception):
                pass

        held: dict[tuple[str, str], str] = {}

        def set_password(self, service, user, secret):
            self.held[service, user] = secret

        def get_password(self, service, user):
            return self.held.get((service, user))

        def delete_password(self, service, user):
            del self.held[service, user]

    keyring = Keyring()
    monkeypatch.setattr(places, "keyring_module", lambda: keyring)
    assert "in the keyring" in command("login", shell_team.live.url, "--token-stdin", typed=shell_team.ada).err
    assert shell_team.ada not in (settings_folder / "config.json").read_text()
    assert command("whoami", "--json").json["token_from"] == "the keyring"
    command("logout")
    assert Keyring.held == {}


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("mled.example.org", "https://mled.example.org"),
        ("localhost:8000", "http://localhost:8000"),
        (" https://mled.example.org/api/v1/ ", "https://mled.example.org"),
        ("https://host/below/", "https://host/below"),
    ],
)
def test_addresses_are_kept_in_one_form(typed, kept):
    assert places.address(typed) == kept


@pytest.mark.parametrize("typed", ["ftp://x", "https://", "https://ada:secret@host", "http://h:99999", "https://h?q=1"])
def test_what_is_no_address_is_refused_without_repeating_a_secret(typed):
    with pytest.raises(Usage) as told:
        places.address(typed)
    assert "ada:secret" not in str(told.value)


def test_damaged_settings_are_told(command, settings_folder):
    settings_folder.mkdir()
    (settings_folder / "config.json").write_text("{")
    said = command("runs", "--json")
    assert said.code == 2
    assert "damaged" in json.loads(said.err)["error"]
