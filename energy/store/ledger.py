"""Savings accounts."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from energy.exchange.codec import dump, load
from energy.model.savings import DaySavings, PeakSaving
from energy.store.repository import Repository, put_version
from energy.store.tables import DayRow, PeakRow, table

day_table = table(DayRow)
peak_table = table(PeakRow)


class Ledger(Repository):
    """Savings accounts."""

    def put_day(self, account: DaySavings, at: datetime) -> bool:
        """Keep the account of a day; False where it says what the latest one says."""
        return self._put(day_table, {"site": self._site, "day": account.day}, account, at)

    def days(self, first: date, last: date) -> list[DaySavings]:
        """The latest accounts of the days first … last (inclusive)."""
        within = (day_table.c.day >= first, day_table.c.day <= last)
        query = sa.select(day_table.c.body).where(day_table.c.site == self._site, day_table.c.current, *within)
        return [load(DaySavings, row.body) for row in self._rows(query.order_by(day_table.c.day))]

    def put_peak(self, saving: PeakSaving, at: datetime) -> bool:
        """Keep the saving of a demand charge in a period; False where it says what the latest one says."""
        key = {"site": self._site, "charge": saving.charge, "period": saving.period}
        return self._put(peak_table, key, saving, at)

    def peaks(self, year: int) -> list[PeakSaving]:
        """The latest word on each demand charge and period of a year, by period."""
        of_year = (peak_table.c.period >= f"{year:04}", peak_table.c.period < f"{year + 1:04}")
        query = sa.select(peak_table.c.body).where(peak_table.c.site == self._site, peak_table.c.current, *of_year)
        rows = self._rows(query.order_by(peak_table.c.period, peak_table.c.charge))
        return [load(PeakSaving, row.body) for row in rows]

    def _put(self, accounts: sa.Table, key: Mapping[str, Any], account: DaySavings | PeakSaving, at: datetime) -> bool:
        same = [accounts.c[name] == value for name, value in key.items()]
        with self._writing() as connection:
            body = connection.execute(sa.select(accounts.c.body).where(*same, accounts.c.current)).scalar()
            if body is not None and load(type(account), body) == account:
                return False
            put_version(connection, accounts, key, {"at": at, "body": dump(account)})
            return True
