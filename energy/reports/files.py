"""The savings of a month as a file to hand on: CSV of the days, XLSX with days, jobs and kinds, PDF of one page or two."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from energy.errors import LoadstoneError
from energy.model.savings import DaySavings, JobSaving, Kind
from energy.reports.pages import Promise, SavingsPage

Cell = str | float | None

KINDS = (Kind.VERIFIED, Kind.MODELLED, Kind.ASSUMED_START)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A table with its title; numbers stay numbers, unknown is empty."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def savings_file(page: SavingsPage, kind: str) -> tuple[str, bytes]:
    """(file name, content) of a month's savings as "csv", "xlsx" or "pdf"."""
    makers = {"csv": as_csv, "xlsx": as_xlsx, "pdf": as_pdf}
    if kind not in makers:
        raise LoadstoneError(f"no file of kind {kind!r}; there are {', '.join(makers)}")
    return f"savings-{page.header.site}-{page.month.month}.{kind}", makers[kind](page)


def days_sheet(page: SavingsPage) -> Sheet:
    """One row a day, each kind in a column of its own."""
    money = page.header.currency
    return Sheet(
        title="Days",
        columns=(
            "day",
            f"as-is {money}",
            f"real {money}",
            *(f"{kind} {money}" for kind in KINDS),
            f"promised {money}",
            "CO2e avoided, verified, kg",
            "as-is peak kW",
            "real peak kW",
            "import kWh",
            "known share",
            "notes",
        ),
        rows=tuple(day_row(day) for day in page.days),
    )


def day_row(day: DaySavings) -> tuple[Cell, ...]:
    return (
        day.day.isoformat(),
        day.counterfactual_money,
        day.metered_money,
        *(day.money(kind) for kind in KINDS),
        day.estimated_money,
        day.carbon_kg(Kind.VERIFIED),
        day.counterfactual_peak_kw,
        day.metered_peak_kw,
        day.import_kwh,
        day.known_share,
        "; ".join(day.notes),
    )


def jobs_sheet(page: SavingsPage) -> Sheet:
    """One row an accepted, moved job."""
    money = page.header.currency
    return Sheet(
        title="Jobs",
        columns=("day", "job", "offer", "known as", "counted", f"promised {money}", f"came of it {money}", "CO2e kg",
                 "kWh", "as-is start (UTC)", "accepted start (UTC)", "real start (UTC)", "cause"),
        rows=tuple(job_row(job) for day in page.days for job in day.jobs),
    )  # fmt: skip


def job_row(job: JobSaving) -> tuple[Cell, ...]:
    return (
        job.day.isoformat(),
        job.job,
        job.offer,
        str(job.kind),
        "yes" if job.counted else "no",
        job.promised_money,
        job.money,
        job.carbon_kg,
        job.kwh,
        job.as_is_start,
        job.accepted_start,
        job.real_start,
        job.cause,
    )


def promises_sheet(page: SavingsPage) -> Sheet:
    """One row an offer that rested on forecast prices."""
    money = page.header.currency
    return Sheet(
        title="Forecast prices",
        columns=("offer", "what moves", "state", f"by the forecast alone {money}", f"estimated {money}", f"P10 {money}",
                 f"P90 {money}", "share on forecast prices", f"at published prices {money}", f"verified {money}"),
        rows=tuple(promise_row(promise) for promise in page.promised),
    )  # fmt: skip


def promise_row(promise: Promise) -> tuple[Cell, ...]:
    offer, gain = promise.offer, promise.offer.gain
    return (
        offer.id,
        offer.headline,
        str(offer.state),
        gain.uncorrected,
        gain.money,
        gain.low,
        gain.high,
        gain.forecast_share,
        promise.came,
        promise.verified,
    )


def kinds_sheet(page: SavingsPage) -> Sheet:
    """The month's figures, kind by kind; they are never added up."""
    month, money = page.month, page.header.currency
    rows: list[tuple[Cell, ...]] = [
        ("verified", month.verified, money, "from meters and runs, at real prices"),
        ("modelled", month.modelled, money, "ran as accepted, without a meter or run of its own"),
        ("assumed start", month.assumed_start, money, "against an as-is start that nobody planned"),
        ("estimated", month.estimated, money, "accepted, not yet accounted"),
        *((f"peak, {p.charge} {p.period}", p.money, money, f"{p.state}: as-is {p.as_is_kw:.0f} kW, real {p.real_kw:.0f} kW, "
           f"target {p.target_kw:.0f} kW, {p.per_kw:g} {money}/kW") for p in month.peak),
        *((name, kg, "kg CO2e", kind) for name, kg, kind in page.carbon_accounts),
    ]  # fmt: skip
    return Sheet(title="Kinds", columns=("kind", "amount", "unit", "what it is"), rows=tuple(rows))


