"""Failures of an installation, as manage.py doctor tells them to whoever runs it."""

from __future__ import annotations

import datetime as dt
import sqlite3
from contextlib import closing
from pathlib import Path

import boto3
from django.db import connection

from accounts.actions.members import remove_member
from accounts.models import Membership
from audit.compliance.models import Report
from audit.compliance.reports.build import build_report
from audit.ledger import keys
from audit.ledger.anchoring import Keeper
from audit.ledger.places import places_far_away
from audit.ledger.sequencer import Sequencer
from kernel import clock
from registry.actions.webhooks import create_webhook, ping_webhook
from registry.models import Delivery
from registry.webhooks.queue import send_next
from registry.webhooks.secrets import new_secret
from tests.compliance.report_building import asked_for
from tests.factories import a_run, a_team, user_of
from tests.services.processes import free_port
from tests.site.provoking import Hands, Told, provokes, signed_in, words_of


def nobody_at() -> int:
    """A port that nobody listens at."""
    return free_port()


def in_future(hands: Hands, seconds: float) -> None:
    """The clock goes on by so much, for us and not for what is on record."""
    later = clock._now() + seconds
    hands("monkeypatch").setattr(clock, "_now", lambda: later)


def own_data(hands: Hands) -> Path:
    """MLED_DATA of this test alone."""
    hands("settings").MLED_DATA = hands("tmp_path")
    return Path(hands("tmp_path"))


# --- Database


@provokes("database locked")
def database_locked(hands: Hands) -> Told:
    hands("committed_db")
    with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        return hands.doctor("database", "database.locked")


@provokes("database file gone")
def database_gone(hands: Hands) -> Told:
    hands("committed_db")
    connection.close()
    Path(connection.settings_dict["NAME"]).rename(hands("tmp_path") / "elsewhere.sqlite3")
    return hands.doctor("database", "database.away")


@provokes("tables of an older version")
def migrations_missing(hands: Hands) -> Told:
    hands("committed_db")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'transfer'")
    return hands.doctor("migrations", "migrations.missing")


@provokes("tables of a newer version")
def migrations_newer(hands: Hands) -> Told:
    hands("committed_db")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('experiments', '9999_future', '2031-01-01')"
        )
    return hands.doctor("migrations", "migrations.newer")


# --- Broker and workers


@provokes("broker away")
def broker_away(hands: Hands) -> Told:
    hands("settings").CELERY_BROKER_URL = f"redis://127.0.0.1:{nobody_at()}/0"
    return hands.doctor("broker", "broker.away")


@provokes("machine that forbids the sandbox")
def sandbox_forbidden(hands: Hands) -> Told:
    """A bubblewrap that says what that of Ubuntu says where AppArmor forbids user namespaces."""
    hands("db")
    forbidding = Path(hands("tmp_path")) / "bwrap"
    forbidding.write_text("#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n")
    forbidding.chmod(0o755)
    hands("monkeypatch").setenv("PATH", str(forbidding.parent), prepend=":")
    return hands.doctor("sandbox", "sandbox.lacking")


@provokes("jobs without a sandbox")
def sandbox_not_wanted(hands: Hands) -> Told:
    hands("settings").MLED_EXECUTOR = "plain"
    return hands.doctor("sandbox", "sandbox.plain")


@provokes("report without a worker")
def report_waits(hands: Hands) -> Told:
    """The page of a report that nobody builds."""
    hands("db")
    team = a_team()
    a_run(team.scientist)
    report: Report = asked_for(team.manager, team.project)
    in_future(hands, 90)
    answer = signed_in(user_of(team.manager)).get(f"/p/{team.project.slug}/reports/{report.pk}/")
    text = words_of(answer)
    return Told("", text, text)


@provokes("report that cannot be made")
def report_failed(hands: Hands) -> Told:
    """Whoever asked for it has left the project when it is built."""
    hands("db")
    team = a_team()
    a_run(team.scientist)
    report: Report = asked_for(team.engineer, team.project)
    membership = Membership.objects.get(project=team.project, user=user_of(team.engineer))
    remove_member(team.manager, membership)
    build_report(report.pk)
    report.refresh_from_db()
    assert report.state == Report.State.FAILED
    return Told("", report.failure, report.failure)


@provokes("webhook target down")
def webhook_down(hands: Hands) -> Told:
    hands("db")
    team, settings = a_team(), hands("settings")
    settings.MLED_WEBHOOK_ALLOW_NETWORKS = ["127.0.0.0/8"]
    hook = create_webhook(team.engineer, team.project, url=f"https://127.0.0.1:{nobody_at()}/hook", secret=new_secret())
    ping_webhook(team.engineer, hook)
    assert send_next()
    delivery = Delivery.objects.get(webhook__project=team.project)
    assert delivery.state == Delivery.State.WAITING
    return Told("", delivery.error, delivery.error)


