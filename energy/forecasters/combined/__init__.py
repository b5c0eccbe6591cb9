"""The combined forecast: several models of days, each weighed by how well it forecast lately."""

from pydantic import BaseModel, ConfigDict, Field

from energy.ports import Context, Forecaster


class Settings(BaseModel):
    """What config.yaml may say under `forecasters` about this kind."""

    model_config = ConfigDict(extra="forbid")

    members: tuple[str, ...] = Field(default=(), description="which models; empty is what proved best for the target")
    seconds: float = Field(
        default=20.0, gt=0, description="wall-clock limit of one forecast; beyond it similar days answer"
    )


def build(settings: Settings, context: Context) -> Forecaster:  # noqa: ARG001 - every kind is built like this
    """The combined forecaster. What its members need (LightGBM, scikit-learn) is imported at the first forecast."""
    from energy.forecasters.combined.forecaster import Combined

    return Combined(members=settings.members, seconds=settings.seconds)
