"""Public scheduling benchmarks: foreign instances posed as problems, planned, checked, and valued in their own formula.

`python -m benchmarks.scheduling SET FOLDER --seconds S --json OUT`
"""
