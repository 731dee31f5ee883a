"""What forgetting a person does, in sentences."""

from accounts.queries.erasing import Forgetting


def goes(told: Forgetting) -> list[str]:
    """What is removed or replaced."""
    return [
        "Sign-in: the account is deactivated for good and its password removed.",
        f"{_count(told.tokens, 'live token')} revoked, {_count(told.sessions, 'session')} ended.",
        f"Name and e-mail address in the account and in {_count(told.past_rows, 'earlier row')} of it.",
        f"Name and address in the payloads of {_count(len(told.events), 'event')} of the log; the entries stay.",
        f"{_count(told.notices, 'notice')} and {_count(told.settings, 'personal setting')}.",
        "Network addresses of the last 90 days.",
    ]


def stays(told: Forgetting) -> list[str]:
    """What is kept, and why."""
    reports = _count(told.reports, "report")
    lines = [
        "The account's number, which says nothing by itself: the log names people by it (GDPR 17(3)(b)).",
        f"{_count(told.signatures, 'printed name')} under signatures: a legal duty (GDPR 17(3)(b), 21 CFR 11.50).",
        f"{_count(told.roles, 'role')} under the number: who could do what when is evidence.",
        "What was logged in runs, comments and notes: it belongs to the projects. Authors remove it there.",
        f"Files of reports made before, as issued, for evidence: {reports} of projects where they were.",
    ]
    if told.elsewhere:
        lines.append(
            f"{_count(told.elsewhere, 'other event')} hold the address in what somebody logged, such as a tag: erase "
            "their payloads one by one if the basis covers them."
        )
    return lines


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
