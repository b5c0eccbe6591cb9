"""How the meters hang together: what flows through each, what those below it explain, and what nobody explains."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

import streamlit as st

from dashboard import colours, parts
from dashboard import format as f
from dashboard.metering import where
from energy.clock import local_date
from energy.model.meter import Measures, Role
from energy.reports.pages import MetersPage
from energy.reports.tree import Node

SMALL_SHARE = 0.005  # of the meter above; less is not worth a line


@dataclass(frozen=True, kw_only=True)
class Branch:
    """A meter with those below it."""

    node: Node
    below: tuple["Branch", ...]


def branches(nodes: Sequence[Node], depth: int = 0) -> tuple[Branch, ...]:
    """The list of nodes, each before those below it, as branches; of brothers the largest first."""
    found = []
    starts = [place for place, node in enumerate(nodes) if node.depth == depth]
    for start, end in pairwise([*starts, len(nodes)]):
        found.append(Branch(node=nodes[start], below=branches(nodes[start + 1 : end], depth + 1)))
    if depth:
        found.sort(key=lambda branch: -abs(branch.node.net_kwh or 0.0))
    return tuple(found)


def show(page: MetersPage, inks: colours.Inks) -> None:
    today = local_date(page.header.now, page.header.zone)
    parts.section("How the meters hang together", f"· energy on {f.day(today)} so far, kWh")
    roots = branches(page.tree)
    hanging = [root for root in roots if root.below]
    if not hanging:
        parts.notice(
            "**Nothing hangs below another meter yet.** A meter of a machine hangs below the settlement meter by itself; "
            "`above: ID` in config.yaml hangs it below a feeder. From then on this page says what each one explains."
        )
    else:
        for node in page.tree:
            if node.over:
                parts.notice(too_much(node), level="warn")
        legend(inks)
    widest = max((widest_of(node) for node in page.tree), default=0.0) or 1.0
    rows = "".join(html for root in hanging for html in drawn(root, widest))
    alone = [root.node for root in roots if not root.below]
    if alone:
        rows += '<div class="tree-head">By themselves: what flows there is counted by others</div>' if hanging else ""
        rows += "".join(row(node, widest, depth=0) for node in alone)
    if rows:
        st.html(f'<div class="tree" role="table" aria-label="Meters as they hang, with their energy">{rows}</div>')


def legend(inks: colours.Inks) -> None:
    parts.legend(
        (
            "",
            [
                (parts.square(colours.MEASURED), "counted"),
                (parts.square(colours.PLAN), "explained by the meters below"),
                (parts.hatched(inks.page, inks.as_is), "explained by none"),
                (parts.square(colours.LIMIT), "counted below beyond what flows"),
                (parts.square(colours.PV), "generated"),
            ],
        )
    )


def widest_of(node: Node) -> float:
    return max(abs(node.net_kwh or 0.0), abs(node.below_kwh or 0.0))


def drawn(branch: Branch, widest: float) -> Iterator[str]:
    """A branch line by line: the meter, those below it, and what they leave."""
    node = branch.node
    yield row(node, widest, depth=node.depth)
    for child in branch.below:
        yield from drawn(child, widest)
    rest = node.unexplained_kwh
    if rest is not None and node.net_kwh and rest > SMALL_SHARE * abs(node.net_kwh):
        yield rest_row(node, rest, widest)


def row(node: Node, widest: float, *, depth: int) -> str:
    shown = abs(node.net_kwh) if node.net_kwh is not None else None
    said = "".join(f'<span class="{tone}">{escape(words)}</span>' for words, tone in remarks(node))
    word = " generated" if node.meter.measures is Measures.PV and (node.net_kwh or 0.0) < 0 else ""
    return line(
        depth,
        f"{where.link(node.meter)}{kind(node)}",
        bars(node, widest),
        f"<b>{f.number(shown)}</b>{word}",
        said,
    )


def rest_row(node: Node, rest: float, widest: float) -> str:
    share = f.percent(rest / node.net_kwh) if node.net_kwh else f.UNKNOWN
    piece = f'<i class="rest" style="width:{100 * rest / widest:.2f}%"></i>'
    return line(
        node.depth + 1,
        "<em>explained by none</em>",
        piece,
        f"<b>{f.number(rest)}</b>",
        f"<span>{share} of {escape(node.meter.name)}</span>",
    )


def line(depth: int, name: str, bar: str, amount: str, said: str) -> str:
    return (
        f'<div class="tree-row" role="row" style="--depth:{min(depth, 5)}"><div class="name" role="cell">{name}</div>'
        f'<div class="bar" role="cell">{bar}</div><div class="kwh" role="cell">{amount}</div>'
        f'<div class="said" role="cell">{said}</div></div>'
    )


def kind(node: Node) -> str:
    words = {Role.SETTLEMENT: "settlement", Role.CHECK: "check", Role.VIRTUAL: "virtual"}
    word = words.get(node.meter.role)
    return f.kind(word) if word else ""


def bars(node: Node, widest: float) -> str:
    """What flows through a meter: the part that is explained below, the part that is not, and what is too much."""
    if node.net_kwh is None:
        return '<i class="gap" style="width:100%"></i>'
    through = abs(node.net_kwh)
    if node.below_kwh is None:
        tone = "made" if node.net_kwh < 0 else "leaf"
        return f'<i class="{tone}" style="width:{100 * through / widest:.2f}%"></i>'
    explained = max(0.0, min(node.below_kwh, node.net_kwh))
    pieces = [("part", explained), ("rest", max(0.0, through - explained))]
    if node.over:
        pieces = [("part", through), ("over", node.below_kwh - node.net_kwh)]
    return "".join(f'<i class="{tone}" style="width:{100 * kwh / widest:.2f}%"></i>' for tone, kwh in pieces if kwh > 0)


def remarks(node: Node) -> Iterator[tuple[str, str]]:
    if node.net_kwh is None:
        yield "not known: silent", "worse"
    rest = node.unexplained_kwh
    if node.over and rest is not None:
        yield f"▲ {f.quantity(-rest, 'kWh')} too much below", "doubtful"
    elif rest is not None and node.below_kwh is not None and node.net_kwh:
        yield f"{f.percent(node.below_kwh / node.net_kwh)} explained", ""
    if node.silent:
        yield f"without {f.listed(list(node.silent))}: silent", "worse"
    if node.modelled:
        yield "≈ in part modelled", ""


def too_much(node: Node) -> str:
    return (
        f"**Below {node.meter.name}, meters count more than flows through it:** "
        f"{f.quantity(node.below_kwh, 'kWh')} of {f.quantity(node.net_kwh, 'kWh')}. Check of those below it, the largest "
        "first: the ratio of the current transformers (`ct_ratio`), the direction (`invert`), and whether each really hangs "
        f"there (`above`); then {node.meter.name} itself."
    )
