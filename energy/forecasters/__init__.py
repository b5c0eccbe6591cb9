"""Forecasters: interchangeable kinds behind `energy.ports.Forecaster`. `naive` is the one to copy."""
