"""The nouns of the business, as plain immutable data. Standard library and numpy only.

Time is aware UTC, intervals are half-open and labelled by their start; power is kW, energy kWh, prices are currency
per kWh, carbon is kg CO2e per kWh. Import and consumption are positive; export is a quantity of its own.
"""
