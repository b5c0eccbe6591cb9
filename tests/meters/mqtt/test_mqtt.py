"""Meters behind a real broker (mosquitto), told by a client that is not ours (mosquitto_pub)."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import trustme

from energy.clock import SystemClock
from energy.commands import checkup
from energy.config.settings import MeterSettings
from energy.model.meter import ReadingQuality
from meters.collector import Collector, of_kind
from meters.mqtt import Settings, broker, build
from tests.meters.listening import Heard, context, listening
from tests.meters.mqtt.mosquitto import PASSWORD, USER, Mosquitto, mosquitto, needs_mosquitto
from tests.meters.wire import free_port, meter, run, until

# paho leaves a socket to the garbage collector where a TLS handshake fails
PAHO_SOCKETS = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
pytestmark = [needs_mosquitto, PAHO_SOCKETS]


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path_factory.mktemp("broker")) as made:
        yield made


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "FIRST_PAUSE_SECONDS", 0.1)
    monkeypatch.setattr(broker, "LONGEST_PAUSE_SECONDS", 0.3)
    monkeypatch.setattr(broker, "ANSWER_SECONDS", 2.0)


def settings(at: Mosquitto, **said: Any) -> Settings:
    base = {
        "host": "127.0.0.1",
        "port": at.port,
        "user": USER,
        "password": PASSWORD,
        "together_seconds": 0.2,
        "silent_after_seconds": 60,
        "quantities": {"power": {"unit": "W", "path": "power"}, "total_import": {"unit": "Wh", "path": "energy.total"}},
    }
    return Settings.model_validate(base | said)


async def connected(heard: Heard) -> None:
    await heard.until(lambda h: h.listener._source.trouble == "")


SHELLY = {"id": 0, "total_act_power": 2421.5, "a_voltage": 230.9}


def test_json_by_a_path(there):
    async def test():
        said = settings(there, topic="json/em", client_id="json")
        async with listening(build(said, context())) as heard:
            await connected(heard)
            await there.publish("json/em", json.dumps({"power": 2421.5, "energy": {"total": 123456.0}}))
            await heard.until(lambda h: h.readings)
        (reading,) = heard.readings
        assert (reading.power_kw, reading.import_kwh, reading.quality) == (2.4215, 123.456, ReadingQuality.GOOD)
        assert (reading.raw, reading.note) == ("", "")

    run(test(), 60)


def test_one_plain_number_a_topic_makes_one_reading(there):
    async def test():
        quantities = {
            "power": {"topic": "raw/p", "unit": "kW"},
            "total_import": {"topic": "raw/e/in", "unit": "kWh"},
            "total_export": {"topic": "raw/e/out", "unit": "kWh"},
        }
        said = settings(there, payload="raw", quantities=quantities, together_seconds=20, client_id="raw")
        async with listening(build(said, context())) as heard:
            await connected(heard)
            for topic, number in (("raw/p", "-3.5"), ("raw/e/in", "100.25"), ("raw/e/out", " 7 \n")):
                await there.publish(topic, number)
            await heard.until(lambda h: h.readings)
        (reading,) = heard.readings
        assert (reading.power_kw, reading.import_kwh, reading.export_kwh) == (-3.5, 100.25, 7.0)

    run(test(), 60)


def test_what_is_no_number_is_not_known(there):
    async def test():
        said = settings(there, topic="odd/em", silent_after_seconds=0.7, client_id="odd")
        async with listening(build(said, context())) as heard:
            await connected(heard)
            for power in ('"on"', "null", "true", "NaN", "Infinity", "[1]", '{"a": 1}'):
                await there.publish("odd/em", f'{{"power": {power}, "energy": {{"total": null}}}}')
            await there.publish("odd/em", "not json at all")
            await there.publish("odd/em", b"\xff\xfe")
            await heard.until(lambda h: any("says no number for power, total_import" in note for note in h.notes))
            assert heard.good == []
            await there.publish("odd/em", '{"power": "12", "energy": {"total": NaN}}')
            await heard.until(lambda h: h.good)
        assert (heard.good[0].power_kw, heard.good[0].import_kwh) == (0.012, None)

    run(test(), 60)


def test_a_message_that_cannot_be_taken_silences_no_other_meter(there, caplog):
    async def test():
        said = settings(there, topic="bad/em", client_id="shared")
        other = settings(there, topic="good/em", client_id="shared")
        async with listening(build(said, context())) as bad, listening(build(other, context())) as heard:
            await connected(bad)
            await connected(heard)
            await there.publish("bad/em", "[" * 100_000)  # deeper than Python goes
            await bad.until(lambda h: h.listener._source.trouble)

            def fault(_message: Any) -> Any:
                raise ZeroDivisionError("our own mistake")

            bad.listener._source._plain.items = fault
            await there.publish("bad/em", json.dumps({"power": 1.0}))
            await there.publish("good/em", json.dumps({"power": 2421.5, "energy": {"total": 1.0}}))
            await heard.until(lambda h: h.readings)
        assert heard.good[0].power_kw == 2.4215
        assert bad.readings == []

    run(test(), 60)
    assert "a message on bad/em could not be taken" in caplog.text
    assert "the connection to" not in caplog.text


def test_a_retained_message_is_no_fresh_reading(there):
    async def test():
        await there.publish("kept/em", '{"power": 1, "energy": {"total": 1}}', "-r")
        said = settings(there, topic="kept/em", silent_after_seconds=0.5, client_id="kept")
        async with listening(build(said, context())) as heard:
            await heard.until(lambda h: any("only an old message is kept on kept/em" in note for note in h.notes))
            assert heard.good == []
            await there.publish("kept/em", '{"power": 5000, "energy": {"total": 1000}}')
            await heard.until(lambda h: h.good)
        assert heard.good[0].power_kw == 5.0

    run(test(), 60)


def test_a_retained_message_with_its_time_is_of_that_time(there):
    async def test():
        at = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
        message = {"power": 1000, "energy": {"total": 5000}, "ts": at.timestamp()}
        await there.publish("timed/em", json.dumps(message), "-r")
        said = settings(there, topic="timed/em", time={"path": "ts", "format": "epoch s"}, client_id="timed")
        async with listening(build(said, context())) as heard:
            await heard.until(lambda h: h.good)
        assert heard.good[0].taken_at == at

    run(test(), 60)


def test_said_twice_is_kept_once_and_late_is_of_its_own_time(there):
    async def test():
        now = datetime.now(UTC).replace(microsecond=0)
        said = settings(there, topic="order/em", time={"path": "t"}, client_id="order")

        async def publish(minutes_ago: int, kwh: float) -> None:
            at = now - timedelta(minutes=minutes_ago)
            message = {"t": at.isoformat(), "power": 60_000, "energy": {"total": kwh * 1000}}
            await there.publish("order/em", json.dumps(message))

        async with listening(build(said, context())) as heard:
            await connected(heard)
            for minutes_ago, kwh in ((10, 100), (10, 100), (6, 104), (8, 102), (6, 104), (4, 106), (5, 300)):
                await publish(minutes_ago, kwh)
            await heard.until(lambda h: len(h.readings) == 5)
            told = [((now - r.taken_at).seconds // 60, r.import_kwh, r.quality.value) for r in heard.readings]
        assert told == [
            (10, 100, "good"),
            (6, 104, "good"),
            (8, 102, "good"),  # late, of its own time
            (4, 106, "good"),
            (5, 300, "suspect"),  # a counter cannot have been further than a minute later
        ]
        assert "came late with 300.00 kWh" in heard.readings[-1].note
        assert json.loads(heard.readings[-1].raw)["topic"] == "order/em"

    run(test(), 60)


def test_a_clock_that_is_not_set_makes_a_doubted_reading(there):
    async def test():
        said = settings(there, topic="clock/em", time={"path": "t", "format": "epoch ms"}, client_id="clock")
        async with listening(build(said, context())) as heard:
            await connected(heard)
            await there.publish("clock/em", '{"t": 7000, "power": 1, "energy": {"total": 1}}')
            await heard.until(lambda h: h.readings)
        (reading,) = heard.readings
        assert reading.quality is ReadingQuality.SUSPECT
        assert "1970-01-01 00:00: it was not set" in reading.note

    run(test(), 60)


def test_more_than_the_connection_carries_is_doubted_with_the_message(there):
    async def test():
        said = settings(there, topic="much/em", client_id="much")
        async with listening(build(said, context(meter(connection_kw=10)))) as heard:
            await connected(heard)
            await there.publish("much/em", '{"power": 13000, "energy": {"total": 1}}')
            await heard.until(lambda h: h.readings)
        (reading,) = heard.readings
        assert reading.quality is ReadingQuality.SUSPECT
        assert json.loads(reading.raw)["payload"] == '{"power": 13000, "energy": {"total": 1}}'

    run(test(), 60)


def test_wildcards_hear_one_device_and_no_second(there):
    async def test():
        said = settings(there, topic="hall/+/em", silent_after_seconds=0.5, client_id="wild")
        async with listening(build(said, context())) as heard:
            await connected(heard)
            await there.publish("hall/a/em", '{"power": 1000, "energy": {"total": 1000}}')
            await there.publish("hall/b/em", '{"power": 9000, "energy": {"total": 9000}}')
            await heard.until(lambda h: any("both hall/a/em and hall/b/em say" in note for note in h.notes))
        assert [r.power_kw for r in heard.good] == [1.0]

    run(test(), 60)


def test_availability_and_last_will(there):
    """The will of a client that was killed says that it is gone."""

    async def test():
        here = {"topic": "will/status", "path": "state"}
        said = settings(there, topic="will/em", availability=here, client_id="will")
        async with listening(build(said, context())) as heard:
            await connected(heard)
            await there.publish("will/commands", "be there", "-r")
            device = await asyncio.create_subprocess_exec(
                *["mosquitto_sub", "-h", "127.0.0.1", "-p", str(there.port), "-u", USER, "-P", PASSWORD],
                *["-t", "will/commands", "--will-topic", "will/status", "--will-payload", '{"state": "offline"}'],
                stdout=asyncio.subprocess.PIPE,
            )
            assert device.stdout is not None
            assert await device.stdout.readline() == b"be there\n"
            device.kill()
            await device.communicate()
            await heard.until(lambda h: h.readings)
        assert heard.notes == ["it is offline, as will/status says"]

    run(test(), 60)


def test_silence_is_said_again_and_again(there):
    async def test():
        said = settings(there, topic="silent/em", silent_after_seconds=0.3, client_id="silent")
        async with listening(build(said, context())) as heard:
            await heard.until(lambda h: len(h.notes) >= 3)
        assert heard.notes[-1] == "nothing was heard of it"

    run(test(), 60)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"password": "wrong"}, "refused user 'loadstone': are user and password right?"),
        ({"user": None, "password": None}, "refused a client without a user: are user and password right?"),
        ({"tls": {}}, "does not answer|no TLS with|was lost"),
    ],
)
@pytest.mark.parametrize("version", [5, "3.1.1"])
def test_a_broker_that_refuses(there, wrong, told, version):
    async def test():
        said = settings(there, topic="no/em", silent_after_seconds=0.3, client_id="no", mqtt_version=version, **wrong)
        async with listening(build(said, context())) as heard:
            import re

            await heard.until(lambda h: any(re.search(told, note) for note in h.notes))

    run(test(), 60)


def test_a_broker_that_is_not_there(tmp_path):
    async def test():
        away = Mosquitto(tmp_path, port=free_port())
        async with listening(build(settings(away, topic="t", silent_after_seconds=0.3), context())) as heard:
            await heard.until(lambda h: any("refused the connection: is the broker on" in note for note in h.notes))

    run(test(), 60)


@pytest.mark.parametrize("version", [5, "3.1.1"])
def test_a_collector_that_was_away_loses_nothing_and_all_of_it_has_its_time(there, version):
    async def test():
        began = datetime.now(UTC) - timedelta(hours=1)
        topic = f"away/{version}/em"
        said = settings(
            there,
            topic=topic,
            time={"path": "t"},
            client_id=f"away-{version}",
            mqtt_version=version,
            together_seconds=0,
        )

        async def publish(minute: int) -> None:
            at = (began + timedelta(minutes=minute)).isoformat()
            await there.publish(topic, json.dumps({"t": at, "power": 60_000, "energy": {"total": minute * 1000.0}}))

        async with listening(build(said, context())) as first:
            await connected(first)
            await publish(0)
            await first.until(lambda h: h.good)
        for minute in (1, 2, 3):  # nobody listens, the broker keeps them
            await publish(minute)
        async with listening(build(said, context())) as second:
            await second.until(lambda h: len(h.good) >= 3)
            await publish(4)
            await second.until(lambda h: len(h.good) >= 4)
        assert [r.import_kwh for r in first.good] == [0.0]
        assert [(r.import_kwh, r.taken_at) for r in second.good] == [
            (float(m), began + timedelta(minutes=m)) for m in (1, 2, 3, 4)
        ]

    run(test(), 60)


def test_without_a_time_of_its_own_nothing_old_is_heard(there):
    """What waited at the broker would all be of the moment in which it comes: a jump that never was."""

    async def test():
        said = settings(there, topic="live/em", client_id="live", silent_after_seconds=0.5)
        async with listening(build(said, context())) as first:
            await connected(first)
        await there.publish("live/em", '{"power": 1, "energy": {"total": 1}}')
        async with listening(build(said, context())) as second:
            await connected(second)
            await second.until(lambda h: h.notes)
        assert second.good == []

    run(test(), 60)


def test_a_broker_that_starts_again(tmp_path):
    async def test():
        with mosquitto(tmp_path) as there:
            said = [settings(there, topic=f"again/{i}", client_id="again", silent_after_seconds=0.5) for i in (1, 2)]
            made = [build(one, context()) for one in said]
            async with listening(made[0]) as one, listening(made[1]) as two:
                await connected(one)
                await connected(two)
                assert made[0]._source._connection is made[1]._source._connection  # one client for both
                there.stop(killed=True)
                await one.until(lambda h: any("again" in n or "refused the connection" in n for n in h.notes))
                there.start()
                await connected(one)
                for i, heard in ((1, one), (2, two)):
                    await there.publish(f"again/{i}", '{"power": 1000, "energy": {"total": 7000}}')
                    await heard.until(lambda h: h.good)

    run(test(), 90)


def test_tls_with_certificates_of_both_sides(tmp_path):
    async def test():
        with mosquitto(tmp_path, tls=True) as there:
            tls = {"ca_file": "ca.pem", "cert_file": "client.pem"}
            said = settings(there, topic="tls/em", tls=tls)
            async with listening(build(said, context(folder=str(tmp_path)))) as heard:
                await connected(heard)
                await there.publish("tls/em", '{"power": 1000, "energy": {"total": 7000}}')
                await heard.until(lambda h: h.good)
            trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
            for wrong, told in (
                ({"ca_file": "other.pem", "cert_file": "client.pem"}, "is not trusted"),
                ({"ca_file": "missing.pem"}, "there is no file"),
                ({"ca_file": "ca.pem"}, "lost|does not answer|no TLS"),  # it asks for a certificate of ours
            ):
                bad = settings(there, topic="tls/em", tls=wrong, silent_after_seconds=0.3, client_id="bad")
                async with listening(build(bad, context(folder=str(tmp_path)))) as heard:
                    import re

                    await heard.until(lambda h, told=told: any(re.search(told, note) for note in h.notes))

    run(test(), 120)


def test_a_topic_that_may_not_be_read_is_said(tmp_path):
    async def test():
        rights = tmp_path / "rights"
        rights.write_text(f"user {USER}\ntopic read allowed/#\ntopic write #\n")
        with mosquitto(tmp_path, extra=f"acl_file {rights}") as there:
            quantities = {
                "power": {"topic": "allowed/p", "unit": "W"},
                "total_import": {"topic": "other/e", "unit": "Wh"},
            }
            said = settings(there, payload="raw", quantities=quantities, silent_after_seconds=0.3)
            async with listening(build(said, context())) as heard:
                await heard.until(lambda h: any("other/e" in note or "nothing was heard" in note for note in h.notes))
                await there.publish("allowed/p", "1000")
                await heard.until(lambda h: h.good)

    run(test(), 60)


def test_a_message_is_acknowledged_when_its_reading_is_kept(there):
    """Through the collector: what the store did not take, the broker still has."""

    class Full(Exception):
        pass

    async def test():
        said = settings(there, topic="safe/em", time={"path": "t"}, client_id="safe", together_seconds=0)
        tried: list[float | None] = []
        kept: list[float | None] = []

        def full(readings: Any) -> None:
            tried.extend(r.import_kwh for r in readings)
            raise Full

        async def collecting(sink: Any, enough: Any) -> None:
            listener = build(said, context())
            collector = Collector([of_kind(listener, 1.0)], sink, SystemClock(), batch_seconds=0.05, flush_seconds=0.5)
            running = asyncio.create_task(collector.run())
            await until(lambda: listener._source.trouble == "", 20)
            if sink is full:
                for minutes_ago in (3, 2):
                    at = (datetime.now(UTC) - timedelta(minutes=minutes_ago)).isoformat()
                    await there.publish(
                        "safe/em", json.dumps({"t": at, "energy": {"total": 1000 * (10 - minutes_ago)}})
                    )
            await until(enough, 20)
            collector.stop()
            await running

        await collecting(full, lambda: tried)
        await collecting(lambda readings: kept.extend(r.import_kwh for r in readings), lambda: len(kept) == 2)
        assert kept == [7.0, 8.0]
        async with listening(build(said, context())) as heard:  # now the broker has nothing left
            await connected(heard)
            await there.publish("safe/em", json.dumps({"t": datetime.now(UTC).isoformat(), "energy": {"total": 9000}}))
            await heard.until(lambda h: h.good)
        assert [r.import_kwh for r in heard.good] == [9.0]

    run(test(), 90)


def test_who_only_has_a_look_takes_nothing_away(there):
    """`loadstone doctor` beside a running collector: the broker lets both in, and keeps for the collector what it kept."""

    async def test():
        said = settings(there, topic="look/em", time={"path": "t"}, client_id="look", together_seconds=0)

        async def publish(kwh: int) -> None:
            at = (datetime.now(UTC) - timedelta(minutes=10 - kwh)).isoformat()
            await there.publish("look/em", json.dumps({"t": at, "energy": {"total": 1000 * kwh}}))

        async with listening(build(said, context())) as first:
            await connected(first)
            async with listening(build(said, context()), keeping=False) as look:
                await connected(look)
                await publish(1)
                await look.until(lambda h: h.good)
                await first.until(lambda h: h.good)
        await publish(2)
        async with listening(build(said, context()), keeping=False) as look:
            await connected(look)
        async with listening(build(said, context())) as again:
            await again.until(lambda h: h.good)
        assert [r.import_kwh for r in again.good] == [2.0]
        assert look.readings == []

    run(test(), 60)


def test_the_doctor_says_why_nothing_is_heard(there, monkeypatch):
    monkeypatch.setattr(checkup, "METER_SECONDS", 2.0)

    async def found(**said: Any) -> checkup.Finding:
        options = settings(there, topic="doctor/em", **said)
        one = MeterSettings(meter=meter(), kind="mqtt", options=options)
        return await checkup._meter(one, context(), SimpleNamespace(twin=None))

    async def test():
        wrong, silent = await asyncio.gather(found(password="wrong"), found())
        assert "are user and password right?" in wrong.says
        assert silent.says == "it said nothing within 2 s; it may speak less often"

    run(test(), 60)
