"""The parts that every page is made of: eyebrow and sentence, figures, legends, quiet tables, notices, guard."""

import functools
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from typing import Any
from urllib.parse import quote

import streamlit as st

from dashboard import format as f
from dashboard import session
from dashboard.colours import Inks
from energy.clock import local
from energy.errors import LoadstoneError
from energy.reports.pages import Done, Header

log = logging.getLogger("dashboard")

VIEWS = {
    "overview": "views/overview.py",
    "plan": "views/plan.py",
    "happened": "views/happened.py",
    "sheet": "views/sheet.py",
    "savings": "views/savings.py",
    "year": "views/year.py",
    "journal": "views/journal.py",
    "forecast": "views/forecast.py",
    "meters": "views/meters.py",
    "machines": "views/machines.py",
    "events": "views/events.py",
}


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A big figure: label, kind, value with unit, and at most two lines below."""

    label: str
    value: str
    unit: str = ""
    kind: str = ""
    lines: Sequence[str] = ()  # **bold** marks key numbers


def style(inks: Inks) -> None:
    """The stylesheet, with the inks of this background as its variables."""
    names = {
        "ink": inks.text,
        "soft": inks.soft,
        "line": inks.border,
        "better": inks.better,
        "worse": inks.worse,
        "doubtful": inks.doubtful,
    }
    variables = "".join(f"--{name}:{colour};" for name, colour in names.items())
    css = files("dashboard").joinpath("style.css").read_text()
    st.html(f"<style>:root{{{variables}}}{css}</style>")


def head(title: str, header: Header, sentence: str, *, when: str | None = None) -> None:
    """Eyebrow and the sentence of state; **bold** marks the key numbers."""
    there = local(header.now, header.zone)
    time = when or f"{f.day(there, year=True)}, {there:%H:%M}"
    simulated = " · simulated plant" if header.simulated else ""
    eyebrow = f"{title} · {time} · {header.name}{simulated}"
    st.html(f'<div class="eyebrow">{escape(eyebrow)}</div><h1 class="sentence">{f.text(sentence)}</h1>')


def figures(items: Iterable[Figure]) -> None:
    """A row of big figures with hairlines between them."""
    st.html(f'<div class="figures">{"".join(_figure(item) for item in items)}</div>')


def _figure(item: Figure) -> str:
    lines = "<br>".join(line if line.startswith("<") else f.text(line) for line in item.lines)
    unit = f"<small>{escape(item.unit)}</small>" if item.unit else ""
    word = f.kind(item.kind) if item.kind else ""
    return (
        f'<div class="figure"><div class="label">{escape(item.label)}{word}</div>'
        f'<div class="big">{escape(item.value)}{unit}</div><div class="sub">{lines}</div></div>'
    )


def section(title: str, small: str = "") -> None:
    tail = f" <small>{escape(small)}</small>" if small else ""
    st.html(f'<h3 class="section">{escape(title)}{tail}</h3>')


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    right: Iterable[int] = (),
    sums: bool = False,
    head: bool = True,
) -> None:
    """A quiet table of up to some fifteen rows. Cells may hold **bold**; a cell that starts with "<" is HTML."""
    numbers = set(right)
    mark = {place: ' class="n"' if place in numbers else "" for place in range(len(columns))}
    top = "".join(f"<th{mark[place]} scope='col'>{escape(name)}</th>" for place, name in enumerate(columns))
    listed = list(rows)
    body = ""
    for nth, row in enumerate(listed):
        cells = "".join(
            f"<td{mark[place]}>{cell if cell.startswith('<') else f.text(cell)}</td>" for place, cell in enumerate(row)
        )
        last = ' class="sum"' if sums and nth == len(listed) - 1 else ""
        body += f"<tr{last}>{cells}</tr>"
    thead = f"<thead><tr>{top}</tr></thead>" if head else ""
    st.html(f'<div class="scroll"><table class="quiet">{thead}<tbody>{body}</tbody></table></div>')


def notice(what: str, *, level: str = "") -> None:
    """Something to know: what happened, since when, what still works, what to do."""
    st.html(f'<div class="notice {level}" role="status">{f.text(what)}</div>')


def answered() -> None:
    """What the last action did and how to undo it, or why it was refused and what is possible."""
    done = session.said()
    if done is not None:
        tell(done)


def tell(done: Done) -> None:
    if done.ok:
        st.success(f.sentence_case(f"{done.text} {done.undo}".strip()), icon=":material/check_circle:")
        return
    possible = f" Possible: {'; '.join(done.possible)}." if done.possible else ""
    st.error(f"Not done: {done.text}{possible}", icon=":material/block:")


def guarded(screen: Callable[..., Any]) -> Callable[..., Any]:
    """A page or a part of one that, when it fails, says so readably and leaves the rest standing."""

    @functools.wraps(screen)
    def shown(*args: Any, **kwargs: Any) -> Any:
        try:
            return screen(*args, **kwargs)
        except LoadstoneError as error:
            log.warning("%s: %s", screen.__qualname__, error)
            notice(f"**This cannot be shown now.** {error}", level="warn")
        except Exception:
            log.exception("%s failed", screen.__qualname__)
            notice(
                "**This part of the page failed.** The reason is in Loadstone's log. Metering, planning and all other "
                "pages go on without it; reload the page to try again, and run `loadstone doctor` if it stays.",
                level="urgent",
            )
        return None

    return shown


# --- charts and their legends -------------------------------------------------------------------------------------


def chart(spec: dict[str, Any], alt: str, key: str | None = None) -> None:
    """A chart over the whole width, with its words for who cannot see it."""
    st.vega_lite_chart(spec, width="stretch", theme=None, alt=alt, key=key)


def swatch(body: str, width: int = 14) -> str:
    """A small picture before a word; an image, because inline SVG is taken out of HTML by the browser's filter."""
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="14">{body}</svg>'
    return f'<img alt="" width="{width}" height="14" src="data:image/svg+xml,{quote(svg)}">'


def square(colour: str) -> str:
    return swatch(f'<rect y="1.5" width="14" height="11" rx="2" fill="{colour}"/>')


def outline(colour: str, dash: str = "") -> str:
    return swatch(
        f'<rect x=".75" y="2.25" width="12.5" height="9.5" rx="2" fill="none" stroke="{colour}" stroke-width="1.5" '
        f'stroke-dasharray="{dash}"/>'
    )


def stroke(colour: str, width: float = 2, dash: str = "") -> str:
    return swatch(f'<path d="M0 7H18" stroke="{colour}" stroke-width="{width}" stroke-dasharray="{dash}"/>', 18)


def hatched(ground: str, lines: str) -> str:
    strokes = "".join(f"M{x} 13L{x + 7} 1" for x in (-4, 0, 4, 8))
    return swatch(
        '<clipPath id="h"><rect y="1.5" width="14" height="11" rx="2"/></clipPath><g clip-path="url(#h)">'
        f'<rect width="14" height="14" fill="{ground}"/><path d="{strokes}" stroke="{lines}" stroke-width="1.2"/></g>'
    )


def legend(*lines: tuple[str, Sequence[tuple[str, str]]]) -> None:
    """Words with swatches above a chart; each line may have a name of its own."""
    html = ""
    for name, items in lines:
        title = f"<b>{escape(name)}</b>" if name else ""
        html += f"<div>{title}{''.join(f'<span>{mark}{escape(word)}</span>' for mark, word in items)}</div>"
    st.html(f'<div class="legend">{html}</div>')
