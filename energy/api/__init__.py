"""The door for machines: edge boxes hand their readings over, gateways push theirs. FastAPI lives here and nowhere else."""
