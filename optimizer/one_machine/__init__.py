"""Engines for the special case of one machine: exact where the general program only closes in."""
