"""The commands of `loadstone`, one file a topic. At the top they import only click and the standard library; what is
heavy is imported where it is used, so that `loadstone --help` answers at once."""
