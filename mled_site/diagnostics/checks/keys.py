"""Keys: the one that seals sessions, and the one that signs the log. Never shown, only judged."""

import os
from pathlib import Path

from django.conf import settings

from audit.ledger import keys as ledger_keys
from audit.ledger.keys import KeyRefused, SigningKey, parse_signing_key, trusted_keys
from audit.ledger.queries.health import newest_signer
from mled_site.diagnostics.reaching import database_trouble
from mled_site.diagnostics.registry import check
from mled_site.diagnostics.results import Notes
from mled_site.secrets import is_weak

BRING_BACK = "Bring the key back from your back-up into MLED_DATA/keys, or set MLED_SIGNING_KEY."


@check("keys", "Keys", seconds=5)
def keys(notes: Notes) -> None:
    """Whether the secret key is strong, and the log's signing key is there, private, and the right one."""
    _secret_key(notes)
    try:
        key = _signing_key(notes)
    except KeyRefused as error:
        notes.fail("keys.ledger_refused", str(error), "See docs/operate.md, Keys. Until then the log grows unsigned.")
        return
    except OSError as error:
        notes.fail(
            "keys.ledger_unreadable",
            f"The key that signs the log cannot be read: {error.strerror}.",
            f"Let the user that runs MLED own {ledger_keys.private_file()}, with mode 0600.",
        )
        return
    if key is not None:
        _is_the_right_one(notes, key)


def _secret_key(notes: Notes) -> None:
    path = settings.MLED_DATA / "keys" / "secret_key"
    given = bool(os.environ.get("MLED_SECRET_KEY"))
    notes.figure("Secret key", "from MLED_SECRET_KEY" if given else f"in {path}")
    if is_weak(settings.SECRET_KEY):
        notes.fail(
            "keys.secret_weak",
            "The secret key is short or a well-known example: whoever guesses it can sign in as anybody.",
            "Put 50 random characters there, or remove it: MLED then makes one. Everybody signs in anew.",
        )
    if not given and path.exists():
        _mode(notes, path, "keys.secret_open")


def _mode(notes: Notes, path: Path, code: str) -> None:
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        notes.fail(
            code,
            f"{path} can be read by others (mode {mode:04o}).",
            f"Run chmod 600 {path}. If somebody may have read it, make a new one.",
        )


def _signing_key(notes: Notes) -> SigningKey | None:
    """The key in use, without making one. Raises KeyRefused, OSError."""
    notes.figure("Name of the log", settings.MLED_LEDGER_ORIGIN)
    path = ledger_keys.private_file()
    if settings.MLED_SIGNING_KEY:
        notes.figure("Signing key", "from MLED_SIGNING_KEY")
        return parse_signing_key(settings.MLED_SIGNING_KEY)
    if not path.exists():
        if trusted_keys():
            notes.fail(
                "keys.ledger_missing",
                f"{path} is gone, but {ledger_keys.public_file().name} says that the log was signed with a key. "
                "Nothing can be signed.",
                BRING_BACK + " If it is lost: manage.py rotate_key --lost.",
            )
        else:
            notes.figure("Signing key", "none yet; the sequencer makes it at its first start")
        return None
    _mode(notes, path, "keys.ledger_open")
    key = parse_signing_key(path.read_text().strip())
    notes.figure("Signing key", f"{key.public.id} in {path}")
    if ledger_keys.next_file().exists():
        notes.warn(
            "keys.half_changed",
            "A change of the signing key was begun and not finished.",
            "Start the sequencer, which finishes it, or run manage.py rotate_key again.",
        )
    return key


def _is_the_right_one(notes: Notes, key: SigningKey) -> None:
    trusted = trusted_keys()
    notes.figure("Public keys trusted here", ", ".join(sorted(trusted)) or "none yet")
    if trusted and key.public.id not in trusted:
        notes.fail(
            "keys.not_trusted",
            f"The public key of {key.public.id} is not in {ledger_keys.public_file().name}: nothing it signs counts.",
            BRING_BACK,
        )
    signer = None if database_trouble() else newest_signer()
    if signer and signer != key.public.id:
        notes.fail(
            "keys.ledger_changed",
            f"The log was last signed with key {signer}; the key that is here is {key.public.id}. "
            "The sequencer signs nothing.",
            BRING_BACK + " If it is lost, say so: manage.py rotate_key --lost.",
        )
