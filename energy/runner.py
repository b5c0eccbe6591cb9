"""Where a step runs: in line now; a queue for fleets."""
