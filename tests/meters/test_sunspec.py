"""SunSpec devices over real Modbus TCP: their chains are found, read, and found again when they have changed."""

import math
import struct

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from energy.clock import SystemClock
from energy.model.meter import Measures, Reading, ReadingQuality
from energy.plugins import build, kinds
from energy.ports import Context, MeterReader
from meters import bus
from meters.registers import by_ten
from meters.sunspec import Settings
from meters.sunspec.chain import MOST_MODELS, NotSunSpecError, discover
from meters.sunspec.tables import devices, tables
from meters.sunspec.values import extent, frame, quantities
from tests.meters.sunspec_device import FOLDER, Registers, capture, chain, served
from tests.meters.wire import SITE, meter, run

CAPTURES = sorted(path.stem for path in FOLDER.glob("*.yaml") if "kind: sunspec" in path.read_text())
GOOD, NO_ANSWER = ReadingQuality.GOOD, ReadingQuality.NO_ANSWER


def settings(port: int, **said: object) -> Settings:
    return Settings.model_validate({"host": "127.0.0.1", "port": port, "timeout_seconds": 2.0} | said)


def reader(said: Settings, measures: Measures = Measures.OTHER) -> MeterReader:
    from dataclasses import replace

    of = replace(meter(connection_kw=1e5), measures=measures)
    made = build("meters", "sunspec", said, Context(site=SITE, clock=SystemClock(), meters=(of,)))
    assert isinstance(made, MeterReader)
    return made


def told(reading: Reading) -> dict[str, float]:
    main = {"power": reading.power_kw, "total_import": reading.import_kwh, "total_export": reading.export_kwh}
    return dict(reading.values) | {name: value for name, value in main.items() if value is not None}


def f32(value: float) -> list[int]:
    return list(struct.unpack(">HH", struct.pack(">f", value)))


def s16(value: int) -> list[int]:
    return [value & 0xFFFF]


def whole(kw: float, kwh: int, exponent: int = 0, energy_exponent: int = 3) -> tuple[int, int, dict[int, list[int]]]:
    """A meter in whole numbers (model 203)."""
    watts = round(kw * 1000 / 10**exponent)
    points = {18: s16(watts), 22: s16(exponent), 46: [kwh >> 16, kwh & 0xFFFF], 54: s16(energy_exponent)}
    return 203, 105, points


def floats(kw: float, kwh: float) -> tuple[int, int, dict[int, list[int]]]:
    """The same meter in floats (model 213)."""
    return 213, 124, {28: f32(kw * 1000), 60: f32(0), 68: f32(kwh * 1000)}


def test_every_known_device_has_a_capture_and_all_models_are_in_one():
    assert set(devices()) <= set(CAPTURES)
    played = {id for name in CAPTURES for id in capture(name)[0]["chain"]}
    assert all(played & set(table.ids) for table in tables().models)


@pytest.mark.parametrize("name", CAPTURES)
def test_a_device_says_what_its_capture_means(name):
    said, device = capture(name)

    async def test():
        async with served(device) as port:
            asked = settings(port, **said["settings"])
            joined = bus.join("127.0.0.1", port)
            found = await discover(joined, 1)
            bus.leave(joined)
            made = reader(asked)
            first, second = await made.read(), await made.read()
            await made.close()
        assert [model.id for model in found] == said["chain"]
        assert {key: getattr(found[0].device, key) for key in said["device"]} == said["device"]
        assert first.quality is GOOD
        assert told(first) == told(second)
        assert told(first) == {name: pytest.approx(value, rel=1e-6) for name, value in said["means"].items()}
        assert not set(said.get("not_said", ())) & set(told(first))
        assert {unit for unit, _, _ in device.asked[-2:]} == {asked.asked_unit}

    run(test())


def test_a_fronius_meter_is_asked_at_unit_200_unless_told_otherwise():
    assert settings(502, profile="fronius-smart-meter").asked_unit == 200
    assert settings(502, profile="fronius-smart-meter", unit=201).asked_unit == 201
    assert settings(502).asked_unit == 1


