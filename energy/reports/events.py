"""stub"""


def events_page(*a, **k):
    raise NotImplementedError
