"""The seasonal naive: as on the last similar days. The yardstick of all forecasters, and the kind to copy."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from energy.forecasters.published import by_parts
from energy.forecasters.similar import Depth, forecast_similar_days
from energy.model.forecast import Component, Forecast, Past, Target
from energy.model.horizon import Horizon
from energy.ports import Context, Forecaster


class Settings(BaseModel):
    """What config.yaml may say under `forecasters` about this kind."""

    model_config = ConfigDict(extra="forbid")

    alike: int = Field(default=5, ge=1, description="how many of the last days of the same kind are averaged")
    any_kind: int = Field(default=7, ge=1, description="how many of the last days, where all days are alike (PV)")
    history: int = Field(default=70, ge=1, description="how many days back it looks at all")


class Naive:
    """The mean of the last similar days; its band is the spread of its own past errors."""

    name = "naive"

    def __init__(self, depth: Depth) -> None:
        self._depth = depth

    def forecast(self, target: Target, past: Past, horizon: Horizon) -> Forecast:
        return by_parts(self._similar_days, target, past, horizon)

    def _similar_days(self, target: Target, past: Past, horizon: Horizon) -> Forecast:
        return forecast_similar_days(target, past, horizon, self._depth, source=self.name)

    def components(self, target: Target) -> Sequence[Component]:  # noqa: ARG002 - the port's signature
        """Similar days have no parts."""
        return ()


def build(settings: Settings, context: Context) -> Forecaster:  # noqa: ARG001 - every kind is built like this
    """The seasonal naive; it needs nothing of the site but what stands in each past."""
    return Naive(Depth(alike=settings.alike, any_kind=settings.any_kind, history=settings.history))
