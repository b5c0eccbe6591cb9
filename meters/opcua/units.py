"""The unit that an OPC UA node says itself: EUInformation, by its UNECE code or by its name."""

# UNECE recommendation 20, the common codes of what meters say; OPC 10000-8 (Data Access) makes UnitId of their letters
UNECE = {
    "WTT": "W",
    "KWT": "kW",
    "MAW": "MW",
    "WHR": "Wh",
    "KWH": "kWh",
    "MWH": "MWh",
    "VLT": "V",
    "KVT": "kV",
    "AMP": "A",
    "4K": "mA",
    "HTZ": "Hz",
    "P1": "%",
    "D44": "var",
    "KVR": "kvar",
    "D46": "VA",
    "KVA": "kVA",
}
NAMES = {"kVAr": "kvar", "kVAR": "kvar", "VAr": "var", "VAR": "var", "KWh": "kWh", "KW": "kW"}


def unit_of(unit_id: int, display_name: str) -> str:
    """The unit by our name for it; empty where neither code nor name is known."""
    by_code = UNECE.get(_letters(unit_id), "")
    name = display_name.strip()
    return by_code or (NAMES.get(name, name) if name in {*UNECE.values(), *NAMES} else "")


def _letters(unit_id: int) -> str:
    if unit_id <= 0:
        return ""
    return unit_id.to_bytes((unit_id.bit_length() + 7) // 8, "big").decode("ascii", "replace")
