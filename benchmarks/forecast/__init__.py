"""How good the forecasts are: rolling-origin tests on public data of plants, markets and grids."""
