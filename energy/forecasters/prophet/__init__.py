"""Prophet behind the Forecaster port: similar days and lags, a daily shape for each kind of day, and drivers."""

from pydantic import BaseModel, ConfigDict, Field

from energy.ports import Context, Forecaster


class Settings(BaseModel):
    """What config.yaml may say under `forecasters` about this kind."""

    model_config = ConfigDict(extra="forbid")

    weeks: int = Field(default=8, ge=2, le=104, description="how much of the past is fitted")
    seconds: float = Field(default=20.0, gt=0, description="wall-clock limit of one fit; beyond it similar days answer")
    daily_terms: int = Field(default=8, ge=1, le=24, description="Fourier terms of the daily shape")


def build(settings: Settings, context: Context) -> Forecaster:  # noqa: ARG001 - every kind is built like this
    """The Prophet forecaster. Prophet itself (170 MB, 3 s) is imported at the first fit."""
    from energy.forecasters.prophet.forecaster import ProphetForecaster

    return ProphetForecaster(**settings.model_dump())
