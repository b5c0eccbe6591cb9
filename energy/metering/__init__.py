"""From counters to the energy of intervals: labelled, never invented."""

from energy.metering.intervals import intervals
from energy.metering.running import RunningInterval, running_interval

__all__ = ["RunningInterval", "intervals", "running_interval"]
