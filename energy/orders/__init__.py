"""Sources of production orders behind `energy.ports.OrderSource`. `file` is the one to copy."""
