"""When a step runs: the only file that knows APScheduler."""
