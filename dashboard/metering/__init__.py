"""The parts of the Meters page: the table, one meter, doubted readings, the tree, the bill, edge boxes and the collector."""
