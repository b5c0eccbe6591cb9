"""Meters that a simulated plant speaks through: real Modbus servers on loopback."""
