"""The scan names the table of a device, or one of the same layout, by what it says of itself or by physics alone."""

import asyncio

import pytest

from meters.modbus import shifted
from meters.profile import load, names
from meters.scan.candidates import candidates, judged_as, ranked, twins
from meters.scan.physics import Expected
from tests.meters.scan.plant import Device, same_layout

TABLES = {name: load(name) for name in names() if name != "generic"}


def by_physics(device: Device) -> tuple[str, tuple[str, ...], int]:
    """(the table that fits best, those that fit as well, how many questions it took)."""

    async def search() -> tuple[str, tuple[str, ...]]:
        unit = device.unit()
        found, first = await candidates(unit, TABLES, Expected())
        taken = [first]
        for _ in range(3):
            device.wait(20)
            taken.append(await unit.take(one.profile for one in found[:3]))
        best, *others = ranked([judged_as(one.name, one.profile, taken, Expected()) for one in found[:3]])
        return best.name, twins(best, others)

    best, others = asyncio.run(search())
    return best, others, device.asked


@pytest.mark.parametrize("name", TABLES)
def test_the_table_of_a_device_is_found_by_its_values(name):
    best, others, asked = by_physics(Device(TABLES[name]))
    assert best == name or same_layout(TABLES[best], TABLES[name]), (best, others)
    assert asked <= 400


@pytest.mark.parametrize("name", ["eastron-sdm630", "siemens-pac", "janitza-umg96"])
def test_a_device_with_its_words_the_other_way_round_is_still_recognised(name):
    """No table fits as it is; the one that fits with a usual mistake mended is named, not one that says little."""
    best, others, _ = by_physics(Device(TABLES[name].model_copy(update={"word_order": "low first"})))
    assert best == name or same_layout(TABLES[best], TABLES[name]), (best, others)


def test_a_device_that_counts_its_registers_one_higher_is_still_recognised():
    device = Device(shifted(TABLES["janitza-umg96"], 1))
    best, others, asked = by_physics(device)
    assert best == "janitza-umg96" or same_layout(TABLES[best], TABLES["janitza-umg96"]), (best, others)
    assert asked <= 400
