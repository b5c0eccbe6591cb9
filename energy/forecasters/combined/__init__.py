"""The combined forecast: several models of days, each weighed by how well it forecast lately."""

from pydantic import BaseModel, ConfigDict, Field, field_validator

from energy.forecasters.combined.members import known_members
from energy.ports import Context, Forecaster


class Settings(BaseModel):
    """What config.yaml may say under `forecasters` about this kind."""

    model_config = ConfigDict(extra="forbid")

    members: tuple[str, ...] = Field(default=(), description="which models; empty is what proved best for the target")
    seconds: float | None = Field(
        default=2.0,
        gt=0,
        description="wall-clock limit of one forecast: members that would not be done in time are left out, and flagged; "
        "null is no limit",
    )

    @field_validator("members")
    @classmethod
    def _are_known(cls, members: tuple[str, ...]) -> tuple[str, ...]:
        known = known_members()
        unknown = [name for name in members if name not in known]
        if unknown:
            raise ValueError(f"no member {', '.join(unknown)}; known members: {', '.join(sorted(known))}")
        return members


def build(settings: Settings, context: Context) -> Forecaster:  # noqa: ARG001 - every kind is built like this
    """The combined forecaster. What its members need (LightGBM, scikit-learn) is imported at the first forecast."""
    from energy.forecasters.combined.forecaster import Combined

    return Combined(members=settings.members, seconds=settings.seconds)