@pytest.mark.parametrize(
    ("profile", "reads", "measures", "first"),
    [
        ("sunspec", "auto", Measures.GRID, 203),
        ("sunspec", "auto", Measures.PV, 701),
        ("sunspec", "auto", Measures.BATTERY, 160),
        ("sunspec", "meter", Measures.PV, 203),
        ("fronius-gen24", "auto", Measures.OTHER, 701),
        ("fronius-battery", "auto", Measures.OTHER, 160),
    ],
)
def test_what_is_read_follows_from_what_is_said_of_the_meter(profile, reads, measures, first):
    from dataclasses import replace

    said = settings(502, profile=profile, reads=reads)
    assert said.wanted(replace(meter(), measures=measures))[0][0] == first


def test_once_found_a_poll_is_one_read_that_holds_values_and_their_powers_of_ten():
    device = chain((64110, 4, {}), whole(12.5, 4321))

    async def test():
        async with served(device) as port:
            made = reader(settings(port))
            await made.read()
            device.asked.clear()
            reading = await made.read()
            await made.close()
        assert device.asked == [(1, 40002 + 68 + 6, 55)]
        assert (reading.power_kw, reading.import_kwh) == (12.5, 4321.0)

    run(test())


def test_a_power_of_ten_that_changes_is_followed():
    device = chain(whole(32.0, 4321))
    start = 40002 + 68

    async def test():
        async with served(device) as port:
            made = reader(settings(port))
            assert (await made.read()).power_kw == 32.0
            device.put(start + 18, s16(3300))
            device.put(start + 22, s16(1))  # the meter goes on in steps of 10 W
            assert (await made.read()).power_kw == 33.0
            await made.close()

    run(test())


class SwitchesScale(Registers):
    """A meter that goes over to steps of 10 W after so many requests, in the middle of whatever is being read."""

    def __init__(self, words: dict[int, int], after: int) -> None:
        super().__init__(words=words)
        self._after = after

    def answer(self, request: bytes) -> bytes | None:
        said = super().answer(request)
        if len(self.asked) == self._after:
            self.put(40070 + 18, s16(3300))
            self.put(40070 + 22, s16(1))
        return said


@pytest.mark.parametrize("after", range(5, 16))
def test_a_power_of_ten_that_changes_between_two_reads_makes_no_wrong_value(after):
    device = SwitchesScale(chain(whole(32.0, 4321)).words, after)

    async def test():
        async with served(device) as port:
            made = reader(
                settings(port, max_registers=20)
            )  # power lies in the first read, its power of ten in the second
            readings = [await made.read() for _ in range(3)]
            await made.close()
        assert readings[-1].power_kw == 33.0
        assert {reading.power_kw for reading in readings} <= {None, 32.0, 33.0}

    run(test())


@pytest.mark.parametrize(
    "after",
    [
        chain(floats(24.0, 5000.0)),  # someone switched the inverter to floats
        chain((64110, 40, {}), whole(24.0, 5000)),  # new firmware has another model in front
        chain(whole(24.0, 5000), base=0),  # all of it lies elsewhere
    ],
    ids=["floats", "moved", "another base"],
)
@pytest.mark.parametrize("away", [False, True])
def test_a_chain_that_changed_is_found_again(after, away):
    device = chain(whole(32.0, 4321))

    async def test():
        async with served(device) as port:
            made = reader(settings(port, timeout_seconds=1.0))
            assert (await made.read()).power_kw == 32.0
            if away:
                device.silent = True
                assert (await made.read()).quality is NO_ANSWER
                device.silent = False
            device.words = dict(after.words)
            reading = await made.read()
            await made.close()
        assert (reading.power_kw, reading.import_kwh) == (24.0, 5000.0)

    run(test())


@pytest.mark.parametrize(
    ("pins", "kw"),
    [
        ({}, 10.0),
        ({"instance": 2}, 20.0),
        ({"model": 213}, 30.0),
        ({"model": 213, "instance": 1}, 30.0),
    ],
)
def test_of_several_meters_one_is_pinned(pins, kw):
    device = chain(whole(10.0, 1), whole(20.0, 2), floats(30.0, 3.0))

    async def test():
        async with served(device) as port:
            made = reader(settings(port, **pins))
            assert (await made.read()).power_kw == kw
            await made.close()

    run(test())


