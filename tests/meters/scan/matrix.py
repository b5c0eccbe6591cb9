"""The mistakes of the field, planted one by one in the meters of all tables: does the first fix mend them?

`python -m tests.meters.scan.matrix` prints the table of figures."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from energy.model.commissioning import Fix
from energy.model.meter import Measures
from meters.modbus import Settings, shifted
from meters.profile import Profile, load, names
from meters.quantities import KINDS
from meters.registers import RegisterType
from meters.scan.fixes import fixes
from meters.scan.look import looked
from meters.scan.physics import Expected
from meters.scan.reading import How, Taken
from tests.meters.scan.plant import NOON, Device, Load, load_for

POLLS, SECONDS = 4, 200.0  # ten minutes: the coarsest counters step by 1 kWh
MACHINE = Expected(connection_kw=160.0, measures=Measures.MACHINE)


def known_of(table: Profile) -> Expected:
    """What whoever commissions such a device knows of its place."""
    measures = {"inverter": Measures.PV, "battery": Measures.BATTERY, "grid meter": Measures.GRID}
    return replace(MACHINE, measures=measures.get(table.family, Measures.MACHINE))


@dataclass(frozen=True, kw_only=True)
class Planted:
    """A mistake: the device as it really is, and how config.yaml says it (by its table, with these settings)."""

    name: str
    device: Device
    config: dict[str, object] = field(default_factory=dict)
    expected: Expected | None = None
    words: str = ""  # in the fix, where no setting mends it


def scaled(profile: Profile, kinds: tuple[str, ...], factor: float) -> Profile:
    """A device that says some quantities in other steps than its table."""
    registers = {
        name: register.model_copy(update={"scale": tuple(s * factor for s in register.scale), "between": None})
        if KINDS[name] in kinds
        else register
        for name, register in profile.registers.items()
    }
    return profile.model_copy(update={"registers": registers})


def has(profile: Profile, *kinds: str) -> bool:
    return all(any(KINDS[name] == kind for name in profile.registers) for kind in kinds)


def planted(name: str) -> Iterator[Planted]:
    """The mistakes that can be made with a table."""
    table = load(name)
    right = Device(table)
    wide = any(r.type not in (RegisterType.U16, RegisterType.S16) for r in table.registers.values())
    other = "high first" if table.low_word_first else "low first"
    if wide:
        yield Planted(name="word order", device=right, config={"word_order": other})
    yield Planted(name="function code", device=right, config={"function_code": 7 - table.function_code})
    for step in (1, -1):
        try:
            yield Planted(name=f"address {step:+d}", device=Device(shifted(table, step)))
        except Exception:
            continue
    for kinds, factor in (
        (("voltage",), 0.1),
        (("current",), 0.1),
        (("current",), 100.0),
        (("power",), 1000.0),
        (("power",), 0.001),
        (("power",), 0.1),
        (("energy",), 10.0),
        (("energy",), 0.001),
        (("frequency",), 0.1),
    ):
        if has(table, *kinds) and (kinds == ("voltage",) or kinds == ("frequency",) or has(table, "power")):
            yield Planted(name=f"{kinds[0]} ×{1 / factor:g}", device=Device(scaled(table, kinds, factor)))
    if has(table, "current", "voltage", "power"):
        yield Planted(name="current behind 250/5 A", device=Device(scaled(table, ("current",), 50.0)))
    if has(table, "energy", "power"):
        yield Planted(name="counter behind 250/5 A", device=Device(scaled(table, ("energy",), 50.0)))
    if has(table, "power"):
        yield from _whole_ct(table)
        yield from _signs(table)
    if {"power_l1", "power_l2", "power_l3", "voltage_l1", "current_l1"} <= table.registers.keys():
        for phase in (1, 2, 3):
            words = f"transformer of L{phase} is turned round"
            yield Planted(name=f"L{phase} turned round", device=Device(table, Load(turned=(phase,))), words=words)
        words = "L1 and L2 have changed places"
        yield Planted(name="L1 and L2 exchanged", device=Device(table, Load(seats=(2, 1, 3))), words=words)


def _whole_ct(table: Profile) -> Iterator[Planted]:
    """Transformers of 200/5 A of which the meter knows nothing, or that config.yaml applies once more."""
    through = ("power", "current", "energy", "reactive", "apparent")
    kw = load_for(table).values()["power"]
    behind = Device(scaled(table, through, 40.0))
    yield Planted(
        name="ct_ratio forgotten, display read", device=behind, expected=replace(known_of(table), display_kw=kw)
    )
    yield Planted(name="ct_ratio applied twice", device=Device(table), config={"ct_ratio": 40.0})


def _signs(table: Profile) -> Iterator[Planted]:
    def turned(said: dict[str, float]) -> dict[str, float]:
        return {n: -v if KINDS.get(n) in ("power", "reactive") else v for n, v in said.items()}

    def inverted(said: dict[str, float]) -> dict[str, float]:
        swap = {"total_import": "total_export", "total_export": "total_import"}
        return {swap.get(n, n): v for n, v in turned(said).items()}

    def swapped(said: dict[str, float]) -> dict[str, float]:
        return inverted(turned(said))

    if all(
        r.type not in (RegisterType.U16, RegisterType.U32, RegisterType.U64)
        for n, r in table.registers.items()
        if KINDS[n] == "power"
    ):
        yield Planted(name="power with the other sign", device=Device(table, wrong=turned))
        if {"total_import", "total_export"} <= table.registers.keys():
            yield Planted(name="all transformers turned", device=Device(table, wrong=inverted))
    if {"total_import", "total_export"} <= table.registers.keys():
        yield Planted(name="counters exchanged", device=Device(table, wrong=swapped))


@dataclass(frozen=True, kw_only=True)
class Outcome:
    profile: str
    mistake: str
    seen: bool  # a check failed
    first: bool  # the first fix mends it
    among: bool  # one of the fixes does
    said: tuple[str, ...]
    open: int  # checks that could not be made


def tried(name: str, mistake: Planted) -> Outcome:
    """One mistake, from the wire to the first fix."""
    device = mistake.device
    expected = mistake.expected or known_of(device.profile)
    settings = Settings.model_validate({"host": "x", "profile": name, **mistake.config})
    how = How(profile=settings.table(), ct_ratio=settings.ct_ratio, invert=settings.invert)
    before: list[Taken] = []
    for _ in range(POLLS):
        made, taken = asyncio.run(looked(device.unit(), how, expected, before))
        before.append(taken)
        device.wait(SECONDS)
    found = fixes(made, before, expected)
    mends = [mended(name, mistake, fix, before) for fix in found]
    return Outcome(
        profile=name,
        mistake=mistake.name,
        seen=bool(made.failed) or not made.polls[-1].values,
        first=bool(mends) and mends[0],
        among=any(mends),
        said=tuple(fix.said for fix in found),
        open=sum(check.ok is None for check in made.checks),
    )


def mended(name: str, mistake: Planted, fix: Fix, taken: list[Taken]) -> bool:
    """Whether the lines of a fix, put into the config, read the truth out of the registers."""
    if mistake.words:
        return mistake.words in fix.said and not fix.settings
    said = {"host": "x", "profile": name, **mistake.config, **dict(fix.settings)}
    settings = Settings.model_validate(said)
    how = How(profile=settings.table(), ct_ratio=settings.ct_ratio, invert=settings.invert)
    return reads_truth(how, mistake.device, taken)


def reads_truth(how: How, device: Device, taken: list[Taken]) -> bool:
    """Whether what is read is what flows, as far as the steps of the registers let it be known."""
    said = how.polls(taken)[-1].values
    truth = device.flows.values((taken[-1].at - NOON).total_seconds() / 3600)
    grain = how.grain(said)

    def right(name: str) -> bool:
        one, two = said.get(name, 0.0), truth[name]
        if name in SIGNLESS:
            one, two = abs(one), abs(two)
        return name in said and abs(one - two) <= 0.01 * abs(two) + grain.get(name, 0.0) + 0.01

    return all(right(name) for name in how.profile.registers if name in truth)


SIGNLESS = ("power_factor", "power_factor_l1", "power_factor_l2", "power_factor_l3", "reactive_power", "apparent_power")


def possible(name: str, mistake: Planted) -> bool:
    """Whether the registers of the device can hold what it should say (32 bits of a hundredth of a watt cannot), and
    whether it is read wrongly at all (a table may find the right one of two scales by itself)."""
    device = mistake.device
    try:
        taken = [Taken(at=NOON, words=device.words())]
    except ValueError:
        return False
    plain = device.wrong is None and not device.flows.turned and device.flows.seats == (1, 2, 3)
    if plain and not reads_truth(How(profile=device.profile), device, taken):
        return False
    said = Settings.model_validate({"host": "x", "profile": name, **mistake.config})
    how = How(profile=said.table(), ct_ratio=said.ct_ratio, invert=said.invert)
    return bool(mistake.words) or not reads_truth(how, device, taken)


def outcomes(of: Callable[[str], bool] = lambda _: True) -> list[Outcome]:
    return [
        tried(name, mistake)
        for name in names()
        if name != "generic" and of(name)
        for mistake in planted(name)
        if possible(name, mistake)
    ]


def main() -> None:
    made = outcomes()
    mistakes = list(dict.fromkeys(one.mistake for one in made))
    print("| planted mistake | meters | seen | first fix right | among the fixes |\n|---|---|---|---|---|")
    for mistake in [*mistakes, "all"]:
        rows = [one for one in made if mistake in (one.mistake, "all")]
        counts = (len(rows), sum(r.seen for r in rows), sum(r.first for r in rows), sum(r.among for r in rows))
        print(f"| {mistake} | {' | '.join(str(count) for count in counts)} |")
    for row in made:
        if not row.first:
            print(
                f"\n{row.profile}, {row.mistake}: seen {row.seen}, open {row.open}, among {row.among}\n  "
                + "\n  ".join(row.said or ("no fix",))
            )


if __name__ == "__main__":
    main()
