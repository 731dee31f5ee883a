"""One address for each tab of the comparison."""

from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe

from accounts.pages.doors import signed_in
from experiments.pages.compare import curves, data, environment, files, images, packages, plots
from kernel.errors import NotFound

PAGES = {
    "curves": curves.page,
    "plots": plots.page,
    "images": images.page,
    "files": files.texts,
    "code": files.code,
    "packages": packages.page,
    "data": data.page,
    "environment": environment.page,
}


@require_safe
@signed_in
def page(request: HttpRequest, tab: str) -> HttpResponseBase:
    """The tab that the address names; the overview has an address of its own."""
    show = PAGES.get(tab)
    if show is None:
        raise NotFound(f"The comparison has no tab '{tab[:40]}'.", hint=f"There are {', '.join(PAGES)}.")
    return show(request)
