"""Meters below each other, and meters that are sums of others; by tables that can be added up by hand."""

from datetime import UTC, datetime, timedelta

import pytest

from energy.metering.tree import above_of, below, counting, in_order, settlement
from energy.metering.virtual import PartData, at_step, live, usual, virtual_intervals
from energy.model.horizon import Horizon
from energy.model.meter import IntervalEnergy, Measures, Meter, Part, Quality, Role

BERLIN = "Europe/Berlin"
MONDAY = datetime(2026, 5, 18, 8, 0, tzinfo=UTC)


def meter(
    id: str, measures: Measures = Measures.OTHER, role: Role = Role.SUB, above: str | None = None, **parts: float
) -> Meter:
    made = tuple(Part(meter=part, factor=factor) for part, factor in parts.items())
    return Meter(id=id, name=id, role=role, measures=measures, connection_kw=100.0, above=above, parts=made)


PLANT = [
    meter("check", Measures.GRID, Role.CHECK),
    meter("grid", Measures.GRID, Role.SETTLEMENT),
    meter("hall", above="grid"),
    meter("press", Measures.MACHINE, above="hall"),
    meter("oven", Measures.MACHINE),
    meter("pv-east", Measures.PV),
    meter("pv-west", Measures.PV),
    meter("pv-west-string", Measures.PV, above="pv-west"),
    meter("rest", role=Role.VIRTUAL, grid=1.0, hall=-1.0, oven=-1.0),
]


def named(meters: list[Meter]) -> list[str]:
    return [one.id for one in meters]


def test_the_bill_is_made_of_the_settlement_meter_wherever_it_stands_in_the_config() -> None:
    assert settlement(PLANT) is PLANT[1]
    assert settlement([PLANT[0]]) is PLANT[0]
    assert settlement([]) is None


def test_each_kilowatt_hour_counts_once() -> None:
    assert named(counting(PLANT, Measures.GRID)) == ["grid"]
    assert named(counting(PLANT, Measures.PV)) == ["pv-east", "pv-west"]  # the string is in pv-west already
    roof = meter("roof", Measures.PV, Role.VIRTUAL, **{"pv-east": 1.0, "pv-west": 1.0})
    assert named(counting([*PLANT, roof], Measures.PV)) == ["roof"]  # which holds both, and the string below one
    assert counting(PLANT, Measures.BATTERY) == []


def test_what_says_nothing_hangs_below_the_grid() -> None:
    assert named(below(PLANT[1], PLANT)) == ["hall", "oven", "pv-east", "pv-west"]
    assert named(below(PLANT[2], PLANT)) == ["press"]
    assert above_of(PLANT[0], PLANT) is None  # a check meter counts what another counts already
    assert above_of(PLANT[8], PLANT) is None


def test_virtual_meters_come_after_those_they_are_made_of() -> None:
    sum_of_sums = meter("all", role=Role.VIRTUAL, rest=1.0, two=1.0)
    two = meter("two", role=Role.VIRTUAL, press=1.0, oven=1.0)
    assert named(in_order([sum_of_sums, *PLANT, two])) == ["rest", "two", "all"]


# ---- sums and differences


def energy(
    id: str, slot: int, taken: float | None, given: float | None = None, quality: Quality = Quality.MEASURED
) -> IntervalEnergy:
    start = MONDAY + timedelta(minutes=15 * slot)
    return IntervalEnergy(meter=id, start=start, minutes=15, import_kwh=taken, export_kwh=given, quality=quality)


def data(factor: float, *rows: IntervalEnergy, before: list[IntervalEnergy] | None = None) -> PartData:
    return PartData(factor=factor, intervals={one.start: one for one in rows}, before=before or [])


