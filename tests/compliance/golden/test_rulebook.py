"""The page of the rules is that of the code, and names every tag that a rule reads."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from audit.compliance import rules
from audit.compliance.profile import profiles
from audit.compliance.rules.engine import RULES
from audit.compliance.rules.tags import TAGS
from mled_site.rulebook import page

pytestmark = pytest.mark.once
TAG = re.compile(r"\"(mled\.[a-z_]+)\"")


def test_the_page_of_the_rules_is_current() -> None:
    """After a change of a rule, a profile or a tag: `manage.py rulebook`."""
    assert (settings.BASE_DIR / "docs" / "rules.md").read_text() == page()


def test_the_page_has_every_rule_once_with_its_severity_in_each_profile() -> None:
    lines = [line for line in page().splitlines() if re.match(r"\| [A-Z]\d \|", line)]
    keys = [line.split(" | ")[0].removeprefix("| ") for line in lines]
    assert sorted(keys) == sorted(key for key in RULES if not key.startswith("own."))
    for key, line in zip(keys, lines, strict=True):
        said = [cell.strip() for cell in line.strip("|").split("|")][3:]
        wanted = [one.rules[key].value if key in one.rules else "–" for one in profiles().values()]
        assert said == wanted


def test_every_tag_that_a_rule_reads_is_explained_and_no_other() -> None:
    files = [path for path in Path(rules.__path__[0]).glob("*.py") if path.name != "tags.py"]
    read = {name for path in files for name in TAG.findall(path.read_text())}
    assert read == set(TAGS)
    assert all(set(tag.rules) <= set(RULES) for tag in TAGS.values())
