from registry.models.logged_models import LoggedModel, LoggedModelParam, LoggedModelTag, ModelMetric, RunModel

__all__ = ["LoggedModel", "LoggedModelParam", "LoggedModelTag", "ModelMetric", "RunModel"]
