"""The part of edgartools' tree of errors that it raises when it fetches."""


class EdgarError(Exception):
    pass


class TransportError(EdgarError):
    def __init__(self, message="", *, status_code=None):
        super().__init__(message)
        self.status_code = status_code


class TooManyRequestsError(TransportError):
    pass


class IdentityError(TransportError):
    pass


class CompanyNotFoundError(EdgarError, LookupError):
    pass
