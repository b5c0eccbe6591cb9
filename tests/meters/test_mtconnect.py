"""Machines behind an MTConnect agent of ours, over real HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from energy.model.meter import ReadingQuality
from meters.mtconnect import Settings, build
from meters.mtconnect.document import DocumentError, data_items, streams
from tests.meters.listening import Heard, context, listening
from tests.meters.mtconnect_agent import Agent, served
from tests.meters.wire import free_port, run

WATT_SECONDS = 3_600_000  # in a kWh


def settings(agent: Agent, **said: Any) -> Settings:
    base = {
        "url": f"http://127.0.0.1:{agent.port}",
        "device": "Mill-1",
        "poll_seconds": 0.05,
        "together_seconds": 0.5,
        "quantities": {
            "power": {"type": "WATTAGE", "component": "electric"},
            "total_import": {"type": "ELECTRICAL_ENERGY"},
        },
        "state": {"type": "EXECUTION"},
    }
    return Settings.model_validate(base | said)


def told(heard: Heard) -> list[tuple[float | None, float | None, str]]:
    return [(r.power_kw, r.import_kwh, r.state) for r in heard.good]


@pytest.mark.parametrize("version", ["1.7", "2.0"])
def test_energy_and_state_of_a_machine(version):
    async def test():
        with served(Agent(version=version)) as agent:
            agent.say("avail", "AVAILABLE")
            async with listening(build(settings(agent), context())) as heard:
                await heard.until(lambda h: h.notes)  # none of its values is known yet
                at = datetime.now(UTC) - timedelta(seconds=20)
                for step, state in enumerate(("READY", "ACTIVE", "STOPPED")):
                    moment = at + timedelta(seconds=5 * step)
                    agent.say("exec", state, moment)
                    agent.say("w1", 1000 * step, moment)
                    agent.say("e1", (100 + step) * WATT_SECONDS, moment)
                await heard.until(lambda h: len(h.good) == 3)
        assert told(heard) == [(0.0, 100.0, "READY"), (1.0, 101.0, "ACTIVE"), (2.0, 102.0, "STOPPED")]
        assert [r.taken_at for r in heard.good] == [at + timedelta(seconds=5 * step) for step in range(3)]

    run(test(), 60)


def test_nothing_is_lost_between_two_questions_however_much_was_said():
    async def test():
        with served(Agent(size=4096)) as agent:
            async with listening(build(settings(agent, state=None, together_seconds=0), context())) as heard:
                await heard.until(lambda h: "sample" in agent.asked)
                at = datetime.now(UTC) - timedelta(hours=1)
                for step in range(1500):  # more than one answer holds
                    agent.say("e1", (100 + step) * WATT_SECONDS, at + timedelta(seconds=2 * step))
                await heard.until(lambda h: len(h.good) == 1500)
        assert [r.import_kwh for r in heard.readings if r.import_kwh] == [100.0 + step for step in range(1500)]

    run(test(), 60)


def test_unavailable_is_not_known():
    async def test():
        with served(Agent()) as agent:
            agent.say("avail", "AVAILABLE")
            agent.say("w1", 5000)
            agent.say("e1", WATT_SECONDS)
            agent.say("exec", "ACTIVE")
            async with listening(build(settings(agent), context())) as heard:
                await heard.until(lambda h: (5.0, 1.0, "ACTIVE") in told(h))
                agent.say("exec", "UNAVAILABLE")
                agent.say("w1", "UNAVAILABLE")
                agent.say("e1", 2 * WATT_SECONDS)
                await heard.until(lambda h: (None, 2.0, "") in told(h))
                assert heard.notes == []
                agent.say("avail", "UNAVAILABLE")
                await heard.until(lambda h: h.notes)
        assert heard.notes == ["the machine is not available, as its agent says"]
        assert heard.readings[-1].quality is ReadingQuality.NO_ANSWER

    run(test(), 60)


def test_an_agent_that_starts_again_is_asked_for_what_is_the_case_now():
    async def test():
        with served(Agent()) as agent:
            agent.say("e1", 5 * WATT_SECONDS)
            async with listening(build(settings(agent, state=None), context())) as heard:
                await heard.until(lambda h: (None, 5.0, "") in told(h))
                agent.restart()
                agent.say("e1", 6 * WATT_SECONDS)
                await heard.until(lambda h: (None, 6.0, "") in told(h))
        assert any("it started again" in note for note in heard.notes)

    run(test(), 60)


def test_a_buffer_that_ran_over_is_said():
    async def test():
        with served(Agent(size=8)) as agent:
            said = settings(agent, state=None, poll_seconds=0.3)
            async with listening(build(said, context())) as heard:
                await heard.until(lambda h: "sample" in agent.asked)
                asked = len(agent.asked)
                await heard.until(lambda h: len(agent.asked) > asked)  # just asked: now quickly more than it can keep
                for step in range(40):
                    agent.say("e1", step * WATT_SECONDS)
                await heard.until(lambda h: (None, 39.0, "") in told(h))
        assert any("its buffer ran over; what was said since the last time is lost" in note for note in heard.notes)

    run(test(), 60)


@pytest.mark.parametrize(
    ("said", "note"),
    [
        ({"device": "Mill-2"}, "NO_DEVICE: Could not find the device 'Mill-2'"),
        ({"quantities": {"power": {"type": "WATTAGE"}}}, "data items are WATTAGE: w2 (ACTUAL, S1), w1 (ACTUAL, electric)"),
        ({"quantities": {"power": {"type": "AMPERAGE"}}}, "no data item AMPERAGE; it has AVAILABILITY, ELECTRICAL_ENERGY"),
        ({"quantities": {"power": {"id": "e1"}}}, "quantities.power.unit: e1 says WATT_SECOND; give the unit here"),
    ],
)  # fmt: skip
def test_what_the_device_does_not_have_is_said(said, note):
    async def test():
        with served(Agent()) as agent:
            async with listening(build(settings(agent, **said), context())) as heard:
                await heard.until(lambda h: h.notes)
        assert note in heard.notes[0]

    run(test(), 60)


def test_energy_over_a_time_is_no_counter():
    async def test():
        with served(Agent(durations={"e1": "10"})) as agent:
            agent.say("e1", WATT_SECONDS)
            async with listening(build(settings(agent), context())) as heard:
                await heard.until(lambda h: h.notes)
        assert "says energy over 10 s each time, and is no counter" in heard.notes[-1]
        assert all(r.import_kwh is None for r in heard.readings)

    run(test(), 60)


def test_an_agent_that_is_away_and_comes():
    async def test():
        agent = Agent(port=free_port())
        agent.say("e1", WATT_SECONDS)
        async with listening(build(settings(agent, state=None), context())) as heard:
            await heard.until(lambda h: h.notes)
            assert "refused the connection: does it run there" in heard.notes[0]
            with served(agent):
                await heard.until(lambda h: h.good)

    run(test(), 60)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "no XML"),
        (b"<html><body>Router</body></html>", "is html and not MTConnectStreams"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', "no XML that can be read"),
        (b"<MTConnectStreams/>", "no Header"),
        (b'<MTConnectStreams><Header nextSequence="x"/></MTConnectStreams>', "no numbers"),
    ],
)
def test_what_is_no_document(body, said):
    with pytest.raises(DocumentError, match=said):
        streams(body)


def test_the_data_items_of_a_probe():
    items = {item.id: item for item in data_items(Agent().devices().encode())}
    assert (items["w2"].type, items["w2"].units, items["w2"].component) == ("WATTAGE", "WATT", ("spindle", "S1"))
    assert items["w2"].device == ("Mill-1", "000-mill-1", "dev")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"url": "machine:5000"}, "should match pattern"),
        ({"quantities": {"power": {}}}, "say its id or its type"),
        ({"quantities": {}, "state": None}, "at least one of its quantities, or its state"),
        ({"quantities": {"power": {"id": "w1", "unit": "V"}}}, "'V' is no unit of it"),
    ],
)
def test_settings_that_cannot_be(said, told):
    with pytest.raises(ValidationError, match=told):
        settings(Agent(), **said)
