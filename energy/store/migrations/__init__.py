"""The steps from one schema to the next. A new one: change tables.py, then

    python -m energy.store.migrations "what changes"

reads the difference, writes `versions/vNNNN_….py` for you to check, and you set NEWEST to its number.
"""

NEWEST = "0002"  # the number of the newest step; known here so that opening a store need not load Alembic
VERSION_TABLE = "loadstone_schema"
