"""The charts: one layered picture per page on one shared time axis, and small ones.

Altair would check each piece of a chart against its schema when it is made, which takes two thirds of the time of a page.
The tests check the finished specifications instead.
"""

from altair.utils.schemapi import disable_debug_mode

disable_debug_mode()
