"""The wing of planning: a Problem in, an Answer out. It knows no calendar, database or network."""
