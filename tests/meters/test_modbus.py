"""The reader against real Modbus TCP servers, healthy and broken."""

import asyncio
import json
import struct
import time

import pytest
from pydantic import ValidationError
from pymodbus.constants import ExcCodes

from energy.clock import HeldClock, SystemClock
from energy.model.meter import ReadingQuality
from energy.ports import Context
from energy.twin.stand import Stand
from meters import bus
from meters.modbus import Settings, build
from meters.profile import load, names
from tests.meters.wire import (
    SITE,
    Fixed,
    free_port,
    meter,
    raw_server,
    read_once,
    reader,
    run,
    settings,
    simulator,
    until,
)

NO_ANSWER = ReadingQuality.NO_ANSWER


@pytest.mark.parametrize("invert", [False, True])
def test_every_profile_speaks_over_the_wire(invert):
    """One gateway with a meter of every profile behind it, each with transformers that it does not know of."""
    known = [name for name in names() if name != "generic"]
    port = free_port()
    said = {
        name: settings(port, unit=unit, profile=name, invert=invert, ct_ratio=40) for unit, name in enumerate(known, 1)
    }
    generated = Stand(4321.6, 0.0, 88.0) if invert else Stand(0.0, 4321.6, -88.0)  # an inverter only generates
    source = Fixed(Stand(4321.6, 12.4, -88.0), {name: generated for name in known if load(name).family == "inverter"})

    async def test():
        async with simulator(*said.items(), source=source):
            for name in known:
                reading = await read_once(said[name])
                assert reading.quality is ReadingQuality.GOOD, name
                stand, told, values = source.stand(name), set(load(name).registers), dict(reading.values)
                crossed = {"total_import": "total_export", "total_export": "total_import"} if invert else {}
                expected = {"power": stand.power_kw, "total_import": stand.import_kwh, "total_export": stand.export_kwh}
                found = {
                    "power": reading.power_kw,
                    "total_import": reading.import_kwh,
                    "total_export": reading.export_kwh,
                }
                for main, value in expected.items():
                    if crossed.get(main, main) in told:  # a counter is coarse: 40 x a register of whole kWh
                        assert found[main] == pytest.approx(value, abs=0.5 if main == "power" else 40), (name, main)
                    else:
                        assert found[main] is None, (name, main)
                if "voltage_l1" in told:
                    assert values["voltage_l1"] == pytest.approx(232, abs=1), name
                if "frequency" in told:
                    assert values["frequency"] == pytest.approx(50.0), name
                if "power_l3" in told:
                    assert sum(values[f"power_l{phase}"] for phase in (1, 2, 3)) == pytest.approx(
                        stand.power_kw, abs=1
                    ), name

    run(test())


def test_the_time_of_a_reading_is_the_plants():
    async def test():
        from datetime import UTC, datetime

        said = settings(free_port())
        clock = HeldClock(datetime(2026, 3, 29, 1, 0, tzinfo=UTC))
        async with simulator(("m", said)):
            made = build(said, Context(site=SITE, clock=clock, meters=(meter(),)))
            reading = await made.read()
            await made.close()
        assert reading.taken_at == clock.at

    run(test())


def test_a_generic_meter_has_its_registers_in_the_config():
    async def test():
        said = settings(
            free_port(),
            profile="generic",
            function_code=4,
            word_order="low first",
            registers={"power": {"at": 100, "type": "s32", "unit": "kW", "scale": 0.1}},
        )
        async with simulator(("m", said)):
            reading = await read_once(said)
        assert (reading.power_kw, reading.import_kwh, reading.quality) == (100.0, None, ReadingQuality.GOOD)

    run(test())


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"profile": "abb-b32"}, "did you mean 'abb-b23'"),
        ({"registers": {"powr": {"at": 1, "type": "u16", "unit": "W"}}}, "did you mean 'power'"),
        ({"registers": {"power": {"at": 1, "type": "u16", "unit": "V"}}}, "no unit of power"),
        ({"unit": 300}, "less than or equal to 255"),
        ({"pull_seconds": 3}, "Extra inputs"),
    ],
)
def test_settings_that_cannot_be(said, told):
    with pytest.raises(ValidationError, match=told):
        Settings.model_validate({"host": "h", **said})


