"""stub"""


def happened_page(*a, **k):
    raise NotImplementedError


def consequence(*a, **k):
    raise NotImplementedError
