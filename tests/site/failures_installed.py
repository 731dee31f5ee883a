"""Words that somebody reads who runs an installation."""

from __future__ import annotations

from typing import Final

from tests.site.failure import Door, Failure

START: Final = Door(
    "At the start",
    "On the terminal, and exit code 1.",
    (
        Failure(
            "wrong DATABASE_URL",
            "",
            "MLED cannot start: DATABASE_URL begins with 'mysql'.",
            "MLED speaks postgres://user:password@host:5432/database and sqlite:////path/to/file.",
        ),
        Failure(
            "wrong number in a setting",
            "",
            "MLED cannot start: MLED_PORT is 'eight thousand', which is not a whole number.",
            "Correct it in the environment; .env.example explains every setting.",
        ),
        Failure(
            "secret key too weak",
            "",
            "MLED cannot start: MLED_SECRET_KEY is short or a well-known example: "
            "whoever guesses it can sign in as anybody.",
            "Set 50 random characters, or leave it out: MLED then makes one and keeps it in MLED_DATA/keys.",
        ),
        Failure(
            "secret key lost",
            "",
            "MLED cannot start: …/keys/secret_key is empty.",
            "Bring the secret back from your back-up, or remove the file: MLED then makes a new one, "
            "and everybody signs in anew.",
        ),
        Failure(
            "port in use",
            "",
            "Cannot listen on 127.0.0.1, port …: Address already in use.",
            "Choose another port: MLED_PORT=… make up",
        ),
        Failure(
            "Python too old",
            "",
            "MLED needs Python 3.11 or newer; this is ….",
            "Install one and run it: python3.11 prepare.py",
        ),
    ),
)
NTP: Final = "Run NTP (chrony or systemd-timesyncd) on every machine of the installation; never set the clock by hand."
BRING_BACK: Final = "Bring the key back from your back-up into MLED_DATA/keys, or set MLED_SIGNING_KEY."
STORE: Final = (
    "Check that … answers, that bucket '…' is there, and that the credentials in AWS_ACCESS_KEY_ID and "
    "AWS_SECRET_ACCESS_KEY may get, put, list and delete in it."
)
DOCTOR: Final = Door(
    "The installation",
    "By `manage.py doctor`, the page Diagnosis and `GET /api/v1/diagnostics/` (see diagnostics.md).",
    (
        Failure(
            "database away",
            "database.away",
            "The database cannot be reached: … Connection refused.",
            "Check that PostgreSQL runs on 127.0.0.1, port …, that database 'mled' is there, "
            "and user and password in DATABASE_URL.",
        ),
        Failure(
            "database file gone",
            "database.away",
            "The database cannot be reached: There is no file ….",
            "Check MLED_DATA and DATABASE_URL, and that this user may read and write the file and its folder.",
        ),
        Failure(
            "database locked",
            "database.locked",
            "Somebody has held the database's write lock for over 2 seconds: nothing can be written.",
            "Look for a program that has the file open, such as sqlite3 or a back-up.",
        ),
        Failure(
            "tables of an older version",
            "migrations.missing",
            "… not made yet: transfer.0001_transfers…. Pages that need them fail.",
            "Stop MLED, make a back-up, then run manage.py migrate; manage.py up does it by itself.",
        ),
        Failure(
            "tables of a newer version",
            "migrations.newer",
            "The database was changed by a newer version of MLED: this one does not know experiments.9999_future.",
            "Run the version that it was last used with, or go back to a back-up from before it.",
        ),
        Failure(
            "broker away",
            "broker.away",
            "The broker does not answer: …. Background work waits; nothing is lost.",
            "Start Redis or Valkey on 127.0.0.1, port …, or change REDIS_URL.",
        ),
        Failure(
            "no worker",
            "workers.none",
            "No worker answers: reports, transfers, assessments, messages and mails wait. Nothing is lost.",
            "manage.py up starts them again by itself: if MLED runs, its log says why they end. Else start MLED.",
        ),
        Failure(
            "machine that forbids the sandbox",
            "sandbox.lacking",
            "Jobs cannot be shut off on this machine, so that it executes none: …uid map: Permission denied.",
            "Allow user namespaces on the worker's machine: on Ubuntu 24.04 and later an AppArmor profile for bwrap, …",
        ),
        Failure(
            "jobs without a sandbox",
            "sandbox.plain",
            "Jobs are not shut off: MLED_EXECUTOR is 'plain', and their code may do all that the worker's user may.",
            "Take MLED_EXECUTOR away, unless you trust whoever may launch jobs with all that this machine holds.",
        ),
        Failure("object store away", "storage.away", "The file store cannot be reached; nothing was kept.", STORE),
        Failure("object store refuses", "storage.refused", "The file store refuses MLED; nothing was kept.", STORE),
        Failure(
            "bucket missing", "storage.no_bucket", "The file store has no such bucket; nothing can be kept.", STORE
        ),
        Failure(
            "disk nearly full",
            "disk.nearly_full",
            "Data: … are left, less than ….",
            "Enlarge the disk, or make room, before it is full. MLED_LEAST_FREE_BYTES says when to warn.",
        ),
        Failure(
            "signing key gone",
            "keys.ledger_missing",
            "…/keys/ledger.key is gone, but ledger.pub says that the log was signed with a key. Nothing can be signed.",
            f"{BRING_BACK} If it is lost: manage.py rotate_key --lost.",
        ),
        Failure(
            "signing key readable by others",
            "keys.ledger_open",
            "…/keys/ledger.key can be read by others (mode 0644).",
            "Run chmod 600 …/keys/ledger.key. If somebody may have read it, make a new one.",
        ),
        Failure(
            "signing key changed",
            "keys.ledger_changed",
            "The log was last signed with key …; the key that is here is …. The sequencer signs nothing.",
            f"{BRING_BACK} If it is lost, say so: manage.py rotate_key --lost.",
        ),
        Failure(
            "sequencer stopped",
            "sequencer.late",
            "The sequencer is late: … waiting for a place in the log, for over a minute. Does it run?",
            "Start it: manage.py up does, or manage.py sequencer. The log of MLED says why it ended. No event is lost.",
        ),
        Failure(
            "anchor out of reach",
            "sequencer.not_anchored",
            "Signed heads are not anchored in s3://anchors/log since …: The file store cannot be reached…",
            "Check that the place answers and takes writes (MLED_ANCHORS); what is missing is written by itself then.",
        ),
        Failure(
            "clock set back",
            "clock.back",
            "The newest event on record is of … UTC, … seconds from now: the clock was set back.",
            f"{NTP} Events keep their order in the log; their times are as the clock said.",
        ),
        Failure(
            "unknown setting",
            "configuration.unknown",
            "MLED_PROT is set, and MLED knows no such setting: it does nothing. Did you mean MLED_PORT?",
            "Correct or remove it; .env.example lists every setting.",
        ),
        Failure(
            "address without its host name",
            "configuration.host",
            "MLED_URL leads to mled.example.org, which MLED_ALLOWED_HOSTS does not name.",
            "Add mled.example.org to MLED_ALLOWED_HOSTS.",
        ),
        Failure(
            "mail server refuses",
            "configuration.mail",
            "The mail server 127.0.0.1:… does not take mails: Connection refused. Mails wait.",
            "Check EMAIL_URL: host, port, user and password, and smtp+tls or smtp+ssl.",
        ),
        Failure(
            "style sheets of another version",
            "assets.stale",
            "The style sheets and scripts that are served are not those of this version: pages may misbehave.",
            "Run make up again: it builds and collects them. "
            "By hand: python3 prepare.py, then manage.py collectstatic.",
        ),
    ),
)
