"""stub"""


def plan_page(*a, **k):
    raise NotImplementedError
