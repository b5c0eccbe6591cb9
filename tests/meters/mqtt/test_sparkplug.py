"""Sparkplug B: payloads that another implementation wrote, and an edge node behind a real broker."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from energy.model.meter import ReadingQuality
from meters.mqtt import Settings, broker, build
from meters.mqtt.sparkplug import MESSAGE, DataType, PayloadError, decode, number, rebirth
from tests.meters.listening import context, listening
from tests.meters.mqtt.mosquitto import PASSWORD, USER, Mosquitto, mosquitto, needs_mosquitto
from tests.meters.wire import meter, run

# Written by the npm package sparkplug-payload 1.0.3 (Eclipse Tahu), from the values in the tests below.
DBIRTH = bytes.fromhex(
    "0880a4d4d7e33312300a0c506f7765722f416374697665100a1880a4d4d7e33320094a100a07656e67556e69741205080c42015765005243"
    "4612200a0d456e657267792f496d706f7274100b1880a4d4d7e33320085889f48bdc4412200a0d456e657267792f4578706f7274100c1880"
    "a4d4d7e333200350f9ffffff0f12200a0a566f6c746167652f4c31100d1880a4d4d7e333200a690000000000e86c40121d0a0a4375727265"
    "6e742f4c31100e1880a4d4d7e333200250d4fdffff0f12180a094672657175656e6379100f1880a4d4d7e333200938011801"
)
DDATA = bytes.fromhex("08e8abd4d7e3331210100a1884abd4d7e33320096500407ac31211100b1884abd4d7e333200858a7fb8bdc441802")
AT = datetime(2026, 5, 18, 12, 0, tzinfo=UTC)


def test_a_birth_that_another_implementation_wrote():
    said = decode(DBIRTH)
    assert (said.at, said.seq) == (AT, 1)
    assert {m.name: (m.alias, DataType(m.datatype or 0).name, number(m, m.datatype)) for m in said.metrics} == {
        "Power/Active": (10, "FLOAT", 12500.5),
        "Energy/Import": (11, "UINT64", 18446744073.0),
        "Energy/Export": (12, "INT32", -7.0),
        "Voltage/L1": (13, "DOUBLE", 231.25),
        "Current/L1": (14, "INT16", -300.0),
        "Frequency": (15, "FLOAT", None),
    }


def test_data_that_another_implementation_wrote_names_no_names():
    said = decode(DDATA)
    assert [(m.name, m.alias, number(m, m.datatype)) for m in said.metrics] == [
        ("", 10, -250.25),
        ("", 11, 18446744999),
    ]


@pytest.mark.parametrize(
    ("datatype", "wire", "value"),
    [
        (DataType.INT8, 0xFF, -1),
        (DataType.INT8, 0xFFFFFFFF, -1),  # some widen the sign, some do not
        (DataType.INT16, 0x8000, -32768),
        (DataType.INT32, 0x7FFFFFFF, 2147483647),
        (DataType.UINT32, 0xFFFFFFFF, 4294967295),
        (DataType.UINT8, 200, 200),
    ],
)
def test_integers(datatype, wire, value):
    said = MESSAGE()
    said.metrics.add(name="m", datatype=datatype, int_value=wire)
    (metric,) = decode(said.SerializeToString()).metrics
    assert number(metric, datatype) == value


def test_what_is_bad_or_no_number_is_not_known():
    said = MESSAGE()
    bad = said.metrics.add(name="bad", datatype=9, float_value=1.0)
    bad.properties.keys.append("Quality")
    bad.properties.values.add(type=3, int_value=0)
    said.metrics.add(name="word", datatype=12, string_value="12")
    said.metrics.add(name="yes", datatype=11, boolean_value=True)
    assert [number(m, m.datatype) for m in decode(said.SerializeToString()).metrics] == [None, None, None]


@pytest.mark.parametrize("payload", [b"\xff\xff\xff", b'{"power": 1}', b"\x12\x7f"])
def test_what_is_no_payload(payload):
    with pytest.raises(PayloadError, match="no Sparkplug B payload"):
        decode(payload)


def test_the_command_to_be_born_again():
    (metric,) = decode(rebirth(AT)).metrics
    assert (metric.name, metric.value, metric.datatype, metric.at) == ("Node Control/Rebirth", True, 11, AT)


# ---- an edge node behind a real broker


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path_factory.mktemp("broker")) as made:
        yield made


@dataclass
class Node:
    """An edge node with one device, which publishes with mosquitto_pub."""

    broker: Mosquitto
    name: str
    seq: int = 0
    births: int = 0
    task: "asyncio.Task[None] | None" = None
    sent: list[str] = field(default_factory=list)

    def topic(self, kind: str) -> str:
        return f"spBv1.0/plant/{kind}/{self.name}" + ("/meter" if kind.startswith("D") else "")

    async def send(self, kind: str, *metrics: dict[str, Any], skip: int = 0) -> None:
        now = int(datetime.now(UTC).timestamp() * 1000)
        said = MESSAGE(timestamp=now)
        if kind != "NDEATH":  # the will was written when the node connected: it is in no sequence
            said.seq = self.seq = 0 if kind == "NBIRTH" else (self.seq + 1 + skip) % 256
        for metric in metrics:
            said.metrics.add(**{"timestamp": now, **metric})
        self.sent.append(kind)
        await self.broker.publish(self.topic(kind), said.SerializeToString())

    async def born(self, kwh: int = 1000) -> None:
        self.births += 1
        await self.send("NBIRTH", {"name": "bdSeq", "datatype": 8, "long_value": self.births})
        power = {"name": "P", "alias": 1, "datatype": 9, "float_value": 5000.0}
        await self.send("DBIRTH", power, {"name": "E", "alias": 2, "datatype": 8, "long_value": kwh * 1000})

    async def data(self, kwh: int, skip: int = 0) -> None:
        await self.send("DDATA", {"alias": 1, "float_value": 6000.0}, {"alias": 2, "long_value": kwh * 1000}, skip=skip)

    async def died(self, birth: int) -> None:
        await self.send("NDEATH", {"name": "bdSeq", "datatype": 8, "long_value": birth})


def settings(at: Mosquitto, node: Node, **said: Any) -> Settings:
    base = {
        "host": "127.0.0.1",
        "port": at.port,
        "user": USER,
        "password": PASSWORD,
        "client_id": node.name,
        "payload": "sparkplug",
        "sparkplug": {"group": "plant", "node": node.name, "device": "meter"},
        "quantities": {"power": {"metric": "P", "unit": "W"}, "total_import": {"metric": "E", "unit": "Wh"}},
    }
    return Settings.model_validate(base | said)


async def commands(at: Mosquitto, node: Node) -> Any:
    """mosquitto_sub on the node's commands, once its subscription stands."""
    topic = f"spBv1.0/plant/NCMD/{node.name}"
    await at.publish(f"ready/{node.name}", "ready", "-r")
    process = await asyncio.create_subprocess_exec(
        *["mosquitto_sub", "-h", "127.0.0.1", "-p", str(at.port), "-u", USER, "-P", PASSWORD],
        *["-t", topic, "-t", f"ready/{node.name}", "-F", "%x"],
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    await process.stdout.readline()
    return process


async def asked(process: Any) -> None:
    """Wait for the command to be born again."""
    line = await asyncio.wait_for(process.stdout.readline(), 20)
    (metric,) = decode(bytes.fromhex(line.decode().strip())).metrics
    assert (metric.name, metric.value) == ("Node Control/Rebirth", True)


@needs_mosquitto
def test_birth_data_gap_and_death(there, monkeypatch):
    from datetime import timedelta

    from meters.mqtt import edge_node

    monkeypatch.setattr(edge_node, "ASK_AGAIN", timedelta(0))

    async def test():
        node = Node(there, "node-1")
        control = await commands(there, node)
        try:
            async with listening(build(settings(there, node), context(meter(connection_kw=1e9)))) as heard:
                await asked(control)  # whoever comes anew asks who is there
                await node.data(900)  # an alias that nobody has explained yet
                await asked(control)
                await node.born(1000)
                await heard.until(lambda h: len(h.good) == 1)
                await node.data(1001)
                await heard.until(lambda h: len(h.good) == 2)
                await node.data(1003, skip=1)  # the message before this one was lost
                await asked(control)
                await node.data(1004)
                await asked(control)
                assert len(heard.good) == 2
                await node.born(1005)
                await node.data(1006)
                await heard.until(lambda h: len(h.good) == 4)
                await node.died(node.births - 1)  # the will of its earlier connection comes late
                await node.data(1007)
                await heard.until(lambda h: len(h.good) == 5)
                assert heard.notes == []
                await node.died(node.births)
                await heard.until(lambda h: h.notes)
        finally:
            control.kill()
            await control.communicate()
        assert [(r.power_kw, r.import_kwh) for r in heard.good] == [
            (5.0, 1000),
            (6.0, 1001),
            (5.0, 1005),
            (6.0, 1006),
            (6.0, 1007),
        ]
        assert heard.notes == ["edge node node-1 is gone, as the broker says"]
        assert heard.readings[-1].quality is ReadingQuality.NO_ANSWER

    run(test(), 90)


@needs_mosquitto
def test_a_device_that_is_gone_and_values_that_are_not_known(there):
    async def test():
        node = Node(there, "node-2")
        async with listening(build(settings(there, node), context())) as heard:
            await connected_to_broker(heard)
            await node.born()
            await heard.until(lambda h: len(h.good) == 1)
            await node.send("DDATA", {"alias": 1, "is_null": True}, {"alias": 2, "long_value": 2_000_000})
            await node.send("DDATA", {"alias": 1, "float_value": float("nan")}, {"alias": 2, "long_value": 2_001_000})
            await node.send("DDEATH")
            await heard.until(lambda h: h.notes)
        assert [(r.power_kw, r.import_kwh) for r in heard.readings[1:-1]] == [(None, 2000), (None, 2001)]
        assert heard.notes == ["device meter is gone, as its edge node node-2 says"]

    run(test(), 60)


async def connected_to_broker(heard: Any) -> None:
    await heard.until(lambda h: h.listener._source._connection and not h.listener._source._connection.trouble)


@needs_mosquitto
def test_a_node_that_may_not_be_asked_is_heard_all_the_same(there):
    async def test():
        node = Node(there, "node-3")
        said = {"group": "plant", "node": "node-3", "device": "meter", "rebirth": False}
        async with listening(build(settings(there, node, sparkplug=said), context())) as heard:
            await connected_to_broker(heard)
            await node.born()
            await node.data(1001, skip=3)
            await heard.until(lambda h: len(h.good) == 2)
        assert heard.good[-1].import_kwh == 1001

    run(test(), 60)


@needs_mosquitto
def test_a_node_that_is_never_heard_is_said(there, monkeypatch):
    from meters import told

    monkeypatch.setattr(told, "REPEAT_SECONDS", 0.3)

    async def test():
        node = Node(there, "node-4")
        async with listening(build(settings(there, node), context())) as heard:
            await heard.until(lambda h: any("its birth has not been heard" in note for note in h.notes))

    run(test(), 60)


@needs_mosquitto
def test_a_broker_that_is_lost_is_said_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(broker, "FIRST_PAUSE_SECONDS", 0.1)

    async def test():
        with mosquitto(tmp_path) as there:
            node = Node(there, "node-5")
            async with listening(build(settings(there, node), context())) as heard:
                await connected_to_broker(heard)
                await node.born()
                await heard.until(lambda h: h.good)
                there.stop(killed=True)
                await heard.until(lambda h: h.notes)

    run(test(), 60)
