"""The plant as a model that runs on a clock: for the demo, for what-if questions, for tests."""
