"""stub"""


def forecast_page(*a, **k):
    raise NotImplementedError
