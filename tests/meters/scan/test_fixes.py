"""Planted mistakes: the first fix, put into the config, reads the truth out of the registers."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.profile import load, names
from meters.reads import planned_reads
from meters.scan.fixes import fixes, judged
from meters.scan.physics import Expected
from meters.scan.reading import How, Taken
from tests.meters.scan.matrix import outcomes
from tests.meters.scan.plant import IDLE, Device

# f32 high and low word first, s32, u32 with scales, s64 and f64 counters, kW beside Wh
TABLES = ("eastron-sdm630", "shelly-pro-3em", "carlo-gavazzi-em340", "lovato-dmg", "schneider-iem3000", "siemens-pac")
TOO_COARSE = {("carlo-gavazzi-em340", "counter behind 250/5 A")}  # ten minutes do not tell 50 from 60


@pytest.mark.parametrize("table", TABLES)
def test_the_first_fix_mends_each_planted_mistake(table):
    made = outcomes(lambda name: name == table)
    assert len(made) >= 20
    wrong = [(one.mistake, one.said) for one in made if not one.first and (table, one.mistake) not in TOO_COARSE]
    assert not wrong
    assert all(one.seen for one in made)


def test_two_mistakes_at_once():
    """Words in the other order, and the currents told behind their transformers."""
    table = load("eastron-sdm630")
    changed = {
        n: r.model_copy(update={"scale": (40.0,)}) if n.startswith("current") else r for n, r in table.registers.items()
    }
    device = Device(table.model_copy(update={"registers": changed, "word_order": "low first"}))
    taken = []
    for _ in range(3):
        taken.append(Taken(at=device.clock.now(), words=device.words()))
        device.wait(20)
    made = judged(How(profile=table), taken, Expected())
    first = fixes(made, taken, Expected())[0]
    assert dict(first.settings)["word_order"] == "low first"
    assert dict(first.settings)["registers"]["current_l1"]["scale"] == 40.0
    assert first.score == 1.0


@settings(max_examples=40, derandomize=True, deadline=None)
@given(
    table=st.sampled_from(names()),
    words=st.lists(st.integers(0, 0xFFFF), min_size=40, max_size=40),
    other=st.lists(st.integers(0, 0xFFFF), min_size=40, max_size=40),
)
def test_whatever_lies_in_the_registers_is_judged(table, words, other):
    """Registers full of anything: sentinels, NaN, numbers without measure. It is called wrong or open, never a crash."""
    profile = load(table)
    places = [(code, at) for code, batch in planned_reads(profile) for at in range(batch.start, batch.end)]
    device = Device(profile)
    taken = []
    for said in (words, other):
        taken.append(Taken(at=device.clock.now(), words={at: said[n % 40] for n, at in enumerate(places)}))
        device.wait(20)
    made = judged(How(profile=profile), taken, Expected())
    assert all(0 <= fix.score <= 1 for fix in fixes(made, taken, Expected()))


def test_where_nothing_flows_nothing_is_proposed():
    device = Device(load("eastron-sdm630"), IDLE)
    taken = [Taken(at=device.clock.now(), words=device.words())]
    made = judged(How(profile=device.profile), taken, Expected())
    assert not made.failed
    assert fixes(made, taken, Expected()) == ()
