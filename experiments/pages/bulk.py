"""The acts on chosen runs of the table: what the form says, and the words of what came of it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.access import can, find_project
from accounts.models import Project
from accounts.pages.doors import actor_of, signed_in
from experiments.actions.decisions import RUNS_MAX
from experiments.actions.many import BULK, BulkAct, Outcome, Wish, act_of, do_to_all
from experiments.models import Experiment, Run
from experiments.pages.asked import Asked, numbers_in
from experiments.pages.export import file_of
from experiments.pages.slots import runs_pages
from experiments.queries.nested import count_left_behind
from experiments.queries.overview import experiments_of
from experiments.queries.selection import MOST, chosen_runs, runs_that_match
from experiments.refs import uid_in
from kernel.actor import Actor
from kernel.errors import Invalid, MledError, NotFound

TOLD_MAX = 5
ADDRESS_MAX = 7_500
UNDO = "runs_undo"


@require_POST
@signed_in
def act(request: HttpRequest, slug: str, verb: str) -> HttpResponseBase:
    """Do it to the chosen runs, compare them or write them to a file, and back to where one was."""
    viewer = actor_of(request)
    project = find_project(viewer, slug)
    asked = Asked.parse(reverse("experiments:runs", args=[project.slug]), QueryDict(request.POST.get("table", "")))
    if verb == "compare":
        return redirect(f"{reverse('experiments:compare')}?runs={','.join(_refs(request))}")
    if verb == "decide":
        return _to_decision(viewer, project, asked, request)
    if verb == "export":
        return _exported(viewer, project, asked, request)
    if verb in runs_pages:
        return _led_over(viewer, project, asked, request, verb)
    bulk = act_of(verb)
    if bulk is None:
        raise NotFound(f"Runs have no act '{verb[:20]}'.")
    back = _back(request, asked)
    try:
        runs, more = _chosen(viewer, project, asked, request)
        wish = _wish(viewer, project, request, verb)
    except Invalid as error:
        messages.error(request, str(error))
        return redirect(back)
    outcome = do_to_all(viewer, runs, bulk, wish)
    level, words = told(bulk, outcome, more=more)
    words += _left_behind(viewer, outcome.done) if verb == "move" else ""
    can_undo = bool(outcome.done and bulk.undo)
    if not can_undo or outcome.refused:
        messages.add_message(request, level, words)
    if can_undo:
        request.session[UNDO] = {
            "slug": project.slug,
            "verb": bulk.undo,
            "runs": ",".join(run.readable_id for run in outcome.done),
            "words": "" if outcome.refused else words,
            "reason": f"Undone: {wish.reason}"[:1000] if wish.reason else "",
            "back": _places_text(outcome.left) if verb == "move" else "",
        }
    return redirect(back)


def _back(request: HttpRequest, asked: Asked) -> str:
    """The page of the one run that it was asked from, else the table."""
    run = request.POST.get("run", "")
    return reverse("experiments:run", args=[run]) if uid_in(run) else asked.url(asked.all_kept())


def _to_decision(viewer: Actor, project: Project, asked: Asked, request: HttpRequest) -> HttpResponseBase:
    """To the form of a decision that cites the chosen runs."""
    try:
        runs, _ = _chosen(viewer, project, asked, request)
        if len(runs) > RUNS_MAX:
            words = f"{len(runs):,} runs are chosen; a decision cites at most {RUNS_MAX}."
            raise Invalid(words, hint="Choose those that it rests on.", field="runs")
    except Invalid as error:
        messages.error(request, str(error))
        return redirect(_back(request, asked))
    cited = ", ".join(run.readable_id for run in runs)
    return redirect(f"{reverse('experiments:decide', args=[project.slug])}?{urlencode({'runs': cited})}")


def _exported(viewer: Actor, project: Project, asked: Asked, request: HttpRequest) -> HttpResponseBase:
    """The chosen runs as a file, with the columns of the table."""
    asked = _asked_of_chosen(viewer, project, asked, request)
    return file_of(viewer, project, asked, request.POST.get("kind", "csv"), everything=False)


def _led_over(viewer: Actor, project: Project, asked: Asked, request: HttpRequest, verb: str) -> HttpResponseBase:
    """To a page above that speaks of the chosen runs."""
    try:
        chosen = _asked_of_chosen(viewer, project, asked, request)
        url = runs_pages[verb].url(project, chosen.kept("sort", "columns", "good", "saved"))
        if len(url) > ADDRESS_MAX:
            words = "So many ticked runs do not fit into one question."
            raise Invalid(words, hint="Narrow the query to them, and choose all that match.", field="runs")
    except Invalid as error:
        messages.error(request, str(error))
        return redirect(_back(request, asked))
    return redirect(url)


def _asked_of_chosen(viewer: Actor, project: Project, asked: Asked, request: HttpRequest) -> Asked:
    """The question that finds the chosen runs: that of the table for all, else their ids. Raises Invalid for none."""
    if request.POST.get("all") == "1":
        return asked
    refs = [run.readable_id for run in chosen_runs(viewer, project, _refs(request))]
    if not refs:
        raise Invalid("No run is chosen.", hint="Tick runs in the table first.", field="runs")
    listed = ", ".join(f"'{ref}'" for ref in refs)
    return replace(asked, query=f"id IN ({listed})", experiment_ids=(), lifecycle="all")


def _left_behind(viewer: Actor, moved: Sequence[Run]) -> str:
    """What a move says of runs that are nested in those that moved."""
    stayed = count_left_behind(viewer, moved)
    return f" {_runs(stayed)} nested in them stayed." if stayed else ""


def _places_text(left: Mapping[str, Experiment]) -> str:
    """Where each run came from, as a hidden field: 12:VIS-1,VIS-2;15:VIS-3."""
    places: dict[int, list[str]] = defaultdict(list)
    for ref, experiment in left.items():
        places[experiment.pk].append(ref)
    return ";".join(f"{experiment}:{','.join(refs)}" for experiment, refs in places.items())


def _places_in(viewer: Actor, project: Project, text: str) -> dict[str, Experiment]:
    """The same read back; experiments out of sight are left out."""
    said = {
        ref: place for part in text.split(";") for place, _, refs in [part.partition(":")] for ref in refs.split(",")
    }
    known = {str(one.pk): one for one in experiments_of(viewer, project).filter(pk__in=set(numbers_in(said.values())))}
    return {ref: known[place] for ref, place in said.items() if place in known}


def _refs(request: HttpRequest) -> list[str]:
    """Readable ids: each tick of the page, and the list that scripts keep."""
    given = [ref for text in request.POST.getlist("runs") for ref in text.split(",")]
    return list(dict.fromkeys(ref.strip() for ref in given if ref.strip()))


def _chosen(viewer: Actor, project: Project, asked: Asked, request: HttpRequest) -> tuple[list[Run], bool]:
    """The runs, and whether there are more than can be taken at once."""
    if request.POST.get("all") == "1":
        scope = asked.experiment_ids or None
        runs, more = runs_that_match(viewer, project, experiments=scope, text=asked.query, view=asked.lives)
    else:
        refs = _refs(request)
        runs, more = chosen_runs(viewer, project, refs), len(refs) > MOST
    if not runs:
        raise Invalid("No run is chosen.", hint="Tick runs in the table first.", field="runs")
    return runs, more


def _wish(viewer: Actor, project: Project, request: HttpRequest, verb: str) -> Wish:
    reason = next((text.strip() for text in request.POST.getlist("reason") if text.strip()), "")
    if verb == "move":
        to = experiments_of(viewer, project).filter(pk__in=numbers_in([request.POST.get("to", "")])).first()
        places = _places_in(viewer, project, request.POST.get("back", ""))
        if to is None and not places:
            raise Invalid("Nobody said where to.", hint="Choose an experiment of this project.", field="to")
        return Wish(reason, "", "", to, places)
    key = request.POST.get("key", "").strip()
    if verb in ("tag", "untag") and not key:
        raise Invalid("A tag has a name.", hint="Write it beside its value.", field="key")
    return Wish(reason, key, request.POST.get("value", "").strip())


def told(bulk: BulkAct, outcome: Outcome, *, more: bool) -> tuple[int, str]:
    """(level, words) of one message: how many were done, how many were so already, each refusal with its runs."""
    done, already, refused = len(outcome.done), len(outcome.already), len(outcome.refused)
    said = [f"{_runs(done)} {bulk.done}"] if done or not refused else [f"No run {bulk.done}"]
    said += [f"{already:,} {'was' if already == 1 else 'were'} so already"] if already else []
    said += [f"{refused:,} refused"] if refused else []
    text = ", ".join(said)
    if refused:
        alike: dict[str, list[str]] = defaultdict(list)
        for run, error in outcome.refused:
            alike[_in_general(error, run)].append(run.readable_id)
        text += ": " + "; ".join(f"{_few(refs)}: {why}" for why, refs in alike.items())
    text = text if text.endswith(".") else f"{text}."
    text += f" These are the first {MOST:,} that match; there are more." if more else ""
    level = messages.SUCCESS if not refused else messages.WARNING if done else messages.ERROR
    return level, text


def _in_general(error: MledError, run: Run) -> str:
    """The refusal without the run's name, so that runs refused alike are told together."""
    return str(error).replace(f"Run {run.name} ", "it ").replace(f"Run {run.uid.hex} ", "it ")


def _few(refs: Sequence[str]) -> str:
    more = f" and {len(refs) - TOLD_MAX:,} more" if len(refs) > TOLD_MAX else ""
    return ", ".join(refs[:TOLD_MAX]) + more


def _runs(count: int) -> str:
    return f"{count:,} run{'' if count == 1 else 's'}"


def undo_of(request: HttpRequest, project: Project) -> dict[str, str] | None:
    """What can be taken back, on the one page that follows the act. words: of that, unless a message says it."""
    held: dict[str, str] | None = request.session.get(UNDO)
    if held is None or held["slug"] != project.slug:
        return None
    del request.session[UNDO]
    return held


def offered(viewer: Actor, project: Project) -> frozenset[str]:
    """The acts that this viewer may do to some runs of the project."""
    if can(viewer, "experiments.log_run", project):  # on their own runs, at least
        return frozenset(BULK)
    return frozenset(verb for verb, bulk in BULK.items() if can(viewer, bulk.permission, project))