def as_csv(page: SavingsPage) -> bytes:
    """The day table, UTF-8 with a mark so that spreadsheets see it."""
    sheet = days_sheet(page)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(sheet.columns)
    writer.writerows([["" if cell is None else plain(cell) for cell in row] for row in sheet.rows])
    return out.getvalue().encode("utf-8-sig")


def plain(cell: str | float) -> str:
    """A cell as text: numbers short and with a point; a text that a spreadsheet would reckon is told to be one."""
    if isinstance(cell, str):
        return f"'{cell}" if cell[:1] in ("=", "+", "-", "@") else cell
    return f"{cell:.6g}" if abs(cell) < 1 else f"{cell:.3f}".rstrip("0").rstrip(".")


def as_xlsx(page: SavingsPage) -> bytes:
    """A workbook with kinds, days and jobs, and the offers that rested on forecast prices where there were any."""
    from openpyxl import Workbook
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    book = Workbook()
    book.remove(book.worksheets[0])
    sheets = [kinds_sheet(page), days_sheet(page), jobs_sheet(page)]
    for sheet in [*sheets, promises_sheet(page)] if page.promised else sheets:
        tab = book.create_sheet(sheet.title)
        tab.append(list(sheet.columns))
        for row in sheet.rows:
            tab.append(list(row))
            for cell in tab[tab.max_row]:
                if isinstance(cell.value, str):
                    cell.data_type = "s"  # never a formula
                elif cell.value is not None:
                    cell.number_format = "#,##0.00"
        for cell in tab[1]:
            cell.font = Font(bold=True)
        for number, name in enumerate(sheet.columns, start=1):
            width = max([len(name), *(len(str(row[number - 1] or "")) for row in sheet.rows)])
            tab.column_dimensions[get_column_letter(number)].width = min(48, width + 2)
        tab.freeze_panes = "A2"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def as_pdf(page: SavingsPage) -> bytes:
    """A report to print: the figures by kind, the days, and the jobs that were not counted with their cause."""
    from fpdf import FPDF

    header, month = page.header, page.month
    pdf = FPDF(orientation="portrait", format="A4")
    pdf.set_margins(14, 14)
    pdf.set_title(f"Savings {month.month}, {header.name}")
    family = font(pdf)
    pdf.add_page()
    pdf.set_font(family, size=16)
    pdf.cell(text=f"Savings {month.month}", new_x="LMARGIN", new_y="NEXT")
    pdf.set_font(family, size=9)
    pdf.cell(text=f"{header.name}. Kinds of saving are never added up.", new_x="LMARGIN", new_y="NEXT")
    pdf.ln(3)
    kinds = kinds_sheet(page)
    table(pdf, kinds.columns, kinds.rows, widths=(30, 14, 12, 60), right={1})
    pdf.ln(4)
    money = header.currency
    columns = ("day", f"as-is {money}", f"real {money}", "verified", "modelled", "assumed", "promised", "notes")
    rows = [(*day_row(day)[:7], "; ".join(day.notes)) for day in page.days]
    table(pdf, columns, rows, widths=(18, 15, 15, 14, 14, 14, 14, 50), right=set(range(1, 7)))
    odd = [job for day in page.days for job in day.jobs if not job.counted]
    if odd:
        pdf.ln(4)
        lines = [(j.day.isoformat(), j.job, str(j.kind), j.promised_money, j.cause) for j in odd]
        not_counted = ("not counted: day", "job", "known as", f"promised {money}", "why")
        table(pdf, not_counted, lines, widths=(18, 16, 20, 16, 60), right={3})
    return bytes(pdf.output())


def font(pdf: Any) -> str:
    """A typeface with the letters of most languages: DejaVu, which comes with matplotlib (Prophet brings it); else the
    built-in one, which knows western European letters only."""
    found = find_spec("matplotlib")
    for folder in (found.submodule_search_locations or []) if found else []:
        path = Path(folder) / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"
        if path.exists():
            pdf.add_font("DejaVu", fname=str(path))
            return "DejaVu"
    pdf.core_fonts_encoding = "cp1252"
    return "Helvetica"


def table(
    pdf: Any, columns: Sequence[str], rows: Sequence[Sequence[Cell]], *, widths: Sequence[float], right: set[int]
) -> None:
    """A table with hairlines; unknown is an en dash."""
    from fpdf.fonts import FontFace

    pdf.set_font_size(8)
    align = tuple("RIGHT" if number in right else "LEFT" for number in range(len(columns)))
    with pdf.table(
        col_widths=tuple(widths),
        text_align=align,
        borders_layout="HORIZONTAL_LINES",
        line_height=4.4,
        headings_style=FontFace(color=(91, 102, 112)),
    ) as made:
        for cells in (columns, *rows):
            row = made.row()
            for cell in cells:
                row.cell(words(cell))


def words(cell: Cell) -> str:
    if cell is None:
        return "–"
    return cell if isinstance(cell, str) else f"{cell:,.2f}"
