"""The one exception a user ever sees."""


class UserError(Exception):
    """Something a person can put right: what is wrong (with the value) and what to do.

    `unmask` prints it as one `error:` line and one `hint:` line, exit code 2, no traceback.
    """

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(what)
        self.what = " ".join(what.split())
        self.hint = " ".join(hint.split())

    def __reduce__(self) -> tuple[type["UserError"], tuple[str, str]]:
        return UserError, (self.what, self.hint)  # so that it comes back whole from a worker