# --- Files


@provokes("object store away")
def store_away(hands: Hands) -> Told:
    hands("db")
    credentials(hands, "somebody", "something")
    hands("settings").MLED_BLOBS = f"s3://mled/files?endpoint=http://127.0.0.1:{nobody_at()}"
    return hands.doctor("storage", "storage.away")


@provokes("object store refuses")
def store_refuses(hands: Hands) -> Told:
    hands("db")
    server = hands("s3_server")
    credentials(hands, server.access_key, "hunter2-is-not-it")
    hands("settings").MLED_BLOBS = f"s3://{server.bucket()}/refused?endpoint={server.endpoint}"
    return hands.doctor("storage", "storage.refused")


@provokes("bucket missing")
def bucket_missing(hands: Hands) -> Told:
    hands("db")
    server = hands("s3_server")
    credentials(hands, server.access_key, server.secret_key)
    hands("settings").MLED_BLOBS = f"s3://no-such-bucket/x?endpoint={server.endpoint}"
    return hands.doctor("storage", "storage.no_bucket")


def credentials(hands: Hands, key: str, secret: str) -> None:
    patch = hands("monkeypatch")
    patch.setenv("AWS_ACCESS_KEY_ID", key)
    patch.setenv("AWS_SECRET_ACCESS_KEY", secret)
    patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    patch.setattr(boto3, "DEFAULT_SESSION", None)  # which remembers credentials


@provokes("disk nearly full")
def disk_nearly_full(hands: Hands) -> Told:
    hands("settings").MLED_LEAST_FREE_BYTES = 2**60
    return hands.doctor("disk", "disk.nearly_full")


# --- Keys and log


@provokes("signing key gone")
def signing_key_gone(hands: Hands) -> Told:
    own_data(hands)
    keys.signing_key()
    keys.private_file().unlink()
    return hands.doctor("keys", "keys.ledger_missing")


@provokes("signing key readable by others")
def signing_key_open(hands: Hands) -> Told:
    own_data(hands)
    keys.signing_key()
    keys.private_file().chmod(0o644)
    return hands.doctor("keys", "keys.ledger_open")


@provokes("signing key changed")
def signing_key_changed(hands: Hands) -> Told:
    own_data(hands)
    hands("committed_db")
    a_team()
    Sequencer().run_until_empty()
    other = keys.new_key("mled.local/log")
    keys.private_file().write_text(other.line() + "\n")
    keys.publish(other.public)
    return hands.doctor("keys", "keys.ledger_changed")


@provokes("sequencer stopped")
def sequencer_stopped(hands: Hands) -> Told:
    own_data(hands)
    hands("committed_db")
    a_team()
    in_future(hands, 61)
    return hands.doctor("sequencer", "sequencer.late")


@provokes("anchor out of reach")
def anchor_unreachable(hands: Hands) -> Told:
    own_data(hands)
    hands("committed_db")
    credentials(hands, "somebody", "something")
    hands("settings").MLED_ANCHORS = ["file", f"s3://anchors/log?endpoint=http://127.0.0.1:{nobody_at()}"]
    a_team()
    Sequencer().run_until_empty()
    keeper = Keeper(places_far_away()[0])
    keeper.bring_up()
    keeper.let_go()
    in_future(hands, 301)
    return hands.doctor("sequencer", "sequencer.not_anchored")


@provokes("clock set back")
def clock_back(hands: Hands) -> Told:
    hands("committed_db")
    in_future(hands, 3600)
    a_team()
    in_future(hands, -dt.timedelta(hours=1).total_seconds())
    return hands.doctor("clock", "clock.back")


# --- Settings


@provokes("unknown setting")
def unknown_setting(hands: Hands) -> Told:
    hands("monkeypatch").setenv("MLED_PROT", "8001")
    return hands.doctor("configuration", "configuration.unknown")


@provokes("address without its host name")
def host_not_allowed(hands: Hands) -> Told:
    hands("settings").MLED_URL = "https://mled.example.org"
    hands("settings").ALLOWED_HOSTS = ["localhost"]
    return hands.doctor("configuration", "configuration.host")


@provokes("mail server refuses")
def mail_refused(hands: Hands) -> Told:
    settings = hands("settings")
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_HOST_PASSWORD = "127.0.0.1", nobody_at(), "hunter2"
    return hands.doctor("configuration", "configuration.mail")


@provokes("style sheets of another version")
def stale_assets(hands: Hands) -> Told:
    settings = hands("settings")
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }
    settings.STATIC_ROOT = hands("tmp_path")
    (hands("tmp_path") / "made-from").write_text("of last week")
    return hands.doctor("assets", "assets.stale")
