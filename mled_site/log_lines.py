"""Lines of the log: what is said about a request bears its id, the one that its answer and its error page show."""

import logging


class Line(logging.Formatter):
    """As the settings say; before the message of a request the id that finds it."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name that logging calls
        found = getattr(getattr(record, "request", None), "request_id", "")
        if found:
            record.message = f"request {found}: {record.message}"
        return super().formatMessage(record)
