"""Prophet behind the Forecaster port."""
