"""How DynamoDB refuses a call. The messages are DynamoDB Local's, where it has the case."""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """An answer of status 400.

    :param code: the exception's name in the API reference
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def invalid(message: str) -> ApiError:
    """A call that is refused, now and always."""
    return ApiError("ValidationException", message)


def not_found(message: str) -> ApiError:
    """No such table, stream or shard."""
    return ApiError("ResourceNotFoundException", message)


def trimmed() -> ApiError:
    """What is asked for has left the stream."""
    return ApiError("TrimmedDataAccessException", "The data you are trying to access has been trimmed.")


def expired() -> ApiError:
    """An iterator that is too old."""
    return ApiError("ExpiredIteratorException", "The provided iterator exceeds the maximum age allowed.")


def too_many_readers() -> ApiError:
    """A shard that more read than may."""
    return ApiError("LimitExceededException", "Too many operations for a given subscriber.")


def limit_of(content: dict[str, Any], most: int | None = None) -> int | None:
    """A call's ``Limit``, if it has one.

    :raises ApiError: it is less than 1 or more than ``most``
    """
    limit: int | None = content.get("Limit")
    if limit is not None and limit < 1:
        raise invalid(
            f"1 validation error detected: Value '{limit}' at 'limit' failed to satisfy constraint: "
            "Member must have value greater than or equal to 1"
        )
    if limit is not None and most is not None and limit > most:
        raise invalid(f"One or more parameter values were invalid: Limit cannot be greater than the maximum: {most}")
    return limit
