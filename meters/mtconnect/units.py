"""The units of MTConnect (Part 2, units of samples), as ours: a name of ours, and what to multiply with."""

UNITS = {
    "WATT": ("W", 1.0),
    "KILOWATT": ("kW", 1.0),
    "WATT_SECOND": ("Wh", 1 / 3600),
    "JOULE": ("Wh", 1 / 3600),
    "KILOWATT_HOUR": ("kWh", 1.0),
    "VOLT": ("V", 1.0),
    "KILOVOLT": ("kV", 1.0),
    "AMPERE": ("A", 1.0),
    "MILLIAMPERE": ("mA", 1.0),
    "HERTZ": ("Hz", 1.0),
    "PERCENT": ("%", 1.0),
    "VOLT_AMPERE": ("VA", 1.0),
    "VOLT_AMPERE_REACTIVE": ("var", 1.0),
}
