"""The live server that other tests rely on: a real gunicorn, commands in its database, processes that may be killed."""

from __future__ import annotations

import json
import urllib.request

import pytest

from tests.services.live import CommandFailed
from tests.services.processes import exists, wait_until


def test_it_answers_and_serves_its_style_sheets(live_mled):
    with urllib.request.urlopen(live_mled.url, timeout=10) as page:  # noqa: S310
        assert page.status == 200
        assert "/static/dist/" in page.read().decode()


def test_people_projects_and_tokens_come_from_commands(live_mled):
    password = live_mled.create_user("grace@live.example.org", name="Grace")
    live_mled.create_project("live-commands")
    live_mled.add_member("live-commands", "grace@live.example.org", "ml_engineer")
    token = live_mled.issue_token("grace@live.example.org", project="live-commands")
    assert len(password) >= 10
    assert token.startswith("mled_")
    address = f"{live_mled.tracking_uri('live-commands')}/api/2.0/mlflow/experiments/search?max_results=10"
    request = urllib.request.Request(address, headers={"Authorization": f"Bearer {token}"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        assert "experiments" in json.load(answer)


def test_a_command_that_refuses_says_why(live_mled):
    with pytest.raises(CommandFailed, match=r"nobody@live\.example\.org"):
        live_mled.issue_token("nobody@live.example.org")


def test_this_process_can_look_into_its_database(live_mled):
    from django.contrib.auth import get_user_model

    live_mled.create_user("look@live.example.org")
    with live_mled.in_database():
        assert get_user_model().objects.filter(email="look@live.example.org").exists()


def test_a_killed_worker_is_replaced(own_live_mled):
    wait_until(lambda: len(own_live_mled.web_workers()) == 2, within=10, what="two workers run")
    killed = own_live_mled.kill_a_web_worker()

    def replaced() -> bool:
        workers = own_live_mled.web_workers()
        return len(workers) == 2 and killed not in workers

    wait_until(replaced, within=10, what="another worker runs")
    assert own_live_mled.is_healthy()


def test_a_restart_keeps_what_was_committed(own_live_mled):
    own_live_mled.create_project("kept")
    old = own_live_mled.web_workers()
    own_live_mled.restart()
    assert not any(exists(pid) for pid in old)
    with pytest.raises(CommandFailed):
        own_live_mled.create_project("kept")


def test_chromium_opens_its_first_page(page):
    page.goto("/")
    assert page.title()
    assert page.get_by_role("button").count() > 0
