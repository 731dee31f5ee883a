"""One act on many runs of a project: each told apart, or all of them or none."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Project
from experiments.actions.many import BULK, BulkAct, Outcome, Wish, act_of, do_to_all
from experiments.hooks import bulk_acts
from experiments.models import Experiment, Run
from experiments.queries.experiments import get_experiment, wire_id
from experiments.queries.selection import MOST, runs_of, runs_that_match
from experiments.rest.experiments import InProject
from experiments.rest.questions import VIEWS, Question
from experiments.rest.sent import key, own_tags_apart, text
from experiments.search.limits import MAX_TEXT
from kernel.errors import Conflict, Invalid, MledError, NotFound

OUTCOMES = ("done", "already", "refused", "absent", "undone")
EXAMPLE = {"act": "tag", "runs": ["PUM-12", "PUM-13"], "key": "paper", "value": "figure 3", "atomic": True}


class MovedBack(serializers.Serializer[Any]):
    experiment = serializers.CharField(max_length=20)
    runs = serializers.ListField(child=serializers.CharField(max_length=80), max_length=MOST)


class BulkWanted(serializers.Serializer[Any]):
    act = serializers.CharField(
        max_length=60, help_text=f"{', '.join(BULK)}, or what other parts of MLED offer, such as request-review."
    )
    runs = serializers.ListField(
        child=serializers.CharField(max_length=80),
        max_length=MOST,
        required=False,
        help_text=f"Ids of runs of the project, at most {MOST:,}; or in their stead a query line in `q`.",
    )
    q = serializers.CharField(
        allow_blank=True, required=False, max_length=MAX_TEXT, help_text="Every run that matches; empty for all runs."
    )
    experiment = serializers.ListField(child=serializers.CharField(max_length=20), default=list, help_text="With `q`.")
    lifecycle = serializers.ChoiceField(choices=list(VIEWS), default="", help_text="With `q`: active, deleted or all.")
    reason = serializers.CharField(allow_blank=True, default="", max_length=2000)
    key = key(required=False, help_text="Of tag and untag.")
    value = text(default="", help_text="Of tag.")
    to = serializers.CharField(required=False, max_length=20, help_text="Of move: the id of the experiment.")
    back = MovedBack(many=True, required=False, help_text="Of a move that undoes one: where each goes.")
    atomic = serializers.BooleanField(default=False, help_text="All of them or none.")


class BulkResult(serializers.Serializer[Any]):
    run = serializers.CharField(help_text="The id as it was sent, or the readable one.")
    outcome = serializers.ChoiceField(
        choices=OUTCOMES,
        help_text="done; already (it was so); refused; absent (no such run of the project is in sight); undone "
        "(another was refused, and all or none was asked for).",
    )
    status = serializers.IntegerField(help_text="As a call for this run alone would have answered.")
    code = serializers.CharField(required=False)
    title = serializers.CharField(required=False, help_text="Why it was refused.")
    hint = serializers.CharField(required=False)


class BulkJson(serializers.Serializer[Any]):
    done = serializers.IntegerField()
    already = serializers.IntegerField()
    refused = serializers.IntegerField()
    more = serializers.BooleanField(help_text=f"More runs match; these are the first {MOST:,}.")
    results = BulkResult(many=True)
    undo = serializers.DictField(
        child=serializers.JSONField(), allow_null=True, help_text="The body that takes back what was done, if any does."
    )


class BulkActs(InProject):
    """One act on many runs."""

    needs = {"POST": "experiments.log_run"}
    happens_anew = "Each run is an act of its own; sent again, what is done is told as done and the rest goes on."
    serializer_class = BulkJson

    @extend_schema(
        request=BulkWanted,
        responses={200: BulkJson},
        examples=[OpenApiExample("A tag for two runs", EXAMPLE, request_only=True)],
    )
    def post(self, request: Request, slug: str) -> Response:
        """Do it to each run, each with its own event; one that is refused leaves the others as they are.

        The answer tells for each run what came of it. With `atomic`, nothing is done where one is refused or absent.
        """
        project = self.project()
        asked = self.parsed(BulkWanted)
        bulk = act_of(asked["act"])
        if bulk is None:
            hint = f"Choose among {', '.join([*BULK, *bulk_acts])}."
            raise Invalid(f"Runs have no act '{asked['act'][:40]}'.", hint=hint, field="act")
        chosen, more = self._chosen(project, asked)
        wish = self._wish(project, asked)
        runs = [run for run in chosen.values() if run is not None]
        absent = len(chosen) - len(runs)
        stopped = asked["atomic"] and absent
        outcome = Outcome() if stopped else do_to_all(self.actor, runs, bulk, wish, atomic=asked["atomic"])
        told = {
            "done": len(outcome.done),
            "already": len(outcome.already),
            "refused": len(outcome.refused) + absent,
            "more": more,
            "results": _results(chosen, outcome),
            "undo": _undo(asked, bulk, outcome),
        }
        return Response(told)

    def _chosen(self, project: Project, asked: dict[str, Any]) -> tuple[dict[str, Run | None], bool]:
        """The runs by how they were named, None for a name that led to none; and whether more match."""
        if ("runs" in asked) == ("q" in asked):
            raise Invalid("Say which runs.", hint="Send `runs`, or a query line in `q`; not both.", field="runs")
        if "runs" in asked:
            return runs_of(self.actor, project, asked["runs"]), False
        question = Question.of(self.actor, asked, project)
        runs, more = runs_that_match(self.actor, project, **question.scope)
        if more and asked["atomic"]:
            raise Conflict(f"More than {MOST:,} runs match.", hint="Narrow the query, or do it without `atomic`.")
        return {run.readable_id: run for run in runs}, more

    def _wish(self, project: Project, asked: dict[str, Any]) -> Wish:
        if asked["act"] in ("tag", "untag") and not asked.get("key"):
            raise Invalid("A tag has a name.", hint="Send it as `key`.", field="key")
        own_tags_apart({asked.get("key", "")})
        to = get_experiment(self.actor, asked["to"], project=project) if asked.get("to") else None
        if asked["act"] == "move" and to is None and not asked.get("back"):
            raise Invalid("Nobody said where to.", hint="Send the id of an experiment as `to`.", field="to")
        return Wish(asked["reason"], asked.get("key", ""), asked["value"], to, self._back(project, asked))

    def _back(self, project: Project, asked: dict[str, Any]) -> dict[str, Experiment]:
        return {
            ref.upper(): place
            for one in asked.get("back", ())
            for place in [get_experiment(self.actor, one["experiment"], project=project)]
            for ref in one["runs"]
        }


def _results(chosen: Mapping[str, Run | None], outcome: Outcome) -> list[dict[str, Any]]:
    """What came of each run, in the order of the request."""
    told = {run.pk: _told(run, "done", 200) for run in outcome.done}
    told |= {run.pk: _told(run, "already", 200) for run in outcome.already}
    told |= {run.pk: _told(run, "refused", error.status, error) for run, error in outcome.refused}
    return [
        _absent(ref) if run is None else told.get(run.pk) or _told(run, "undone", 409) for ref, run in chosen.items()
    ]


def _told(run: Run, outcome: str, status: int, error: MledError | None = None) -> dict[str, Any]:
    why = {"code": error.code, "title": error.message, "hint": error.hint} if error else {}
    return {"run": run.readable_id, "outcome": outcome, "status": status, **why}


def _absent(ref: str) -> dict[str, Any]:
    title = f"The project has no run '{ref}' that you see."
    return {"run": ref, "outcome": "absent", "status": 404, "code": NotFound.code, "title": title, "hint": ""}


def _undo(asked: dict[str, Any], bulk: BulkAct, outcome: Outcome) -> dict[str, Any] | None:
    """A call that takes back what was done."""
    if not bulk.undo or not outcome.done:
        return None
    said: dict[str, Any] = {"act": bulk.undo, "runs": [run.readable_id for run in outcome.done]}
    if asked["reason"]:
        said["reason"] = f"Undone: {asked['reason']}"[:2000]
    if bulk.undo == "move":
        said["back"] = _places(outcome)
    return said


def _places(outcome: Outcome) -> list[dict[str, Any]]:
    places: dict[str, list[str]] = defaultdict(list)
    for run in outcome.done:
        places[wire_id(outcome.left[run.readable_id])].append(run.readable_id)
    return [{"experiment": place, "runs": refs} for place, refs in places.items()]
