"""Judge: what people say of what meters said. A doubted reading is released or rejected; a meter was replaced.

Nothing that was kept is changed: the word is kept beside it, with who, when and why, and the next `collect` restates the
intervals that it touches, as far back as raw readings are still kept.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from energy.errors import LoadstoneError
from energy.metering.belief import EXCHANGED_WITHIN, good_stands
from energy.model.horizon import Interval
from energy.model.meter import Exchange, Meter, Reading, Release
from energy.store import Store
from energy.store.store import JournalEntry

INSTANT = timedelta(microseconds=1)
COUNTERS = ("import_kwh", "export_kwh")


def release(store: Store, word: Release, *, until: datetime | None = None) -> str:
    """Keep what somebody says of a doubted reading, or of all that were doubted from then `until` a time. LoadstoneError
    where there is nothing to speak of, or nobody who speaks."""
    known_meter(store, word.meter)
    if not word.by.strip():
        raise LoadstoneError("say who releases or rejects it: a word without a name is not kept")
    last = word.taken_at if until is None else until
    if last < word.taken_at:
        raise LoadstoneError("the end lies before the beginning")
    doubted = store.readings.doubted(word.meter, Interval(word.taken_at, last + INSTANT))
    if not doubted:
        raise LoadstoneError(nothing_doubted(store, word, last))
    done = "released" if word.right else "rejected"
    with store.unit():
        for reading in doubted:
            store.releases.add(replace(word, taken_at=reading.taken_at))
        store.journal.write(
            JournalEntry(
                at=word.at,
                who=word.by,
                role=word.role,
                what=f"readings {done}",
                subject=word.meter,
                detail=f"{spoken(doubted)}: {word.why}" if word.why else spoken(doubted),
            )
        )
    count = "1 reading is" if len(doubted) == 1 else f"{len(doubted)} readings are"
    follows = "the intervals follow" if word.right else "never used"
    return f"{count} {done}; {follows}."


def exchange(store: Store, done: Exchange) -> str:
    """Keep that a meter was replaced. LoadstoneError where the stands cannot be; says what becomes of the energy."""
    meter = known_meter(store, done.meter)
    if meter.parts:
        parts = ", ".join(part.meter for part in meter.parts)
        raise LoadstoneError(
            f"{meter.id} is reckoned from others and has no counter: say which was replaced, of {parts}"
        )
    stands = (done.old_import_kwh, done.new_import_kwh, done.old_export_kwh, done.new_export_kwh)
    if any(stand is not None and not 0 <= stand < float("inf") for stand in stands):
        raise LoadstoneError("a counter stands at zero or above: look at the stands again")
    if done.at > done.reported_at:
        raise LoadstoneError(f"{done.at:%Y-%m-%d %H:%M} UTC is still to come: report an exchange when it is done")
    if not done.by.strip():
        raise LoadstoneError("say who replaced or reported it: an exchange without a name is not kept")
    with store.unit():
        if not store.exchanges.add(done):
            return "That exchange is known already."
        detail = ", ".join(
            f"{name} {format_stand(old)} → {format_stand(new)} kWh"
            for name, old, new in (("import", *stands[:2]), ("export", *stands[2:]))
            if old is not None or new is not None
        )
        store.journal.write(
            JournalEntry(
                at=done.reported_at,
                who=done.by,
                role="",
                what="meter exchanged",
                subject=done.meter,
                detail="; ".join(part for part in (detail or "no stands were written down", done.why) if part),
            )
        )
    return " ".join(consequences(store, meter, done))


def known_meter(store: Store, id: str) -> Meter:
    """The meter of an id. LoadstoneError names the known ones."""
    meters = {meter.id: meter for meter in store.meters()}
    if id not in meters:
        raise LoadstoneError(f"there is no meter {id!r}; known: {', '.join(meters) or 'none'}")
    return meters[id]


def nothing_doubted(store: Store, word: Release, last: datetime) -> str:
    """Why there is nothing to release, and where there would be."""
    near = store.readings.of(word.meter, Interval(word.taken_at, last + INSTANT))
    if near:
        return f"the reading of {word.meter} at {word.taken_at.isoformat()} is {near[0].quality}: only doubted ones are spoken of"
    day = timedelta(days=1)
    others = store.readings.doubted(word.meter, Interval(word.taken_at - day, last + day))
    closest = min(others, key=lambda one: abs(one.taken_at - word.taken_at), default=None)
    hint = f"; the doubted one next to it is of {closest.taken_at.isoformat()}" if closest else ""
    return f"{word.meter} has no reading of {word.taken_at.isoformat()}{hint}"


def spoken(doubted: list[Reading]) -> str:
    """Which readings are meant."""
    first, last = doubted[0].taken_at, doubted[-1].taken_at
    if first == last:
        return f"{first:%Y-%m-%d %H:%M:%S} UTC"
    return f"{len(doubted)} from {first:%Y-%m-%d %H:%M:%S} to {last:%Y-%m-%d %H:%M:%S} UTC"


def format_stand(kwh: float | None) -> str:
    return "unknown" if kwh is None else f"{kwh:.2f}"


def consequences(store: Store, meter: Meter, done: Exchange) -> list[str]:
    """What becomes of the energy across an exchange, by counter."""
    span = Interval(done.at - EXCHANGED_WITHIN, done.at + EXCHANGED_WITHIN)
    readings = store.readings.of(meter.id, span)
    if not any(reading.taken_at < done.at for reading in readings):
        return ["Noted. Raw readings of that time are no longer kept, so its intervals stay as they are."]
    others = [one for one in store.exchanges.of(meter.id, span) if one.at != done.at]
    told = []
    for counter in COUNTERS:
        unwritten = replace(done, old_import_kwh=None, new_import_kwh=None, old_export_kwh=None, new_export_kwh=None)
        cut, bridged = (
            len({stand.piece for stand in good_stands(readings, meter, counter, [*others, one])})
            for one in (unwritten, done)
        )
        if cut == 0:
            continue
        name = counter.removesuffix("_kwh")
        if bridged < cut:
            told.append(f"Noted: no {name} is lost across the exchange.")
        else:
            told.append(f"Noted: the {name} across the exchange stays unknown; the stands do not bridge the readings.")
    return told or ["Noted; its counters will tell when they come."]
