"""stub"""


def meters_page(*a, **k):
    raise NotImplementedError


def meter_page(*a, **k):
    raise NotImplementedError


def first_known(*a, **k):
    raise NotImplementedError
