"""The sun as a forecaster of PV needs it: where it stands, what a clear day gives, and whether the weather's clock agrees."""
