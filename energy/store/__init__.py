"""The store: what the plant has said and decided, append-only, readable *as known at* a time.

store = Store.open("sqlite:///var/loadstone.sqlite", site="plant-2")
with store.unit():            # BEGIN IMMEDIATE; all or nothing; a nested unit joins the outer one
    ...
"""

from energy.store.store import Store

__all__ = ["Store"]