@pytest.mark.parametrize(
    ("pins", "note"),
    [
        ({"reads": "inverter"}, "models 1, 203, but not 701 or 103"),
        ({"instance": 2}, "models 1, 203, but not 203 or 204.*number 2 of its kind"),
        ({"model": 213}, "models 1, 203, but not 213"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(pins, note):
    async def test():
        async with served(chain(whole(10.0, 1))) as port:
            made = reader(settings(port, **pins))
            reading = await made.read()
            await made.close()
        assert reading.quality is NO_ANSWER
        import re

        assert re.search(note, reading.note)

    run(test())


def test_a_device_without_sunspec():
    async def test():
        device = Registers(words={100: 1})
        async with served(device) as port:
            joined = bus.join("127.0.0.1", port)
            with pytest.raises(NotSunSpecError, match="no SunSpec map at 40000, 0, 50000: is SunSpec switched on"):
                await discover(joined, 1)
            bus.leave(joined)
        assert [address for _, address, _ in device.asked] == [40000, 0, 50000]

    run(test())


def test_a_silent_device_is_no_device_without_sunspec():
    async def test():
        device = chain(whole(1.0, 1))
        device.silent = True
        async with served(device) as port:
            joined = bus.join("127.0.0.1", port)
            with pytest.raises(bus.SilentError):
                await discover(joined, 1, timeout=0.2)
            bus.leave(joined)

    run(test())


class SwallowsEveryFourth(Registers):
    def answer(self, request: bytes) -> bytes | None:
        said = super().answer(request)
        return b"" if len(self.asked) > 8 and len(self.asked) % 4 == 0 else said


def test_an_answer_that_is_lost_now_and_then_costs_no_reading():
    device = SwallowsEveryFourth(words=chain(whole(12.5, 4321)).words)

    async def test():
        async with served(device) as port:
            made = reader(settings(port, timeout_seconds=1.0))
            readings = [await made.read() for _ in range(7)]
            await made.close()
        assert [reading.power_kw for reading in readings] == [12.5] * 7

    run(test())


def test_a_device_that_refuses_long_reads_is_asked_in_short_ones():
    device = chain(whole(12.5, 4321))
    device.longest = 30  # not even the common model in one go

    async def test():
        async with served(device) as port:
            made = reader(settings(port, reads="meter"))
            assert (await made.read()).power_kw == 12.5
            device.longest = 16
            device.asked.clear()
            reading = await made.read()
            await made.close()
        assert (reading.power_kw, reading.import_kwh) == (12.5, 4321.0)
        assert min(count for _, _, count in device.asked) <= 16

    run(test())


@pytest.mark.parametrize("length", [0, 1])
def test_a_chain_without_an_end_ends(length):
    device = Registers()
    device.put(40000, [0x5375, 0x6E53])
    device.put(40002, [7, length, *[7, length] * 1000] if length == 0 else [7, 1, 9] * 1000)

    async def test():
        async with served(device) as port:
            joined = bus.join("127.0.0.1", port)
            found = await discover(joined, 1)
            bus.leave(joined)
        assert len(found) == MOST_MODELS

    run(test())


def test_a_chain_may_end_where_the_registers_end():
    device = chain(whole(1.0, 1))
    for address in sorted(device.words)[-2:]:
        del device.words[address]

    async def test():
        async with served(device) as port:
            joined = bus.join("127.0.0.1", port)
            assert [model.id for model in await discover(joined, 1)] == [1, 203]
            bus.leave(joined)

    run(test())


def meter_words(**at: list[int]) -> list[int]:
    words = [0] * 107
    words[0:2] = [203, 105]
    for place, said in at.items():
        start = int(place.removeprefix("at"))
        words[start : start + len(said)] = said
    return words


@pytest.mark.parametrize(
    ("exponent", "kw"),
    [(0, 5.0), (-1, 0.5), (2, 500.0), (-10, 5e-10), (10, 5e10), (11, None), (-11, None), (-32768, None), (99, None)],
)
def test_a_power_of_ten_that_cannot_be_meant_makes_no_value(exponent, kw):
    table = tables().of(203)
    assert table is not None
    found = quantities(table, meter_words(at18=s16(5000), at22=s16(exponent)))
    assert found.get("power") == (None if kw is None else pytest.approx(kw))
    assert (by_ten(5000, exponent) is None) is (kw is None)


@pytest.mark.parametrize(
    ("words", "kwh"), [([0, 0], None), ([0, 1], 0.001), ([0xFFFF, 0xFFFF], 4294967.295), ([0x0001, 0x0000], 65.536)]
)
def test_a_counter_at_exactly_zero_counts_nothing(words, kwh):
    table = tables().of(203)
    assert table is not None
    assert quantities(table, meter_words(at46=words)).get("total_import") == kwh


@pytest.mark.parametrize(
    ("raw", "whole_counters", "kwh"),
    [
        (struct.pack(">f", 5_000_000.0), False, 5000.0),
        (struct.pack(">f", 0.0), False, 0.0),
        (struct.pack(">f", float("nan")), False, None),
        (struct.pack(">I", 5_000_000), False, None),  # as a float 7e-39 Wh: not what a counter says
        (struct.pack(">I", 5_000_000), True, 5000.0),
    ],
)
def test_a_float_model_whose_counters_are_whole_numbers(raw, whole_counters, kwh):
    table = tables().of(213)
    assert table is not None
    words = [0] * 126
    words[68:70] = struct.unpack(">HH", raw)
    found = quantities(table, words, whole_counters=whole_counters).get("total_import")
    assert found == (None if kwh is None else pytest.approx(kwh))


@hypothesis.settings(deadline=None, max_examples=60)
@given(st.sampled_from(tables().models), st.integers(0, 126), st.data())
def test_any_registers_make_numbers_or_nothing(table, length, data):
    """Whatever lies there: each value is finite, and comes from a power of ten that can be meant."""
    odd = st.sampled_from([0x0000, 0x0001, 0x7FFF, 0x8000, 0xFFFF, 0x7F80, 0x7FC0])
    words = data.draw(st.lists(st.one_of(odd, st.integers(0, 0xFFFF)), min_size=length, max_size=length))
    found = quantities(table, words)
    assert all(math.isfinite(value) for value in found.values())
    for name in found:
        at = table.points[name].scale_at
        assert at is None or words[at] <= 10 or words[at] >= 0x10000 - 10


def test_a_model_that_is_shorter_than_it_should_be_says_what_it_has():
    table = tables().of(103)
    assert table is not None
    words = [103, 20, *[0] * 12, 5000, 0]
    assert extent(table, 20) == 22
    assert quantities(table, words)["power"] == -5.0
    assert "total_export" not in quantities(table, words)


@pytest.mark.parametrize("id", [id for table in tables().models for id in table.ids])
def test_tables_name_known_quantities_in_their_units_and_fit_into_a_read(id):
    from meters.quantities import KINDS, UNITS

    table = tables().of(id)
    assert table is not None
    for name, point in table.points.items():
        assert point.unit in UNITS[KINDS[name]]
        assert (point.type == "f32") is (point.scale_at is None)
    assert table.modules or extent(table, 10_000) <= 125
    assert frame(table)[:2] == [0, 1]


def test_models_that_are_read_have_tables():
    known = {id for table in tables().models for id in table.ids}
    assert {id for groups in tables().reads.values() for group in groups for id in group} <= known


def test_a_doubted_value_brings_its_registers():
    async def test():
        device = chain(whole(10.0, 1000))
        async with served(device) as port:
            made = reader(settings(port))
            await made.read()
            device.put(40070 + 46, [0, 10])  # the counter goes down
            reading = await made.read()
            await made.close()
        assert reading.quality is ReadingQuality.SUSPECT
        assert '"3:40116":0' in reading.raw and '"3:40117":10' in reading.raw

    run(test())


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ({"profile": "fronius-gen"}, "did you mean 'fronius-gen24'"),
        ({"model": 120}, "model 120 tells nothing that a meter tells; known: 101, 102"),
        ({"max_registers": 200}, "less than or equal to 125"),
    ],
)
def test_mistakes_in_the_settings(said, what):
    with pytest.raises(ValidationError, match=what):
        settings(502, **said)


def test_the_kind_is_found_by_its_name_and_knows_how_well_the_device_is_known():
    assert "sunspec" in kinds("meters")
    assert reader(settings(502, profile="fronius-gen24")).meter.confidence == "3 sources"
