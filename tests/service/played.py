"""The processes of the kill test that say what was acknowledged to them: in a file, on disk before they go on."""

import os
import runpy
import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

PLANNER, OWN = "kill test", "planted-"


class SideLog:
    """One line for each thing that was acknowledged. A line that was cut off by a kill was not written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if path.exists():
            os.truncate(path, len(path.read_bytes().rpartition(b"\n")[0]) + bool(self.lines(path)))
        self._file = path.open("a")

    def write(self, lines: Sequence[str]) -> None:
        self._file.write("".join(f"{line}\n" for line in lines))
        self._file.flush()
        os.fsync(self._file.fileno())

    @staticmethod
    def lines(path: Path) -> list[str]:
        return path.read_text().rpartition("\n")[0].split("\n") if path.exists() and "\n" in path.read_text() else []


def collect(config: Path, side: SideLog) -> None:
    """`loadstone collect`, with the readings written down once the store has taken them."""
    from collections.abc import Callable

    from energy.clock import Clock
    from energy.model.meter import Reading
    from meters import bus, collector, modbus_reader
    from meters.commands import collect as command

    class Acknowledged(collector.Collector):
        def __init__(
            self,
            meters: Sequence[collector.Polled],
            sink: Callable[[Sequence[Reading]], None],
            clock: Clock,
            **more: float,
        ) -> None:
            def keep(readings: Sequence[Reading]) -> None:
                sink(readings)
                side.write([f"{r.meter} {r.taken_at.isoformat()} {r.import_kwh!r}" for r in readings])

            super().__init__(meters, keep, clock, **more)  # type: ignore[arg-type]

    # The test has no time for half a minute before a meter is asked again.
    bus.LONGEST_PAUSE_SECONDS = modbus_reader.LONGEST_REST_SECONDS = 1.0
    collector.Collector = Acknowledged  # type: ignore[misc]
    command(["--config", str(config)], standalone_mode=False)


def decide(config: Path, side: SideLog) -> None:
    """A planner without rest: accepts what is offered, refuses what the test offers, clicks twice each time, and asks
    again where the answer did not come."""
    from energy.build import build_service
    from energy.model.proposal import Decision, DecisionKind, Offer, OfferState

    service = build_service(config)
    store, clock = service.house.store, service.house.clock
    said = SideLog.lines(side.path)

    def say(kind: DecisionKind, offer: Offer) -> None:
        decision = Decision(
            id=f"{kind}-{offer.id}",
            offer=offer.id,
            version=offer.version,
            kind=kind,
            by=PLANNER,
            role="planner",
            at=clock.now(),
        )
        if service.decide(decision).ok:
            side.write([decision.id])
            again = service.decide(decision)
            assert again.ok, again
            assert "already" in again.text, again

    number = 1 + max((int(line.rpartition("-")[2]) for line in said if OWN in line), default=0)
    while True:
        offers = store.offers.in_state(OfferState.OPEN, OfferState.ACCEPTED)
        for offer in (o for o in offers if not o.id.startswith(OWN)):
            if offer.state is OfferState.OPEN:
                say(DecisionKind.ACCEPT, offer)
            elif offer.number == 2:
                say(DecisionKind.WITHDRAW, offer)
        own = store.offers.get(f"{OWN}{number}") or store.offers.put(planted(number, clock.now()), clock.now())
        say(DecisionKind.REFUSE, own)
        number += 1
        time.sleep(0.1)


def planted(number: int, now):  # type: ignore[no-untyped-def]  # the nouns are imported late, as above
    """An offer that moves nothing."""
    from energy.model.proposal import Gain, Offer

    return Offer(
        id=f"{OWN}{number}",
        site="p",
        version=0,
        number=100 + number,
        shifts=(),
        requires=(),
        gain=Gain(energy=0.0),
        headline=f"planted {number}",
        reason="",
        slack_minutes=None,
        plan="",
        offered_at=now,
        expires_at=now + timedelta(days=9),
    )


def become(words: Sequence[str], out: str) -> None:
    """This process becomes `loadstone words…`, or one of the played ones; what it says goes into a file."""
    with Path(out).open("ab") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    played = {"played collector": collect, "played planner": decide}.get(words[0])
    if played is not None:
        played(Path(words[1]), SideLog(Path(words[2])))
        return
    sys.argv = ["loadstone", *words]
    runpy.run_module("energy.cli", run_name="__main__", alter_sys=True)
