"""Somebody who signs in and asks for pages over one keep-alive connection, and the pages that are worth asking for."""

import re
import time
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection

EMAIL, PASSWORD = "bench@example.org", "a long enough passphrase 7"
WIDE = [f"metrics.layer/{number:03}/norm" for number in range(200)]


@dataclass(frozen=True)
class Answer:
    """A page and how long it took until its last byte was there. leads_to: where a redirection goes."""

    ms: float
    body: bytes
    leads_to: str = ""


class Visitor:
    """A signed-in reader. Raises RuntimeError for an answer that is no page."""

    def __init__(self, url: str) -> None:
        where = urllib.parse.urlsplit(url)
        self.host, self.port = where.hostname or "", where.port
        self.line = HTTPConnection(self.host, self.port, timeout=300)
        self.cookies: dict[str, str] = {}
        form = self.get("/login/").body.decode()
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)
        sent = {"login": EMAIL, "password": PASSWORD, "csrfmiddlewaretoken": found[1] if found else ""}
        told = self._ask("POST", "/login/", urllib.parse.urlencode(sent))
        if "mled_session" not in self.cookies:
            words = " ".join(re.sub(rb"<[^>]+>", b" ", told.body).decode(errors="replace").split())
            raise RuntimeError(f"the sign-in was refused: {words[-600:]}")

    def get(self, path: str) -> Answer:
        return self._ask("GET", path)

    def _ask(self, method: str, path: str, body: str | None = None) -> Answer:
        headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "Accept": "text/html",
        }
        if body is not None:
            origin = f"http://{self.host}:{self.port}"
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "Origin": origin, "Referer": f"{origin}/"}
        begun = time.perf_counter()
        self.line.request(method, path, body=body, headers=headers)
        answer = self.line.getresponse()
        content = answer.read()
        took = 1000 * (time.perf_counter() - begun)
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.partition(";")[0]
        if answer.status not in (200, 302):
            raise RuntimeError(f"{method} {path[:200]} answered {answer.status}: {content[:300]!r}")
        return Answer(took, content, answer.getheader("Location") or "")


def addresses(visitor: Visitor) -> Mapping[str, str]:
    """Page -> address. The runs are those of bench/fill.py; the newest have the highest numbers."""
    table = "/p/bench/runs/"
    experiments = experiment_ids(visitor)
    newest = _newest(visitor, f"{table}?tree=0")
    curves = curve_runs(visitor, experiments["curves"])
    good = urllib.parse.quote("metrics.`val/auroc` > 0.9 AND params.arch = 'tcn'")
    wide = urllib.parse.urlencode([("columns", key) for key in WIDE])
    points = "&".join(f"field={key}" for key in ("params.lr", "params.arch", "metrics.val/auroc.last", "duration"))
    hundred = ",".join(newest[:100])
    return {
        "home": "/",
        "project": "/p/bench/",
        "experiment list": "/p/bench/experiments/",
        "table: first rows": f"{table}?tree=0",
        "table: by a metric": f"{table}?tree=0&sort=-metrics.val/auroc",
        "table: by a param of few values": f"{table}?tree=0&sort=params.batch_size",
        "table: filtered": f"{table}?tree=0&q={good}",
        "table: one of all": f"{table}?tree=0&q=" + urllib.parse.quote("tags.ticket = 'ICU-77'"),
        "table: nothing": f"{table}?tree=0&q=" + urllib.parse.quote("params.arch = 'none'"),
        "table: by 1 group": f"{table}?group=params.arch",
        "table: by 3 groups": f"{table}?group=params.arch&group=params.optimizer&group=params.layers",
        "table: 200 columns": f"{table}?tree=0&experiment={experiments['wide']}&{wide}",
        "table: tree": f"{table}?tree=1",
        "table: tree by a metric": f"{table}?tree=1&sort=-metrics.val/auroc",
        "table: deep page": _deep(visitor, f"{table}?tree=0&sort=-metrics.val/auroc", 10),
        "all projects": "/runs/?tree=0",
        "all projects by a metric": "/runs/?tree=0&sort=-metrics.val/auroc",
        "new runs since": _newer(visitor, table),
        "jump box: a name": "/jump/?q=gru",
        "jump box: an id": f"/jump/?q={newest[0]}",
        "suggestions: keys": "/p/bench/query/suggest/?q=met&at=3",
        "suggestions: values": "/p/bench/query/suggest/?" + urllib.parse.urlencode({"q": "params.arch = '", "at": 15}),
        "compare 10 runs": f"/compare/?runs={','.join(newest[:10])}",
        "compare 100 runs": f"/compare/?runs={hundred}",
        "charts page": f"{table}?view=charts",
        "chart: 20 curves of 100,000": f"/charts/data.bin?runs={','.join(curves)}&key=curve",
        "points of all runs": f"/p/bench/points.json?{points}",
        "what matters": "/p/bench/what-matters/?metric=val/auroc",
        "a run": f"/r/{_uid(visitor, newest[5])}/",
        "its params": f"/r/{_uid(visitor, newest[5])}/params/",
    }


def experiment_ids(visitor: Visitor) -> dict[str, str]:
    """Name -> number of the project's experiments."""
    page = visitor.get("/p/bench/experiments/").body.decode()
    return {name: pk for pk, name in re.findall(r'\?experiment=(\d+)[^"]*"[^>]*>\s*([a-z]+)\s*<', page)}


def curve_runs(visitor: Visitor, experiment: str) -> list[str]:
    """The runs with long curves."""
    return _newest(visitor, f"/p/bench/runs/?experiment={experiment}&tree=0")[:20]


def _newest(visitor: Visitor, address: str) -> list[str]:
    """The readable ids of a page of the table."""
    page = visitor.get(address).body.decode()
    return list(dict.fromkeys(re.findall(r'name="runs" form="selection" value="([^"]+)"', page)))


def _uid(visitor: Visitor, run: str) -> str:
    return visitor.get(f"/jump/?q={run}").leads_to.strip("/").removeprefix("r/") or run


def _deep(visitor: Visitor, address: str, pages: int) -> str:
    """The address of a page so far behind the first."""
    for _ in range(pages):
        found = re.search(r'href="([^"]*after=[^"]*)"', visitor.get(address).body.decode())
        if not found:
            break
        address = found[1].replace("&amp;", "&")
        if address.startswith("?"):
            address = f"/p/bench/runs/{address}"
    return address


def _newer(visitor: Visitor, table: str) -> str:
    """Where the table asks for what is new."""
    found = re.search(r'"(/p/bench/runs/newer/[^"]*)"', visitor.get(f"{table}?tree=0").body.decode())
    return found[1].replace("&amp;", "&") if found else "/p/bench/runs/newer/"
