"""What dispatchers and notifiers did."""

import sqlalchemy as sa

from energy.exchange.codec import dump, load
from energy.model.proposal import Receipt
from energy.store.repository import Repository, insert_new
from energy.store.tables import ReceiptRow, table

receipt_table = table(ReceiptRow)


class Receipts(Repository):
    """What was sent, by whom, and whether it arrived."""

    def add(self, receipt: Receipt) -> bool:
        """Keep a receipt; False where that one (instruction, dispatcher, time) is already kept."""
        key = {"instruction": receipt.instruction, "dispatcher": receipt.dispatcher, "at": receipt.at}
        row = {"site": self._site, **key, "ok": receipt.ok, "body": dump(receipt)}
        with self._writing() as connection:
            return insert_new(connection, receipt_table, [row]) == 1

    def of(self, instruction: str) -> list[Receipt]:
        """The receipts of an instruction, oldest first."""
        query = sa.select(receipt_table.c.body).where(*self._of(instruction))
        rows = self._rows(query.order_by(receipt_table.c.at, receipt_table.c.dispatcher))
        return [load(Receipt, row.body) for row in rows]

    def has(self, key: str) -> bool:
        """Whether a thing (an instruction, a notice) was already sent, and arrived."""
        return self._first(sa.select(receipt_table.c.at).where(*self._of(key), receipt_table.c.ok)) is not None

    def _of(self, instruction: str) -> tuple[sa.ColumnElement[bool], ...]:
        return (receipt_table.c.site == self._site, receipt_table.c.instruction == instruction)
