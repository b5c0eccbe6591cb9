"""From the difference of two plans to bundles: sets of load shifts that are accepted or refused together.

If A's new slot is where B stands, accepting A requires accepting B; two that swap require each other and are one bundle.
The bundles are the strongly connected parts of this "requires" graph. Equal jobs that trade places are no shift; shifts
that lower a peak only together are one bundle.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from energy.model.plan import How, HowFound, LineKind, Plan
from energy.model.problem import Placement, Problem, ProblemJob
from energy.model.proposal import Gain
from energy.planning.gain_risk import Change, gain_between, told_gain
from energy.planning.price import price_plan

Places = dict[str, Placement]
PEAK_PARTNERS_FROM = (
    1.0  # currency: a joint peak gain this much above the sum of the single ones binds bundles together
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bundle:
    """Jobs that move together, the bundles (by index) that must be accepted first, and the marginal gain in the order
    of the offer, with what it changes at the meter."""

    jobs: tuple[str, ...]
    requires: tuple[int, ...]
    gain: Gain
    change: Change


def places_of(problem: Problem) -> Places:
    """Where the plan in force has each job."""
    return {job.id: job.in_force for job in problem.jobs}


def moved(problem: Problem, plan: Plan) -> Places:
    """The new places of the jobs that the plan moves, after equal jobs that merely trade places were put back. Another
    power alone moves nobody, and neither does being left out."""
    jobs = {job.id: job for job in problem.jobs}
    new = trade_back(problem, {p.job: p for p in plan.placements})
    return {id: place for id, place in new.items() if jobs[id].is_moved(place, jobs[id].in_force)}


def signature(job: ProblemJob) -> tuple[object, ...]:
    """What makes two jobs the same to the plant: ways to run, limits, order, crew, family and what flows."""
    window = (job.earliest, job.latest_start, job.due, job.must_end)
    beside = (job.after, job.needs, job.family, job.flows)
    return (job.options, window, job.priority, job.value, beside, job.fixed is None)


def trade_back(problem: Problem, new: Places) -> Places:
    """Equal jobs keep their own old places wherever their group as a whole uses those places."""
    placed = dict(new)
    needed_by = {p.job for job in problem.jobs for p in job.after} | together(problem)
    groups: dict[tuple[object, ...], list[ProblemJob]] = {}
    for job in problem.jobs:
        if job.id not in needed_by and job.id in new:
            groups.setdefault(signature(job), []).append(job)
    for group in groups.values():
        if len(group) < 2:
            continue
        taken = {spot(new[j.id]): j.id for j in group}
        if len(taken) < len(group):
            continue
        owners = {spot(j.in_force): j.id for j in group}
        free = [s for s in taken if s not in owners]
        homeless = [j for j in group if spot(j.in_force) not in taken]
        if len(free) != len(homeless):
            continue
        for job in group:
            if (there := taken.get(spot(job.in_force))) is not None:
                placed[job.id] = replace(new[there], job=job.id)
        ordered = sorted(free, key=lambda s: (s[1], s[0]))
        for job, free_spot in zip(sorted(homeless, key=lambda j: (j.in_force.start, j.id)), ordered, strict=True):
            placed[job.id] = replace(new[taken[free_spot]], job=job.id)
    return placed


def together(problem: Problem) -> set[str]:
    """The jobs that are not like any other, since a rule names them: for an order, in a row, as a piece at a stage."""
    return {
        *(peg.job for order in problem.orders for peg in order.pegs),
        *(id for rule in problem.recurring for id in rule.jobs),
        *(id for same in problem.same_order for piece in same.pieces for id in piece),
    }


def spot(place: Placement) -> tuple[str, int, str]:
    return (place.machine, place.start, place.mode)


def requires(problem: Problem, new: Places) -> dict[str, set[str]]:
    """job → the moved jobs without which its new place is none: they stand in its way, on the machine or in the order of
    jobs, or they fill the batch that it is in."""
    old = places_of(problem)
    jobs = {job.id: job for job in problem.jobs}
    alone = {machine.id for machine in problem.machines if machine.capacity == 1 and machine.batch is None}
    batching = {machine.id for machine in problem.machines if machine.batch is not None}
    graph: dict[str, set[str]] = {id: set() for id in new}
    for mates in batch_mates(problem, new):
        for id in mates:
            graph[id] |= mates - {id}
    for id, place in new.items():
        for other in new:
            if other == id:
                continue
            there = place.machine == old[other].machine and (
                place.machine in alone or (place.machine in batching and spot(place) != spot(old[other]))
            )
            if there and overlap(jobs[id], place, jobs[other], old[other]):
                graph[id].add(other)
            if breaks_order(jobs[id], place, jobs[other], old[other]) or breaks_order(
                jobs[other], old[other], jobs[id], place
            ):
                graph[id].add(other)
    return graph


def batch_mates(problem: Problem, new: Places) -> list[set[str]]:
    """Moved jobs that come into one batch, or leave one, which not any one of them fills with those who stay in it."""
    least = {machine.id: machine.batch.least_fill for machine in problem.machines if machine.batch is not None}
    found = []
    for places in (new, {id: place for id, place in places_of(problem).items() if id in new}):
        groups: dict[tuple[str, int, str], set[str]] = {}
        for id, place in places.items():
            if place.machine in least:
                groups.setdefault(spot(place), set()).add(id)
        for there, mates in groups.items():
            staying = [job for job in problem.jobs if job.id not in new and spot(job.in_force) == there]
            filled = sum(job.option(there[0], there[2]).quantity for job in staying)
            fewest = min(job.option(there[0], there[2]).quantity for job in problem.jobs if job.id in mates)
            if len(mates) > 1 and filled + fewest < least[there[0]]:
                found.append(mates)
    return found


def overlap(a: ProblemJob, at: Placement, b: ProblemJob, there: Placement) -> bool:
    """Whether two jobs at two places are on at the same time."""
    if at.start >= b.end(there) or there.start >= a.end(at):
        return False
    return not set(a.busy(at)).isdisjoint(b.busy(there))


def breaks_order(later: ProblemJob, at: Placement, earlier: ProblemJob, there: Placement) -> bool:
    """Whether a job at a place breaks its lags after an earlier one at its place."""
    end = earlier.end(there)
    return any(
        p.job == earlier.id
        and (at.start < end + p.min_slots or (p.max_slots is not None and at.start > end + p.max_slots))
        for p in later.after
    )


def strong_parts(graph: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """The strongly connected parts of a graph, each after the parts that it points to (Tarjan 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on: set[str] = set()
    parts: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        on.add(node)
        for next_node in sorted(graph[node]):
            if next_node not in index:
                visit(next_node)
                low[node] = min(low[node], low[next_node])
            elif next_node in on:
                low[node] = min(low[node], index[next_node])
        if low[node] == index[node]:
            part = []
            while True:
                top = stack.pop()
                on.discard(top)
                part.append(top)
                if top == node:
                    break
            parts.append(sorted(part))

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return parts


def with_places(problem: Problem, new: Places, jobs: Iterable[str]) -> Places:
    """The plan in force with some jobs at their new places."""
    placed = places_of(problem)
    placed.update({id: new[id] for id in jobs})
    return placed


def priced(problem: Problem, places: Mapping[str, Placement]) -> Plan:
    """Given places, priced; the battery follows its rule (one that Loadstone steers rests)."""
    return price_plan(problem, [places[j.id] for j in problem.jobs], how=How(found=HowFound.AS_GIVEN))


def bundles(problem: Problem, plan: Plan) -> list[Bundle]:
    """The bundles of a plan in the order of the offer, best first, each after what it requires. Their gains add up to
    the gain of the whole."""
    new = moved(problem, plan)
    if not new:
        return []
    graph = requires(problem, new)
    parts = strong_parts(graph)
    parts = join_peak_partners(problem, new, graph, parts)
    return ordered(problem, new, graph, parts)


def closure(graph: Mapping[str, set[str]], jobs: Iterable[str]) -> set[str]:
    """The jobs and all that they require, directly or through others."""
    closed: set[str] = set()
    todo = list(jobs)
    while todo:
        job = todo.pop()
        if job not in closed:
            closed.add(job)
            todo.extend(graph[job])
    return closed


def join_peak_partners(
    problem: Problem, new: Places, graph: dict[str, set[str]], parts: list[list[str]]
) -> list[list[str]]:
    """Bind parts together that lower a demand charge only together: leaving one out loses more than it gains alone."""
    if not problem.demand or len(parts) < 2:
        return parts

    def cost(jobs: Iterable[str]) -> float:
        return priced(problem, with_places(problem, new, jobs)).bill.amount(LineKind.DEMAND)

    none, every = cost([]), cost(new)
    if none - every <= PEAK_PARTNERS_FROM:
        return parts
    partners: list[int] = []
    for number, part in enumerate(parts):
        alone = none - cost(closure(graph, part))
        dependents = {j for j in new if closure(graph, [j]) & set(part)}
        loss = cost(set(new) - dependents) - every
        if loss > alone + PEAK_PARTNERS_FROM:
            partners.append(number)
    if len(partners) < 2:
        return parts
    joined = sorted(j for n in partners for j in parts[n])
    for job in joined:
        graph[job] |= set(joined) - {job}
    return strong_parts(graph)


def ordered(
    problem: Problem, new: Places, graph: Mapping[str, set[str]], parts: Sequence[Sequence[str]]
) -> list[Bundle]:
    """Best marginal gain first, a part never before what it requires."""
    part_of = {job: number for number, part in enumerate(parts) for job in part}
    needs = [{part_of[r] for job in part for r in graph[job]} - {number} for number, part in enumerate(parts)]
    done: list[int] = []
    result: list[Bundle] = []
    standing = priced(problem, places_of(problem))
    chosen: set[str] = set()
    while len(done) < len(parts):
        ready = [n for n in range(len(parts)) if n not in done and needs[n] <= set(done)]
        tried = []
        for number in ready:
            after = priced(problem, with_places(problem, new, chosen | set(parts[number])))
            too_good = gain_between(problem, standing, after).optimism
            tried.append((standing.bill.total - after.bill.total - too_good, -number, after))
        _, negative, after = max(tried, key=lambda t: (round(t[0], 6), t[1]))
        number = -negative
        result.append(
            Bundle(
                jobs=tuple(parts[number]),
                requires=tuple(sorted(done.index(n) for n in needs[number])),
                gain=told_gain(problem, standing, after),
                change=Change.between(problem, standing, after),
            )
        )
        done.append(number)
        chosen |= set(parts[number])
        standing = after
    return result


def worth_asking(found: Sequence[Bundle], least_gain: float) -> tuple[list[Bundle], list[Bundle]]:
    """The bundles worth a question, and those that are not.

    A bundle below the least gain that a better bundle requires only makes room for it: the two are offered as one (the
    first of them, where several require it; the others then require that one). One below it that nobody requires is left
    out, and with it nothing else, since none depends on it.
    """
    groups: list[list[int]] = [[n] for n in range(len(found))]
    home = list(range(len(found)))
    for number in reversed(range(len(found))):
        dependents = {home[m] for m in range(len(found)) if number in found[m].requires and home[m] != number}
        if sum_gain(found, groups[number]) < least_gain and dependents:
            into = min(dependents)
            groups[into] = [*groups[number], *groups[into]]
            for member in groups[number]:
                home[member] = into
            groups[number] = []
    kept_groups = [n for n, g in enumerate(groups) if g and sum_gain(found, g) >= least_gain]
    wanted = set(kept_groups)
    for n in reversed(kept_groups):
        wanted |= {home[r] for member in groups[n] for r in found[member].requires}
    order = [n for n in range(len(found)) if n in wanted and groups[n]]
    kept = [
        joined(
            found,
            groups[n],
            [order.index(h) for h in sorted({home[r] for m in groups[n] for r in found[m].requires} - {n})],
        )
        for n in order
    ]
    left = [found[n] for n, g in enumerate(groups) if g and n not in wanted]
    return kept, left


def sum_gain(found: Sequence[Bundle], members: Sequence[int]) -> float:
    return sum(found[m].gain.money for m in members)


def joined(found: Sequence[Bundle], members: Sequence[int], requires_: Sequence[int]) -> Bundle:
    """Several bundles as one; their marginal gains add up. So do P10 and P90: the prices of a day err together, and a
    band that is too wide flatters nobody."""
    gains = [found[m].gain for m in members]
    weights = [abs(g.energy) + 1e-9 for g in gains]
    lows, highs = [g.low for g in gains if g.low is not None], [g.high for g in gains if g.high is not None]
    banded = len(lows) == len(gains)
    return Bundle(
        jobs=tuple(j for m in members for j in found[m].jobs),
        requires=tuple(requires_),
        gain=Gain(
            energy=sum(g.energy for g in gains),
            export=sum(g.export for g in gains),
            peak=sum(g.peak for g in gains),
            other=sum(g.other for g in gains),
            carbon_kg=sum(g.carbon_kg for g in gains),
            peak_kw=sum(g.peak_kw for g in gains),
            low=sum(lows) if banded else None,
            high=sum(highs) if banded else None,
            forecast_share=sum(w * g.forecast_share for w, g in zip(weights, gains, strict=True)) / sum(weights),
            optimism=sum(g.optimism for g in gains),
        ),
        change=Change(
            import_kwh=np.sum([found[m].change.import_kwh for m in members], axis=0),
            export_kwh=np.sum([found[m].change.export_kwh for m in members], axis=0),
        ),
    )
