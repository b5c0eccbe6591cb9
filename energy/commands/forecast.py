"""`loadstone forecast`: what is forecast, how good it was, how sure it says it is, and which models carry it."""

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from energy.reports.pages import ForecastPage, TargetForecast


@click.command()
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=Path("config.yaml"),
    show_default=True,
    help="The plant's config.",
)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON, with every slot ahead.")
def forecast(config: Path, as_json: bool) -> None:
    """Show how good the plant's forecasts were and what they say now.

    Per target and days ahead: the mean error of the forecasts that were issued, how much better that is than the copy
    of the week before, and which share of what came lay within the 80 % band. Then what drifts, which models carry the
    forecast, and which inputs are missing. Reads the store; makes no new forecast (`loadstone step predict` does).

    Example: loadstone forecast --config config.yaml
    """
    from energy.build import build_service

    page = build_service(config).forecast_page()
    if as_json:
        click.echo(json.dumps(plain(page), indent=1))
        return
    for line in told(page):
        click.echo(line)


def told(page: "ForecastPage") -> list[str]:
    """The page in lines."""
    from energy.reports.models import forecaster_words

    lines = []
    for target in page.targets:
        lines += [f"{target.name}, {target.unit}, by {forecaster_words(target.source)}"]
        lines += [f"  {line}" for line in (*lead_lines(target), *member_lines(target), *notes(page, target))]
        lines.append("")
    lines += [f"Missing: {line}" for line in page.missing]
    return [*lines, page.meaning] if page.meaning else lines or ["No forecast yet."]


def lead_lines(target: "TargetForecast") -> list[str]:
    if not target.leads:
        return ["not scored yet: no day that it spoke of has been measured"]
    rows = [f"{'days ahead':<12}{'mean error':>12}{'last week':>12}{'better by':>11}{'in 80 % band':>14}{'days':>6}"]
    for lead in target.leads:
        naive = "–" if lead.naive_mae is None else f"{lead.naive_mae:.4g}"
        better = "–" if lead.skill is None else f"{lead.skill:.0%}"
        rows.append(
            f"{lead.days_ahead:<12}{lead.mae:>12.4g}{naive:>12}{better:>11}{lead.coverage_80:>14.0%}{lead.days:>6}"
        )
    return rows


def member_lines(target: "TargetForecast") -> list[str]:
    from energy.reports.models import model_words

    return [
        f"{member.weight:>4.0%} {model_words(member.name)}"
        + ("" if member.mae is None else f", alone off by {member.mae:.4g}")
        for member in target.members
    ]


def notes(page: "ForecastPage", target: "TargetForecast") -> list[str]:
    from energy.reports.models import remarks, troubles
    from energy.reports.words import moment

    said = [f"{word}: {flag}" for word, told in (("missing", troubles), ("noticed", remarks))
            for flag in told(target.flags)]  # fmt: skip
    if target.drift is not None:
        side = "below" if target.drift.below else "above"
        far = "" if target.drift.share is None else f"{abs(target.drift.share):.0%} "
        since = moment(target.drift.since, page.header.zone, page.header.now)
        said.append(f"drift: {far}{side} the forecast since {since}")
    if target.worse_lately is not None:
        said.append(f"drift: the error of the last week is {target.worse_lately:.0%} above the usual one")
    return said


def plain(page: "ForecastPage") -> dict[str, Any]:
    """The page as JSON; unknown is null."""
    return {
        "now": page.header.now.isoformat(),
        "missing": list(page.missing),
        "meaning": page.meaning,
        "targets": [plain_target(target) for target in page.targets],
    }


def plain_target(target: "TargetForecast") -> dict[str, Any]:
    from dataclasses import asdict

    drift = target.drift
    series = {name: getattr(target, name) for name in ("p10", "p50", "p90", "actual")}
    return {
        "target": target.target,
        "unit": target.unit,
        "issued_at": None if target.issued_at is None else target.issued_at.isoformat(),
        "source": target.source,
        "flags": list(target.flags),
        "skill": [{**asdict(lead), "skill": lead.skill} for lead in target.leads],
        "members": [asdict(member) for member in target.members],
        "drift": None if drift is None else {**asdict(drift), "since": drift.since.isoformat()},
        "worse_lately": target.worse_lately,
        "components": [asdict(part) for part in target.components],
        "start": None if target.p50 is None else target.p50.horizon.start.isoformat(),
        "step_minutes": None if target.p50 is None else target.p50.horizon.step_minutes,
        **{
            name: None if said is None else [None if math.isnan(value) else value for value in said.values.tolist()]
            for name, said in series.items()
        },
    }
