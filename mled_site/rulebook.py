"""docs/rules.md: the rules, how severe each is in which profile, and the tags that they read."""

from collections.abc import Iterator

from audit.compliance.profile import Profile, profiles
from audit.compliance.rules.engine import GROUPS, RULES, Rule, Severity
from audit.compliance.rules.tags import TAGS

OWN = "own."
BEGIN = """# The rules

Every rule that MLED asks about the record of a run, read from the code by `manage.py rulebook`; a test keeps this page
current. A rule says *pass*, *fail* (what is recorded breaks it), *not recorded* (what it asks for is not there) or *not
applicable*. People may say, with a reason, that a rule does not apply to a run; a manager who had no hand in the run
may waive a rule until a day, with an auditor beside where it blocks approval.

A profile that checks against a law supports evidence for it; it is no statement of conformity.
"""
TAGS_WORDS = """## Tags that the rules read

What no column holds is said in tags, through any client and on the record's page, and so is in the log. A tag of the
experiment speaks for all of its runs; the run's own comes first.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([BEGIN, *_profiles(), *_rules(), TAGS_WORDS, *_tags(), ""])


def _profiles() -> Iterator[str]:
    yield "## Profiles\n"
    yield "| profile | title | version | rules | records kept | log kept |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for one in profiles().values():
        kept = f"{one.record_days:,} days | {one.log_days:,} days"
        yield f"| `{one.name}` | {one.title} | {one.version} | {len(one.rules)} | {kept} |"
    meanings = ", ".join(f"**{one.value}** {one.label.lower()}" for one in Severity)
    yield f"\nHow severe an unmet rule is: {meanings}, – not asked.\n"


def _rules() -> Iterator[str]:
    names = list(profiles().values())
    for group, title in GROUPS.items():
        mine = [rule for key, rule in RULES.items() if rule.group == group and not key.startswith(OWN)]
        if not mine:
            continue
        yield f"## {group}: {title}\n"
        yield f"| rule | statement | asked by | {' | '.join(one.name for one in names)} |"
        yield "| --- " * (3 + len(names)) + "|"
        yield from (_line(rule, names) for rule in sorted(mine, key=lambda one: int(one.key[1:])))
        yield ""


def _line(rule: Rule, names: list[Profile]) -> str:
    severities = (one.rules[rule.key].value if rule.key in one.rules else "–" for one in names)
    return f"| {rule.key} | {rule.title} | {'; '.join(rule.clauses)} | {' | '.join(severities)} |"


def _tags() -> Iterator[str]:
    yield "| tag | what stands in it | for example | read by |"
    yield "| --- | --- | --- | --- |"
    for name, tag in TAGS.items():
        yield f"| `{name}` | {tag.means} | {tag.example} | {', '.join(tag.rules)} |"