def test_nobody_there_is_a_reading_that_says_so():
    async def test():
        reading = await read_once(settings(free_port()))
        assert reading.quality is NO_ANSWER
        assert (reading.power_kw, reading.import_kwh, reading.values) == (None, None, ())
        assert "refused the connection" in reading.note

    run(test())


def test_refused_for_seconds_then_there(monkeypatch):
    monkeypatch.setattr(bus, "FIRST_PAUSE_SECONDS", 0.1)
    monkeypatch.setattr(bus, "LONGEST_PAUSE_SECONDS", 0.3)

    async def test():
        said = settings(free_port(), poll_seconds=0.05)
        made = reader(said)
        began = time.monotonic()
        notes = set()
        while time.monotonic() - began < 1.5:
            reading = await made.read()
            assert reading.quality is NO_ANSWER
            notes.add(reading.note.split(";")[0])
            await asyncio.sleep(0.05)
        assert all("refused the connection" in note for note in notes)
        async with simulator(("m", said)):
            await recovered(made)
        await made.close()

    run(test())


async def recovered(made, seconds: float = 6.0) -> None:
    async with asyncio.timeout(seconds):
        while (await made.read()).quality is not ReadingQuality.GOOD:
            await asyncio.sleep(0.05)


def test_a_server_that_dies_and_comes_back(monkeypatch):
    monkeypatch.setattr(bus, "FIRST_PAUSE_SECONDS", 0.1)

    async def test():
        said = settings(free_port(), poll_seconds=0.05)
        made = reader(said)
        for _ in range(2):
            async with simulator(("m", said)):
                await recovered(made)
            reading = await made.read()
            assert reading.quality is NO_ANSWER
            assert reading.power_kw is None
        await made.close()

    run(test())


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (ExcCodes.ILLEGAL_FUNCTION, "exception 1, illegal function"),
        (ExcCodes.ILLEGAL_ADDRESS, "exception 2, illegal address"),
        (ExcCodes.DEVICE_FAILURE, "exception 4, device failure"),
        (ExcCodes.DEVICE_BUSY, "exception 6, device busy"),
        (ExcCodes.GATEWAY_NO_RESPONSE, "exception 11, no answer behind the gateway"),
    ],
)
def test_exceptions_are_explained(code, told):
    async def test():
        said = settings(free_port())
        async with simulator(("m", said)) as plant:
            plant.faults.refuse["m"] = code
            reading = await read_once(said)
        assert reading.quality is NO_ANSWER
        assert reading.note.startswith(told)

    run(test())


