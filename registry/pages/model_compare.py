"""Two versions of a model side by side: origin, metrics, params, tags, data, files."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.pages.doors import actor_of, signed_in
from experiments.queries.experiments import metric_directions
from kernel.actor import Actor
from kernel.clock import from_ms
from kernel.errors import Invalid
from registry.models import ModelVersion, RegisteredModel
from registry.pages.frame import digest_of, version_url
from registry.pages.measured import Pair, Part, metric_lines, names_data, pairs, same_test_set
from registry.pages.model import model_frame
from registry.queries.measures import Record, records_of
from registry.queries.registered_models import get_version, version_data, versions_of
from registry.queries.version_files import files_of_version

CHOICES = 200


@require_safe
@signed_in
def page(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """What differs between `?a=` and `?b=`; without them between the two newest."""
    model, context = model_frame(request, slug, name, "compare")
    viewer = actor_of(request)
    numbers = list(versions_of(viewer, model).values_list("number", flat=True)[:CHOICES])
    if len(numbers) > 1:
        after = _asked(viewer, model, request.GET.get("b") or str(numbers[0]))
        earlier = [number for number in numbers if number < after.number] or [numbers[-1]]
        before = _asked(viewer, model, request.GET.get("a") or str(earlier[0]))
        whole = request.GET.get("all") == "1"
        context |= compared(viewer, before, after, whole=whole) | {"whole": whole}
    context["numbers"] = numbers
    return render(request, "registry/model_compare.html", context)


def _asked(viewer: Actor, model: RegisteredModel, number: str) -> ModelVersion:
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        raise Invalid(f"'{number[:20]}' is no version.", hint="Versions are numbers: 1, 2, 3.", field="a")
    version = get_version(viewer, model, int(number))
    version.model = model
    return version


def compared(viewer: Actor, before: ModelVersion, after: ModelVersion, *, whole: bool) -> dict[str, Any]:
    """Both versions, part by part."""
    records = records_of(viewer, [before, after])
    one, other = records[before.pk], records[after.pk]
    project = after.model.project
    lines = metric_lines(one, other, metric_directions(viewer, project), project.goal_metric)
    return {
        "before": before,
        "after": after,
        "before_url": version_url(before),
        "after_url": version_url(after),
        "lines": lines,
        "test_set": same_test_set(lines),
        "data_said": names_data(lines),
        "parts": [
            Part("Origin", _facts(viewer, before, after), whole=True),
            Part("Data", pairs(_names(one), _names(other)), "Neither names its data.", whole),
            Part("Parameters", pairs(one.params, other.params), "Neither has a parameter on record.", whole),
            Part("Files", pairs(_files(viewer, before), _files(viewer, after)), "Neither has files here.", whole),
            Part("Tags", pairs(one.tags, other.tags), "Neither has a tag.", whole),
        ],
    }


def _facts(viewer: Actor, before: ModelVersion, after: ModelVersion) -> list[Pair]:
    data = version_data(viewer, [before, after])
    both = [_facts_of(viewer, version, data[version.pk].aliases) for version in (before, after)]
    return [Pair(label, both[0][label], both[1][label]) for label in both[0]]


def _facts_of(viewer: Actor, version: ModelVersion, aliases: list[str]) -> dict[str, str]:
    made = from_ms(version.created_ms)
    digest = digest_of(files_of_version(viewer, version))
    return {
        "Registered": f"{made:%Y-%m-%d %H:%M} UTC" if made else "",
        "By": str(version.created_by or ""),
        "From run": f"{version.run.name} ({version.run.readable_id})" if version.run else "",
        "Commit": version.run.git_commit[:12] if version.run else "",
        "Stage": str(version.get_stage_display()),
        "Aliases": ", ".join(aliases),
        "Files, SHA-256": f"{digest[:16]}…" if digest else "",
    }


def _names(record: Record) -> dict[str, str]:
    return {str(version): version.digest[:12] for version in record.data}


def _files(viewer: Actor, version: ModelVersion) -> dict[str, str]:
    return {file.path: f"{file.digest[:12]}…" for file in files_of_version(viewer, version)}
