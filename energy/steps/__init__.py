"""The nine verbs, one file each: fetch collect predict respond plan propose decide dispatch verify.

A step reads what it needs from the store, calls ports or pure functions, writes its records and returns them. No step
calls a step; the same inputs write nothing new.
"""
