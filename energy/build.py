"""Settings → EnergyService: the only place where kinds become objects."""
