"""The path language, and times as messages say them."""

from datetime import UTC, datetime, timedelta

import pytest

from meters.moments import NoTimeError, moment
from meters.mqtt.broker import matches
from meters.mqtt.path import find, parse

DATA = {
    "power": 1,
    "ENERGY": {"Total": 2},
    "phases": [{"p": 3}, {"p": 4}],
    "a.b": {"c[0]": 5},
    "meters": [{"id": 7, "kwh": 6}, {"id": "x y", "kwh": 7}, "odd"],
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("power", 1),
        ("ENERGY.Total", 2),
        ("phases[1].p", 4),
        ("phases[-1].p", 4),
        ('["a.b"]["c[0]"]', 5),
        ("meters[id=7].kwh", 6),
        ("meters[id=x y].kwh", 7),
        ("meters[id=8].kwh", None),
        ("phases[2].p", None),
        ("power.more", None),
        ("power[0]", None),
        ("nothing", None),
        ("", DATA),
    ],
)
def test_what_stands_there(path, value):
    assert find(DATA, path) == value


@pytest.mark.parametrize("path", ["a..b", "a[", "a[x]", ".a.", 'a["b', "a]"])
def test_a_path_that_cannot_be_read(path):
    with pytest.raises(ValueError, match="cannot be read from"):
        parse(path)


@pytest.mark.parametrize(
    ("filter", "topic", "yes"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/b/c", False),
        ("a/+/c", "a/b/c", True),
        ("a/+", "a/b/c", False),
        ("a/#", "a/b/c", True),
        ("a/#", "a", True),
        ("#", "$SYS/uptime", False),
        ("+/b", "/b", True),
    ],
)
def test_which_topics_a_filter_names(filter, topic, yes):
    assert matches(topic, filter) is yes


NOW = datetime(2026, 10, 25, 0, 45, tzinfo=UTC)  # 02:45 summer time in Berlin; the hour comes again


@pytest.mark.parametrize(
    ("said", "format", "now", "at"),
    [
        ("2026-10-25T00:30:00Z", "iso", NOW, NOW - timedelta(minutes=15)),
        ("2026-10-25T02:30:00+02:00", "iso", NOW, NOW - timedelta(minutes=15)),
        ("2026-10-25T02:30:00", "iso", NOW, NOW - timedelta(minutes=15)),  # the first of the two hours
        ("2026-10-25T02:30:00", "iso", NOW + timedelta(hours=1), NOW + timedelta(minutes=45)),  # the second
        (1792888200, "epoch s", NOW, NOW - timedelta(minutes=15)),
        ("1792888200", "epoch s", NOW, NOW - timedelta(minutes=15)),
        (1792888200000, "epoch ms", NOW, NOW - timedelta(minutes=15)),
    ],
)
def test_the_moment_of_a_message(said, format, now, at):
    assert moment(said, format, "Europe/Berlin", now) == at


@pytest.mark.parametrize(
    ("said", "format", "told"),
    [
        (None, "iso", "no ISO time"),
        ("yesterday", "iso", "no ISO time"),
        ("0001-01-01T00:00:00+14:00", "iso", "beyond all calendars"),
        (True, "epoch s", "no time since 1970"),
        (1792888200000, "epoch s", "is it in s"),
        (12, "epoch s", "it was not set"),
        ("2026-10-25T01:00:00Z", "iso", "still to come"),
    ],
)
def test_a_time_that_cannot_be(said, format, told):
    with pytest.raises(NoTimeError, match=told):
        moment(said, format, "Europe/Berlin", NOW)