def reckoned(parts: dict[str, PartData], slots: int = 1, waiting: bool = False) -> list[IntervalEnergy]:
    until = MONDAY if waiting else MONDAY + timedelta(days=1)
    return virtual_intervals(meter("v", role=Role.VIRTUAL), parts, Horizon(MONDAY, slots), BERLIN, wait_until=until)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        # two that are added: each direction by itself
        ([(1, 10.0, 2.0), (1, 5.0, 0.0)], (15.0, 2.0)),
        # one that does not count export does not make it zero
        ([(1, 10.0, None), (1, 5.0, None)], (15.0, None)),
        # what is left of the grid when a machine is taken off
        ([(1, 10.0, 0.0), (-1, 4.0, None)], (6.0, 0.0)),
        # two meters of their class: a difference of nothing is seldom exactly nothing
        ([(1, 4.0, 0.0), (-1, 4.1, None)], (0.0, pytest.approx(0.1))),
        # consumption = grid less PV, whose export is what it generated
        ([(1, 3.0, 0.0), (-1, 0.0, 9.0)], (12.0, 0.0)),
        # half of a shared transformer
        ([(0.5, 8.0, 2.0)], (4.0, 1.0)),
    ],
)
def test_sums_and_differences(
    parts: list[tuple[float, float | None, float | None]], expected: tuple[float | None, float | None]
) -> None:
    (made,) = reckoned(
        {f"m{n}": data(f, energy(f"m{n}", 0, taken, given)) for n, (f, taken, given) in enumerate(parts)}
    )
    assert (made.import_kwh, made.export_kwh) == expected
    assert made.quality is Quality.MEASURED


def test_a_sum_is_as_sure_as_its_least_sure_part() -> None:
    parts = {"a": data(1, energy("a", 0, 1.0)), "b": data(1, energy("b", 0, 2.0, quality=Quality.SPREAD))}
    assert [one.quality for one in reckoned(parts)] == [Quality.SPREAD]


def mondays(kwh: list[float]) -> list[IntervalEnergy]:
    """The same quarter hour of the days before, newest first."""
    return [
        IntervalEnergy(
            meter="b",
            start=MONDAY - timedelta(days=n + 1),
            minutes=15,
            import_kwh=one,
            export_kwh=None,
            quality=Quality.MEASURED,
        )
        for n, one in enumerate(kwh)
    ]


def test_a_dead_part_stands_for_itself_by_what_it_usually_is_and_is_labelled() -> None:
    # Sunday, Saturday, then Friday, Thursday, Wednesday: only working days speak for a Monday
    before = mondays([0.0, 0.0, 7.0, 9.0, 8.0])
    for dead in (data(1, before=before), data(1, energy("b", 0, None, quality=Quality.MISSING), before=before)):
        (made,) = reckoned({"a": data(1, energy("a", 0, 1.0)), "b": dead})
        assert (made.import_kwh, made.quality) == (9.0, Quality.MODELLED)


def test_where_nobody_knows_what_is_usual_the_sum_is_missing_and_never_half_a_sum() -> None:
    (made,) = reckoned({"a": data(1, energy("a", 0, 1.0)), "b": data(1, before=mondays([3.0, 4.0]))})
    assert (made.import_kwh, made.export_kwh, made.quality) == (None, None, Quality.MISSING)


def test_a_part_that_may_only_be_late_is_waited_for() -> None:
    parts = {"a": data(1, energy("a", 0, 1.0)), "b": data(1, before=mondays([0.0, 0.0, 7.0, 9.0, 8.0]))}
    assert reckoned(parts, waiting=True) == []
    assert reckoned({"a": data(1), "b": data(1)}) == []  # of what no part speaks, nothing is said


def test_what_is_usual_goes_by_the_wall_clock() -> None:
    after_change = datetime(2026, 10, 26, 7, 0, tzinfo=UTC)  # 08:00 in winter; in summer that was 06:00 UTC
    summer = [
        IntervalEnergy(
            meter="b", start=datetime(2026, 10, day, 6, 0, tzinfo=UTC), minutes=15,
            import_kwh=5.0, export_kwh=None, quality=Quality.MEASURED,
        )
        for day in (21, 22, 23)
    ]  # fmt: skip
    assert usual(summer, after_change, 15, BERLIN) == (5.0, None)
    assert usual(summer, after_change - timedelta(hours=1), 15, BERLIN) is None


def test_an_hourly_part_is_shared_out_and_labelled() -> None:
    hour = IntervalEnergy(
        meter="a", start=MONDAY, minutes=60, import_kwh=8.0, export_kwh=None, quality=Quality.IMPORTED
    )
    shares = at_step(hour, 15)
    assert [(one.start.minute, one.import_kwh, one.quality) for one in shares] == [
        (minute, 2.0, Quality.SPREAD) for minute in (0, 15, 30, 45)
    ]
    assert at_step(hour, 60) == [hour]


def test_live_power_is_known_where_all_parts_are() -> None:
    rest = PLANT[8]
    assert live(rest, {"grid": 90.0, "hall": 30.0, "oven": 20.0}) == 40.0
    assert live(rest, {"grid": 90.0, "hall": None, "oven": 20.0}) is None
    assert live(rest, {"grid": 90.0, "oven": 20.0}) is None
