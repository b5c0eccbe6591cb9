"""config.yaml and the environment → typed settings; strict; all mistakes at once."""
