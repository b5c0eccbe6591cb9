"""stub"""


def year_page(*a, **k):
    raise NotImplementedError
