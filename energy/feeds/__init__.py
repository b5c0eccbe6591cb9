"""Feeds of price, carbon and weather: interchangeable kinds behind `energy.ports.Feed`. `file` is the one to copy."""
