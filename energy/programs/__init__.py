"""Demand-response programs behind `energy.ports.Program`. `manual` is the one to copy."""
