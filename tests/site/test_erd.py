"""The pictures of the tables in the docs are those of the models."""

from xml.etree import ElementTree

import pytest
from django.apps import apps
from django.conf import settings

from mled_site.erd import ROOMS, tables_of, written

pytestmark = pytest.mark.once


@pytest.mark.parametrize("path", written())
def test_the_tables_in_the_docs_are_those_of_the_models(path):
    """After a change of a model: `manage.py erd`."""
    assert (settings.BASE_DIR / "docs" / path).read_text() == written()[path]


def test_every_room_with_tables_of_its_own_is_drawn():
    ours = {
        config.label
        for config in apps.get_app_configs()
        if str(config.path).startswith(str(settings.BASE_DIR))
        and ".venv" not in config.path
        and any(config.get_models())
    }
    assert ours == set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_a_picture_names_every_table_with_every_column(room):
    drawn = ElementTree.fromstring(written()[f"erd/{room}.svg"])  # noqa: S314  # our own
    words = {text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")}
    tables = tables_of(room)
    assert tables
    for table in tables:
        assert {table.name, *(column.name for column in table.columns)} <= words
    assert "Historical" not in "".join(str(word) for word in words)
