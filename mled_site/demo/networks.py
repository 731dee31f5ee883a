"""A small network trained by mini-batch gradient descent, in numpy: quick, and real."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np

from mled_site.demo.schedules import constant, cosine
from mled_site.demo.tasks import Array, Task

SCHEDULES = {"constant": constant, "cosine": cosine}


@dataclass(frozen=True, slots=True)
class Settings:
    """What one tries: hidden units (0: a linear model), learning rate and how it goes, batch size, weight decay, …"""

    hidden: int = 16
    lr: float = 0.1
    batch_size: int = 64
    weight_decay: float = 0.0
    epochs: int = 40
    seed: int = 17
    schedule: str = "constant"

    def params(self) -> dict[str, str]:
        """As params of a run."""
        return {name: value if isinstance(value, str) else f"{value:g}" for name, value in asdict(self).items()}

    @property
    def architecture(self) -> str:
        """Its name."""
        return f"mlp-{self.hidden}" if self.hidden else "linear"


class Network:
    """One hidden layer of tanh units, or none; a logistic output for alarms, a linear one for forecasts."""

    def __init__(self, task: Task, settings: Settings, *, classifies: bool) -> None:
        rng = np.random.default_rng(settings.seed)
        width = settings.hidden or task.train.x.shape[1]
        self.settings, self.classifies = settings, classifies
        self.mean, self.scale = task.train.x.mean(axis=0), task.train.x.std(axis=0) + 1e-9
        self.y_mean = 0.0 if classifies else float(task.train.y.mean())
        self.y_scale = 1.0 if classifies else float(task.train.y.std())
        self.first = rng.normal(scale=0.5, size=(task.train.x.shape[1], settings.hidden)) if settings.hidden else None
        self.bias = np.zeros(width)
        self.last = rng.normal(scale=0.3, size=width)
        self.offset = 0.0
        self.order = rng

    def hidden(self, x: Array) -> Array:
        """Activations (rows, width) of standardised features."""
        z = (x - self.mean) / self.scale
        return z if self.first is None else np.tanh(z @ self.first + self.bias)

    def predict(self, x: Array) -> Array:
        """Probabilities of an alarm, or forecasts in the target's unit."""
        with np.errstate(all="ignore"):
            out = self.hidden(x) @ self.last + self.offset
            return 1 / (1 + np.exp(-out)) if self.classifies else out * self.y_scale + self.y_mean

    def steps(self, task: Task) -> Iterator[tuple[int, float]]:
        """Train; yield (step, loss of that mini-batch) as it goes. A diverging run yields NaN, as real ones do."""
        step, size = 0, self.settings.batch_size
        total = self.settings.epochs * (len(task.train.x) // size)
        rate = SCHEDULES[self.settings.schedule].rate
        for _ in range(self.settings.epochs):
            rows = self.order.permutation(len(task.train.x))
            for start in range(0, len(rows) - size + 1, size):
                batch = rows[start : start + size]
                with np.errstate(all="ignore"):
                    lr = rate(self.settings.lr, step, total)
                    loss = self._descend(task.train.x[batch], task.train.y[batch], lr)
                yield step, loss
                step += 1

    def _descend(self, x: Array, y: Array, lr: float) -> float:
        hidden = self.hidden(x)
        wanted = y if self.classifies else (y - self.y_mean) / self.y_scale
        out = hidden @ self.last + self.offset
        given = 1 / (1 + np.exp(-out)) if self.classifies else out
        error = (given - wanted) / len(y)
        decay = self.settings.weight_decay
        back = np.outer(error, self.last)
        self.last = self.last - lr * (hidden.T @ error + decay * self.last)
        self.offset -= lr * float(error.sum())
        if self.first is not None:
            back = back * (1 - hidden**2)
            self.first = self.first - lr * (((x - self.mean) / self.scale).T @ back + decay * self.first)
            self.bias = self.bias - lr * back.sum(axis=0)
        return self._loss(given, wanted)

    def _loss(self, given: Array, wanted: Array) -> float:
        if not self.classifies:
            return float(np.mean((given - wanted) ** 2))
        sure = np.clip(given, 1e-12, 1 - 1e-12)
        return float(-np.mean(wanted * np.log(sure) + (1 - wanted) * np.log(1 - sure)))


def alarm_metrics(given: Array, wanted: Array) -> dict[str, float]:
    """Area under the ROC curve, accuracy and expected calibration error of alarm probabilities."""
    if not np.isfinite(given).all():
        return {"val/auroc": float("nan"), "val/accuracy": float("nan"), "val/ece": float("nan")}
    ranks = np.empty(len(given))
    ranks[np.argsort(given)] = np.arange(1, len(given) + 1)
    worn, sound = wanted.sum(), len(wanted) - wanted.sum()
    auroc = (ranks[wanted == 1].sum() - worn * (worn + 1) / 2) / (worn * sound)
    bins = np.minimum((given * 10).astype(int), 9)
    gaps = [abs(given[bins == b].mean() - wanted[bins == b].mean()) * (bins == b).mean() for b in np.unique(bins)]
    return {
        "val/auroc": float(auroc),
        "val/accuracy": float(np.mean((given > 0.5) == wanted)),
        "val/ece": float(np.sum(gaps)),
    }


def forecast_metrics(given: Array, wanted: Array) -> dict[str, float]:
    """Mean absolute percentage error (in per cent) and root mean squared error (in beds)."""
    return {
        "val/mape": float(np.mean(np.abs(given - wanted) / wanted) * 100),
        "val/rmse": float(np.sqrt(np.mean((given - wanted) ** 2))),
    }
