"""From counters to the energy of intervals: labelled, never invented."""
