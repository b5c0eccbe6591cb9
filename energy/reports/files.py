"""stub"""


def savings_file(*a, **k):
    raise NotImplementedError