def test_a_long_read_that_is_refused_is_made_number_by_number():
    """An SDM72 knows only a part of the SDM630's registers and refuses a read that touches the others."""
    known = {0x0034, 0x0035, 0x0048, 0x0049, 0x004A, 0x004B}
    asked = []

    def answer(request: bytes) -> bytes:
        start, count = int.from_bytes(request[8:10]), int.from_bytes(request[10:12])
        asked.append(count)
        head = request[:4]
        if not set(range(start, start + count)) <= known:
            return head + bytes([0, 3, 1, 0x84, 2])
        return head + bytes([0, 3 + 2 * count, 1, 4, 2 * count]) + b"\x44\x7a\x00\x00" * (count // 2)  # 1000.0

    async def test():
        said = settings(free_port())
        async with raw_server(said.port, answer):
            made = reader(said)
            first = await made.read()
            asked.clear()
            second = await made.read()
            await made.close()
        for reading in (first, second):
            assert (reading.power_kw, reading.import_kwh, reading.export_kwh) == (1.0, 1000.0, 1000.0)
            assert reading.values == ()
        assert asked == [2, 2, 2]  # what was refused alone is not asked again

    run(test())


def spoilt(kind: str):
    """A server whose answers are broken in one way."""

    def answer(request: bytes) -> bytes | None:
        unit, code, count = request[6], request[7], int.from_bytes(request[10:12])
        head, data = request[:4], b"\x44\x7a\x00\x00" * (count // 2)
        whole = bytes([unit, code, 2 * count]) + data
        return {
            "short": lambda: head + (3 + 2).to_bytes(2) + bytes([unit, code, 2]) + data[:2],
            "byte count too large": lambda: head + (3 + 2).to_bytes(2) + bytes([unit, code, 2 * count]) + data[:2],
            "odd byte count": lambda: head + (3 + 3).to_bytes(2) + bytes([unit, code, 3]) + data[:3],
            "other unit": lambda: head + len(whole).to_bytes(2) + bytes([unit + 1]) + whole[1:],
            "other function": lambda: head + len(whole).to_bytes(2) + bytes([unit, 7 - code]) + whole[1:],
            "late transaction": lambda: b"\x7f\xff" + head[2:] + len(whole).to_bytes(2) + whole,
            "half a frame": lambda: head + len(whole).to_bytes(2) + whole[:9],
            "no modbus": lambda: b"HTTP/1.1 400 Bad Request\r\n\r\n",
            "hangs up": lambda: None,
        }[kind]()

    return answer


@pytest.mark.parametrize(
    "kind",
    [
        "short",
        "byte count too large",
        "odd byte count",
        "other unit",
        "other function",
        "late transaction",
        "half a frame",
        "no modbus",
        "hangs up",
    ],
)
def test_a_broken_answer_is_never_a_value(kind):
    async def test():
        said = settings(free_port(), timeout_seconds=0.3)
        async with raw_server(said.port, spoilt(kind)):
            reading = await read_once(said)
        assert reading.quality is NO_ANSWER
        assert (reading.power_kw, reading.import_kwh, reading.export_kwh, reading.values) == (None, None, None, ())
        assert reading.note

    run(test())


def test_units_share_one_connection_and_take_turns():
    connections, order = [], []

    def answer(request: bytes) -> bytes:
        order.append(request[6])
        count = int.from_bytes(request[10:12])
        return request[:4] + (3 + 2 * count).to_bytes(2) + bytes([request[6], 4, 2 * count]) + bytes(2 * count)

    async def test():
        port = free_port()
        async with raw_server(port, answer):
            readers = [reader(settings(port, unit=unit), meter(f"m{unit}")) for unit in (1, 2, 3)]
            readings = await asyncio.gather(*(made.read() for made in readers))
            connections.append(len({id(made._bus) for made in readers}))
            for made in readers:
                await made.close()
        assert [reading.quality for reading in readings] == [ReadingQuality.GOOD] * 3
        assert connections == [1]
        assert order == [1, 2, 3] * (len(order) // 3)  # request by request, nobody twice in a row

    run(test())


def test_a_silent_unit_rests_and_leaves_the_bus_to_the_others():
    async def test():
        port = free_port()
        dead = settings(port, unit=1, poll_seconds=5, timeout_seconds=0.3)
        live = settings(port, unit=2, poll_seconds=5)
        async with simulator(("dead", dead), ("live", live)) as plant:
            plant.faults.dead.add("dead")
            first, second = reader(dead, meter("dead")), reader(live, meter("live"))
            for _ in range(2):
                reading = await first.read()
                assert "did not answer within 0.3 s" in reading.note
            began = time.monotonic()
            reading = await first.read()
            assert time.monotonic() - began < 0.3  # it was not asked
            assert "asked again in" in reading.note
            assert (await second.read()).quality is ReadingQuality.GOOD
            await first.close()
            await second.close()

    run(test())


def test_a_slow_meter_gets_a_second_chance():
    async def test():
        said = settings(free_port(), timeout_seconds=0.5)
        async with simulator(("m", said)) as plant:
            made = reader(said)
            await recovered(made)
            plant.faults.slow_seconds["m"] = 0.7
            asking = asyncio.create_task(made.read())
            await asyncio.sleep(0.1)
            plant.faults.slow_seconds.clear()
            reading = await asking
            await made.close()
        assert reading.quality is ReadingQuality.GOOD
        assert reading.power_kw == 100.0

    run(test())


def test_more_power_than_the_connection_carries_is_suspect_and_kept():
    async def test():
        said = settings(free_port())
        async with simulator(("m", said), source=Fixed(Stand(1.0, 0.0, 650.0))):
            reading = await read_once(said, meter(connection_kw=500))
        assert reading.quality is ReadingQuality.SUSPECT
        assert reading.power_kw == 650.0
        assert reading.note == "650.0 kW is more than the connection of 500 kW can carry"
        words = json.loads(reading.raw)["4"]  # 650 000 W as a float at address 52
        assert struct.unpack(">f", struct.pack(">HH", words["52"], words["53"])) == (650_000.0,)

    run(test())


@pytest.mark.parametrize(
    ("before", "after", "rollover", "qualities"),
    [
        (1000.0, 1000.5, None, "good good"),
        (1000.0, 3.0, None, "suspect suspect"),  # meter exchanged: believed when it has held and counted on
        (1000.0, 9000.0, None, "suspect suspect"),  # jumped
        (999999.5, 0.5, 1_000_000.0, "suspect suspect"),  # rolled over: believed when it has counted on
        (500.0, 0.0, 1_000_000.0, "suspect suspect"),  # a reset is no rollover
    ],
)
def test_counters_are_watched(before, after, rollover, qualities):
    async def test():
        source = Fixed(Stand(before, 0.0, 10.0))
        said = settings(free_port(), profile="schneider-iem3000")
        async with simulator(("m", said), source=source) as plant:
            made = reader(said, meter(connection_kw=100, rollover_kwh=rollover))
            assert (await made.read()).quality is ReadingQuality.GOOD
            plant._behind[said.line()][0]._highest["import"] = 0.0  # another meter in its place
            source.default = Stand(after, 0.0, 10.0)
            readings = [await made.read() for _ in range(2)]
            await made.close()
        assert [reading.quality.value for reading in readings] == qualities.split()
        assert readings[0].import_kwh == after

    run(test())


@pytest.mark.parametrize(
    ("profile", "confidence", "single"),
    [("acrel-adw300", "1 source: verify", True), ("abb-b23", "4 sources", False), ("generic", "your own", False)],
)
def test_a_meter_knows_how_well_its_profile_is_known(profile, confidence, single):
    made = reader(settings(502, profile=profile, registers={"power": {"at": 0, "type": "u16", "unit": "W"}})).meter
    assert (made.confidence, made.single_source) == (confidence, single)


def test_a_profile_knows_where_its_counter_starts_again():
    said = settings(
        502,
        profile="generic",
        ct_ratio=20,
        registers={"total_import": {"at": 0, "type": "u32", "unit": "Wh", "scale": 10, "rollover": 9_999_990}},
    )
    assert said.complete(meter()).rollover_kwh == pytest.approx(9_999.99 * 20)
    assert said.complete(meter(rollover_kwh=5.0)).rollover_kwh == 5.0  # the config's own word
    assert reader(said).meter.rollover_kwh == pytest.approx(9_999.99 * 20)


def test_the_last_reader_closes_the_connection():
    async def test():
        port = free_port()
        async with simulator(("a", settings(port, unit=1)), ("b", settings(port, unit=2))) as plant:
            readers = [reader(settings(port, unit=unit)) for unit in (1, 2)]
            for made in readers:
                await made.read()
            server = plant._servers[0]
            assert len(server.active_connections) == 1
            await readers[0].close()
            assert (await readers[1].read()).quality is ReadingQuality.GOOD
            await readers[1].close()
            await until(lambda: not server.active_connections)

    run(test())


def test_a_reader_is_told_which_meter_it_reads():
    context = Context(site=SITE, clock=SystemClock(), meters=(meter("a"), meter("b")))
    assert build(settings(502, id="b"), context).meter.id == "b"
    with pytest.raises(ValueError, match="no meter '' in the context; known: a, b"):
        build(settings(502), context)
