"""Who carries an alias or a stage now, and where pages of promotions are."""

from urllib.parse import quote

from registry.models import ModelAlias, ModelVersion, PromotionRequest, RegisteredModel


def carrier_of(model: RegisteredModel, kind: str, target: str) -> ModelVersion | None:
    """The version that carries the alias, or is the newest in the stage."""
    if kind == PromotionRequest.Kind.ALIAS:
        row = ModelAlias.objects.filter(model=model, name=target).select_related("version").first()
        return row.version if row is not None else None
    in_stage = ModelVersion.objects.filter(model=model, stage=target, is_deleted=False)
    return in_stage.order_by("-number").first()  # type: ignore[no-any-return]


def carries(version: ModelVersion, kind: str, target: str) -> bool:
    """Whether this version carries it."""
    if kind == PromotionRequest.Kind.ALIAS:
        return ModelAlias.objects.filter(model_id=version.model_id, name=target, version=version).exists()  # type: ignore[no-any-return]
    return version.stage == target


def page_of_version(version: ModelVersion) -> str:
    """The path of its page. Needs model and project loaded."""
    model = version.model
    return f"/p/{model.project.slug}/models/{quote(model.name, safe='')}/v/{version.number}/"


def page_of_promotion(request: PromotionRequest) -> str:
    """The path of its page. Needs model and project loaded."""
    return f"/p/{request.model.project.slug}/promotions/{request.pk}/"
