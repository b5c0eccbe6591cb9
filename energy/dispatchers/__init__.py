"""Ways to tell the floor (`energy.ports.Dispatcher`) and people (`energy.ports.Notifier`). `file` is the one to copy."""
