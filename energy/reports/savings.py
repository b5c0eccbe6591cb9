"""stub"""


def savings_page(*a, **k):
    raise NotImplementedError
