"""What the parts of a forecast are called where people read it: models, forecasters, components and remarks."""

import re
from collections.abc import Sequence

from energy.reports.words import listed

TARGETS = {"base_load": "base load", "pv": "PV", "price": "price", "carbon": "grid carbon"}

MODELS = {
    "week": "copy of last week",
    "similar": "mean of similar days",
    "analog": "days that began alike",
    "boosted": "decision trees on calendar and last days",
    "kernel": "shapes of whole days",
    "lasso": "straight lines for each hour",
    "wide": "a neural network over whole days",
    "trees": "decision trees over all hours",
    "hourly": "Prophet for each hour",
    "hourly_prices": "Prophet for each hour, spikes drawn in",
    "sun": "sun on the panels",
    "wind": "power curve of the turbine",
    "mix": "forecast mix of the grid",
    "mix trees": "forecast mix, corrected by decision trees",
}

FORECASTERS = {
    "combined": "several models",
    "prophet": "Prophet",
    "naive": "similar days",
    "profile": "typical profile",
}

COMPONENTS = {
    "trend": "level over the days ahead",
    "trend so far": "level so far",
    "time of year": "time of year, days ahead",
    "yearly": "time of year, past year",
    "weekly": "day of the week",
    "daily": "time of day",
    "similar days": "similar days",
    "what other models know": "what other models add",
}

DRIVERS = {
    "plan.crews": "crews at work",
    "weather.temperature": "outdoor temperature",
    "weather.irradiance": "sun's radiation",
    "weather.cloud_cover": "clouds",
    "weather.wind_speed": "wind speed",
    "weather.wind_speed_100m": "wind speed at 100 m",
    "price.forecast": "published price forecast",
    "price.day_ahead": "day-ahead price",
    "carbon.forecast": "the grid operator's forecast",
}

REMARKS = (  # how flags end that say what was found out and dealt with
    ": shifted",
    ": not learned",
    "older days are brought to the new level",
    "beyond that the forecast does without it",  # as each day where a forecast is published for a day ahead
    " did lately",  # no time was left to see that; the forecast is whole
)
NOT_MISSED = ("wind", "similar", "week")  # models that weigh next to nothing beside others


def model_words(name: str) -> str:
    """A model of a combined forecast as a manager would call it; the name of one that came from elsewhere."""
    return MODELS.get(name, spaced(name))


def forecaster_words(source: str) -> str:
    """Who made a forecast."""
    return FORECASTERS.get(source, spaced(source))


def component_words(name: str) -> str:
    """A readable part of a forecast: "daily, working day" is the time of day on working days."""
    if name.startswith("driver "):
        return driver_words(name.removeprefix("driver "))
    if name.startswith("daily, "):
        return f"time of day, {name.removeprefix('daily, ')}"
    return COMPONENTS.get(name, spaced(name))


def driver_words(name: str) -> str:
    return DRIVERS.get(name, spaced(name.removeprefix("weather.")))


def flag_words(flag: str) -> str:
    """A flag with the models and drivers that it names in words: "without lasso, trees: no time was left". Empty where none
    of them is missed."""
    if said := re.fullmatch(r"without ([^:]+): (.+)", flag):
        names = [named(name) for name in said[1].split(", ") if name not in NOT_MISSED]
        return f"without {'; '.join(names)}: {said[2]}" if names else ""
    if said := re.fullmatch(r"no time was left to see how well (.+) did lately", flag):
        models = listed([f"“{model_words(name)}”" for name in said[1].split(" and ")])
        return f"no time was left to see how well {models} did lately"
    if said := re.fullmatch(r"(\S+) (ends at .+)", flag):
        return f"{driver_words(said[1])} {said[2]}"
    return flag


def named(name: str) -> str:
    """A model or a driver, whichever has that name."""
    return model_words(name) if name in MODELS else driver_words(name)


def is_remark(flag: str) -> bool:
    """Whether a flag tells what was found out and dealt with, as a weather clock that was set right; all others say that
    something was missing."""
    return flag.endswith(REMARKS)


def troubles(flags: Sequence[str]) -> tuple[str, ...]:
    """The flags of something that was missing, in words."""
    return tuple(words for flag in flags if not is_remark(flag) and (words := flag_words(flag)))


def remarks(flags: Sequence[str]) -> tuple[str, ...]:
    """The flags of what was found out and dealt with, in words."""
    return tuple(flag_words(flag) for flag in flags if is_remark(flag))


def spaced(name: str) -> str:
    return name.replace("_", " ").replace(".", " ")
