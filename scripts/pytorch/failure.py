"""What ends ../import_torch, as one sentence."""


class Failure(Exception):
    pass
