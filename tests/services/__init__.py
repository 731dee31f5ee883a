"""Real services for tests, and databases that tests may commit to.

Which database? SQLite, unless DATABASE_URL names a PostgreSQL server (its databases are made and dropped by the run):

    .venv/bin/pytest tests/accounts -q -n0
    .venv/bin/python -m tests.services.postgres .venv/bin/pytest tests/accounts -q -n0     # starts PostgreSQL itself

Each run migrates one *template* database and clones it wherever a database is needed (a file copy on SQLite,
CREATE DATABASE ... TEMPLATE on PostgreSQL), because the ledger's tables refuse the DELETE that a flush needs.

Fixtures:

db              pytest-django's own: the test runs in a transaction that is rolled back. Right for most tests.
                (or `pytestmark = pytest.mark.django_db`)
committed_db    a fresh clone for this one test, which may commit, use on_commit, threads and processes. A thread that
                used the database closes it: `django.db.connections.close_all()`. Its value is the DATABASE_URL that
                another process needs. Use it in place of `transactional_db` and `django_db(transaction=True)`.
live_mled       a real gunicorn (2 processes of 4 threads) on a clone of its own, one per pytest worker and session:
                see LiveMled in live.py. Tests share it, so give people and projects names of their own:

                    def test_sign_in(live_mled, page):
                        password = live_mled.create_user("ada@example.org")
                        live_mled.create_project("vision")
                        live_mled.add_member("vision", "ada@example.org", "ml_engineer")
                        token = live_mled.issue_token("ada@example.org", project="vision")
                        live_mled.url               "http://127.0.0.1:41234"
                        live_mled.tracking_uri("vision")
                        live_mled.manage("verify_ledger")
                        live_mled.kill_a_web_worker()          # SIGKILL; gunicorn starts another
                        live_mled.restart()
                        with live_mled.in_database(): ...      # this process's ORM speaks to the live database

live_mled_on_s3 the same as live_mled, with its files in a bucket of s3_server that clients reach as well.
own_live_mled   the same, but a server and database for this one test (crash tests).
s3_server       an S3 server (SeaweedFS), one per pytest worker and session: `s3_server.bucket()`.
sandbox         skips the test, with the reason, where the machine cannot shut jobs off (no bubblewrap, no user
                namespaces). What holds with the plain executor as well takes `executor_here()` of sandbox.py instead.
valkey_url      redis://... of a Valkey server, started once per session.
page, context   pytest-playwright's, on Debian's Chromium (its headless shell if it is there), with live_mled
                as base URL: `page.goto("/")`. Without Chromium these tests are skipped and the run says so.

Tests that take no database run in the SQLite pass only: by the mark `once`, or found by themselves (once.py).

Counts of repeated faults and sizes of large data: `sized(20, 500)` from tests/services/scale.py; the second number
counts under `make test-full`.

Background tasks run inline in tests and in live servers (MLED_TASKS_INLINE=1); the sequencer does not run by itself
there: call `live_mled.manage("sequencer", "--once")`.
"""
