import os
import stat
import subprocess
import sys

import pytest

from audit.ledger import keys
from audit.ledger.keys import KeyRefused


def test_the_first_start_makes_a_key_that_only_its_owner_can_read(data):
    made = keys.signing_key()
    assert stat.S_IMODE(keys.private_file().stat().st_mode) == 0o600
    assert stat.S_IMODE(keys.private_file().parent.stat().st_mode) == 0o700
    assert made.origin == "log.example.org"
    assert sorted(path.name for path in (data / "keys").iterdir()) == ["ledger.key", "ledger.pub"]


def test_later_starts_use_the_same_key(settings):
    first = keys.signing_key()
    settings.MLED_LEDGER_ORIGIN = "renamed.example.org"
    assert keys.signing_key() == first
    assert keys.public_file().read_text().splitlines() == [first.public.line()]


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_key_that_others_can_read_is_refused(mode):
    keys.signing_key()
    keys.private_file().chmod(mode)
    with pytest.raises(KeyRefused, match="can be read by others"):
        keys.signing_key()


def test_a_lost_key_is_not_replaced_in_silence():
    keys.signing_key()
    keys.private_file().unlink()
    with pytest.raises(KeyRefused, match="is gone"):
        keys.signing_key()


@pytest.mark.once  # keys lie in files
def test_processes_that_start_together_agree_on_one_key(data):
    command = [
        sys.executable,
        "-c",
        "import django; django.setup(); from audit.ledger.keys import *; print(signing_key().public.id)",
    ]
    environment = {**os.environ, "MLED_DATA": str(data), "DJANGO_SETTINGS_MODULE": "mled_site.settings"}
    together = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert {process.communicate()[0].strip() for process in together} == {keys.signing_key().public.id}
    assert sorted(path.name for path in (data / "keys").glob("*ledger*")) == ["ledger.key", "ledger.pub"]


def test_a_key_from_the_environment_leaves_no_private_file(settings, data):
    made = keys.new_key("elsewhere.example.org")
    settings.MLED_SIGNING_KEY = made.line()
    assert keys.signing_key() == made
    assert not keys.private_file().exists()
    assert keys.trusted_keys() == {made.public.id: made.public}


def test_a_key_does_not_show_itself():
    made = keys.new_key("log.example.org")
    assert made.seed.hex() not in repr(made)
    assert str(made.seed) not in repr(made)


@pytest.mark.parametrize(
    "text",
    ["", "PRIVATE+KEY+", "PRIVATE+KEY+a+00000000+AAAA", "PRIVATE+KEY+log.example.org+12345678+" + "A" * 44, "log+1+2"],
)
def test_a_damaged_key_is_refused_without_showing_it(text):
    with pytest.raises(KeyRefused) as refused:
        keys.parse_signing_key(text)
    assert "AAAA" not in str(refused.value)


@pytest.mark.parametrize("origin", ["", "two words", "a+b", "a\nb"])
def test_a_log_needs_a_name_that_a_note_can_hold(origin):
    with pytest.raises(KeyRefused, match="MLED_LEDGER_ORIGIN"):
        keys.new_key(origin)


def test_key_lines_are_those_of_other_programs():
    """The example key of Go's golang.org/x/mod/sumdb/note."""
    key = keys.parse_signing_key("PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")
    assert key.public.line() == "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    assert keys.parse_public_key(key.public.line()) == key.public
    assert keys.parse_signing_key(key.line()) == key
