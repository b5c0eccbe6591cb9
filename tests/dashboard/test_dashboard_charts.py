"""The charts: one shared x axis, colours from one place, gaps as gaps, and the repeated hour in a place of its own."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import altair as alt
import numpy as np
import pytest

import dashboard
from dashboard import colours
from dashboard.charts.axis import TimeAxis, steps
from dashboard.charts.heat import by_hour, heat_map, outlines
from dashboard.charts.lines import Drawn, Lines, lines_picture
from dashboard.charts.paper import sheet_picture
from dashboard.charts.peaks import groups, monthly_maxima, worst_intervals
from dashboard.charts.pictures import overview_picture, plan_picture
from dashboard.charts.power import merged, panel_for
from dashboard.charts.small import bars, component, cumulative
from dashboard.charts.spark import sparkline
from dashboard.charts.states import energy_split, power_profile, state_bands, work_by_product, work_over_time
from dashboard.colours import DARK, LIGHT, Inks, on_scale, readable_on
from energy.model.forecast import Component
from energy.model.horizon import Horizon
from energy.model.series import Series
from tests.dashboard import gallery

ZONE = "Europe/Berlin"
ROOM = Path(dashboard.__file__).parent


def all_pictures(inks: Inks) -> dict[str, dict[str, Any]]:
    forecast = gallery.forecast_page()
    load = forecast.targets[0]
    axis = TimeAxis.of(load.p50.horizon, ZONE, inks)
    year = gallery.year_page()
    savings = gallery.savings_page()
    machines, worn = gallery.machines_page(), gallery.machine_page("furnace-2")
    over_time, by_product = (
        work_over_time(worn.work, gallery.MACHINE_DRIFT, ZONE, inks),
        work_by_product(worn.work, inks),
    )
    assert over_time is not None and by_product is not None
    return {
        "overview": overview_picture(gallery.picture(gallery.DAYS), gallery.NOW, ZONE, "EUR", inks),
        "plan": plan_picture(gallery.plan_page(), inks),
        "lines": lines_picture(
            axis,
            [
                Lines(
                    name="Base load",
                    unit="kW",
                    lines=[Drawn(series=load.p50, colour=inks.text, name="P50")],
                    band=(load.p10, load.p90),
                    limit=("Limit", 400.0),
                )
            ],
            gallery.NOW,
        ),
        "sheet": sheet_picture(gallery.sheet_page()),
        "heat": heat_map(year, inks)[0],
        "maxima": monthly_maxima(year.monthly_max, 1440, 1320, inks)[0],
        "worst": worst_intervals(year.worst, year.machines, ZONE, inks),
        "cumulative": cumulative(savings.month, savings.days, savings.interval, inks),
        "bars": bars([("a", 3.0, "3"), ("b", None, "–")], inks, colour=inks.day),
        "component": component(load.components[0], ZONE, inks),
        "states": state_bands(machines, inks),
        "energy split": energy_split(machines.lines, inks),
        "profile": power_profile(worn.profiles[0], inks),
        "work": over_time[0],
        "products": by_product,
    }


LIGHT_PICTURES = all_pictures(LIGHT)


@pytest.mark.parametrize("name", LIGHT_PICTURES)
def test_the_finished_chart_is_valid_vega_lite(name: str) -> None:
    alt.LayerChart.from_dict(
        {key: value for key, value in LIGHT_PICTURES[name].items() if key != "config"}, validate=True
    )


@pytest.mark.parametrize("name", ["overview", "plan", "lines", "sheet"])
def test_every_layer_with_a_time_carries_the_same_x_axis(name: str) -> None:
    axes = {
        str(layer["encoding"]["x"].get("axis")) + str(layer["encoding"]["x"]["scale"])
        for layer in LIGHT_PICTURES[name]["layer"]
        if "x" in layer["encoding"]
    }
    assert len(axes) == 1
    assert LIGHT_PICTURES[name]["resolve"]["scale"]["y"] == "independent"
    assert "x" not in LIGHT_PICTURES[name]["resolve"]["scale"]


@pytest.mark.parametrize("name", ["overview", "plan", "sheet"])
def test_one_layer_carries_the_y_axis(name: str) -> None:
    axes = [
        layer["encoding"]["y"].get("axis")
        for layer in LIGHT_PICTURES[name]["layer"]
        if "field" in layer["encoding"].get("y", {})
    ]
    shown = [axis for axis in axes if axis is not None]
    assert len(shown) == 1
    assert (shown[0]["minExtent"], shown[0]["maxExtent"], shown[0]["orient"]) == (104, 104, "left")


def colours_of(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        for value in part.values():
            yield from colours_of(value)
    elif isinstance(part, list):
        for value in part:
            yield from colours_of(value)
    elif isinstance(part, str) and re.fullmatch(r"#[0-9A-Fa-f]{6}", part):
        yield part


def test_colours_live_in_one_module() -> None:
    allowed = {"colours.py", "paper.py"}  # the shift sheet is black and white, whatever the theme
    said = {
        path.name: set(re.findall(r"#[0-9A-Fa-f]{6}\b", path.read_text())) - {"#1B2127", "#FFFFFF"}
        for path in [*ROOM.rglob("*.py")]
        if path.name not in allowed
    }
    assert {name: found for name, found in said.items() if found} == {}


def test_dark_pictures_use_no_light_ground() -> None:
    grounds = {LIGHT.night, LIGHT.no_crew, LIGHT.grid, LIGHT.planned, LIGHT.base_load, LIGHT.as_is, *LIGHT.groups}
    for name, spec in all_pictures(DARK).items():
        if name != "sheet":
            assert not grounds & set(colours_of(spec)), name


def test_full_blue_is_kept_for_what_waits_for_an_answer() -> None:
    quiet = replace(gallery.plan_page(), offers=(), bars=gallery.bars(offers=False))
    still = Series.constant(gallery.PLAN, 0.0, "kW")
    assert quiet.picture is not None
    spec = plan_picture(replace(quiet, picture=replace(quiet.picture, offered=still)), LIGHT)
    assert colours.PLAN not in set(colours_of(spec))
    assert colours.PLAN in set(colours_of(LIGHT_PICTURES["plan"]))


@pytest.mark.parametrize(
    ("start", "hours", "labels", "minutes"),
    [
        # a common day
        (datetime(2026, 5, 18, 22, tzinfo=UTC), 24, ["Tue 19 May", "03:00", "06:00"], [0, 180, 360]),
        # the clocks go back: 03:00 comes four hours after midnight
        (datetime(2026, 10, 24, 22, tzinfo=UTC), 25, ["Sun 25 Oct", "03:00", "06:00"], [0, 240, 420]),
        # the clocks go forward: 03:00 comes two hours after midnight
        (datetime(2026, 3, 28, 23, tzinfo=UTC), 23, ["Sun 29 Mar", "03:00", "06:00"], [0, 120, 300]),
    ],
)
def test_ticks_on_days_with_a_clock_change(
    start: datetime, hours: int, labels: list[str], minutes: list[float]
) -> None:
    ticks = TimeAxis(start, start + timedelta(hours=hours), ZONE, LIGHT).ticks()
    assert [name.replace("\u00a0", " ") for _, name in ticks[:3]] == labels
    assert [minute for minute, _ in ticks[:3]] == minutes


def test_the_repeated_hour_has_two_places() -> None:
    start = datetime(2026, 10, 24, 22, tzinfo=UTC)
    axis = TimeAxis(start, start + timedelta(hours=25), ZONE, LIGHT)
    first, second = datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert (axis.x(first), axis.x(second)) == (150, 210)


def test_means_are_steps_and_a_gap_stays_a_gap() -> None:
    horizon = Horizon(datetime(2026, 5, 19, tzinfo=UTC), 3)
    data = steps(TimeAxis.of(horizon, ZONE, LIGHT), Series(horizon, np.array([5.0, np.nan, 7.0]), "kW"))
    assert [row["x"] for row in data] == [0, 15, 15, 30, 30, 45]
    assert [row["y"] for row in data] == [5, 5, None, None, 7, 7]


def test_power_panel_holds_limit_and_what_is_below_zero() -> None:
    picture = gallery.picture(gallery.DAYS)
    panel = panel_for(picture, 20, 300)
    assert panel.high > picture.limit_kw
    assert panel.low < -float((picture.pv.values + np.maximum(0, -picture.battery.values)).max())
    assert panel.y(panel.low) == 300
    assert all(tick % 100 == 0 for tick in panel.ticks())


def test_more_than_three_groups_share_the_last_tone() -> None:
    found = merged(gallery.picture(gallery.DAYS).groups)
    assert [name for name, _ in found] == ["furnaces", "presses", "galvanic, blasting"]
    both = gallery.job_load(gallery.DAYS, group="galvanic") + gallery.job_load(gallery.DAYS, group="blasting")
    offered = gallery.job_load(gallery.DAYS, ["2049"])
    assert np.allclose(found[2][1].values, both - offered)


def test_culprits_are_grouped_as_the_plant_groups_its_machines() -> None:
    page = gallery.year_page()
    of, order = groups(page.worst, page.machines)
    assert order == ["base load", "furnaces", "presses", "galvanic, blasting"]
    assert of["Furnace 3"] == "furnaces"
    assert of["Shot blasting"] == "galvanic, blasting"


def test_heat_map_leaves_out_what_nobody_knows() -> None:
    week = [None] * 168
    week[7], week[24 + 7], week[5 * 24 + 7] = 900.0, 950.0, 1400.0  # Monday, Tuesday, Saturday
    assert by_hour([week]) == [(0, 7, 950.0)]


def test_high_load_windows_are_outlined_in_one_piece() -> None:
    cells = [(week, day * 24 + hour) for week in (0, 1, 2, 50) for day in (0, 1) for hour in (17, 18)]
    assert outlines(cells) == [(0, 3, 17, 19), (50, 51, 17, 19)]


def test_a_gap_in_a_sparkline_is_dotted() -> None:
    horizon = Horizon(datetime(2026, 5, 19, tzinfo=UTC), 4)
    whole = unquote(sparkline(Series(horizon, np.array([1.0, 2.0, 2.0, 1.0]), "kW"), LIGHT))
    broken = unquote(sparkline(Series(horizon, np.array([1.0, 2.0, np.nan, np.nan]), "kW"), LIGHT))
    assert "stroke-dasharray" not in whole
    assert 'd="M95.0 27.5H190.0"' in broken
    assert "stroke-dasharray" in unquote(sparkline(None, LIGHT))


@pytest.mark.parametrize(
    ("value", "colour"), [(0, "#000000"), (5, "#808080"), (10, "#FFFFFF"), (99, "#FFFFFF"), (-1, "#000000")]
)
def test_a_scale_of_colours(value: float, colour: str) -> None:
    assert on_scale(value, 0, 10, ("#000000", "#FFFFFF")) == colour


@pytest.mark.parametrize(("ground", "ink"), [("#432371", "#FFFFFF"), ("#F6F2F7", "#1B2127"), ("#FBD3E4", "#1B2127")])
def test_text_on_a_strip_is_readable(ground: str, ink: str) -> None:
    assert readable_on(ground) == ink


def test_a_level_is_drawn_on_its_own_scale_and_what_adds_to_it_from_zero() -> None:
    level = Component(name="trend so far", x=("2026-04-27", "2026-05-04"), y=(340.0, 320.0), unit="kW")
    alone, added = (
        json.dumps(component(level, ZONE, LIGHT, is_level=each), ensure_ascii=False) for each in (True, False)
    )
    assert '"domain": [313.2, 346.8]' in alone
    assert '"domain": [-34.0, 374.0]' in added
    assert "27\u00a0Apr" in alone
