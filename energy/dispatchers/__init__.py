"""Ways to tell the floor (`energy.ports.Dispatcher`) and people (`energy.ports.Notifier`). Copy `file`."""
