from registry.models.logged_models import LoggedModel, LoggedModelParam, LoggedModelTag, ModelMetric, RunModel
from registry.models.promotions import PromotionRequest
from registry.models.registered_models import (
    CardText,
    ModelAlias,
    ModelVersion,
    ModelVersionTag,
    RegisteredModel,
    RegisteredModelTag,
    Stage,
)
from registry.models.webhooks import Delivery, Webhook

__all__ = [
    "CardText",
    "Delivery",
    "LoggedModel",
    "LoggedModelParam",
    "LoggedModelTag",
    "ModelAlias",
    "ModelMetric",
    "ModelVersion",
    "ModelVersionTag",
    "PromotionRequest",
    "RegisteredModel",
    "RegisteredModelTag",
    "RunModel",
    "Stage",
    "Webhook",
]
