"""Maps each error of AWS and of its library to ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import msgspec
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    LoginError,
    MetadataRetrievalError,
    NoAuthTokenError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    RefreshWithMFAUnsupportedError,
    SSOError,
    TokenRetrievalError,
    UnknownCredentialError,
    UnknownTokenProviderError,
)

from processor.aws.bounds import InvalidAnswerError, TooLargeAnswerError
from processor.aws.redaction import ALL_WORDS, NO_WORDS, Words
from processor.aws.response_shapes import brief
from processor.errors import (
    ConditionFailedError,
    CredentialsError,
    InUseError,
    NotFoundError,
    RefusedError,
    ThrottledError,
    UnavailableError,
)
from processor.reporting.secrets import hidden

# Answers that mean that this write will never work (DynamoDB API reference, common errors and each call's own). A code
# that is on neither list may pass, so the batch is kept and retried: waiting loses nothing, giving up might.
REFUSALS = frozenset({"ValidationException", "ItemCollectionSizeLimitExceededException", "SerializationException"})
REJECTED_CREDENTIALS = frozenset(
    {
        "403",  # S3's answer to HEAD, which has no body with a code
        "AccessDenied",
        "AccessDeniedException",
        "AllAccessDisabled",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "InvalidToken",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
# Those of them that a rotation causes: credentials that have expired, or are not (any more, or yet) known. The next
# look-up may find others.
STALE_CREDENTIALS = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "InvalidToken",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
# Known credentials are denied a call or a role: that stays until somebody allows it.
DENIALS = frozenset(
    {
        "403",
        "AccessDenied",
        "AccessDeniedException",
        "AllAccessDisabled",
        "MalformedPolicyDocument",
        "RegionDisabledException",
        "ValidationError",
    }
)
# Answers of a table that works, but not this fast (DynamoDB API reference).
THROTTLES = frozenset(
    {
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
    }
)
# Codes with an exception class of their own, because callers distinguish them; any other is an ``UnavailableError``.
KINDS: Mapping[str, type[UnavailableError]] = {
    **dict.fromkeys(THROTTLES, ThrottledError),
    "ExportNotFoundException": NotFoundError,
    "ImportNotFoundException": NotFoundError,
    "ResourceInUseException": InUseError,
    "ResourceNotFoundException": NotFoundError,
}
# What botocore raises before any call if it finds no credentials or can't renew those it has.
_NO_CREDENTIALS = (
    CredentialRetrievalError,
    LoginError,
    MetadataRetrievalError,
    NoAuthTokenError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    RefreshWithMFAUnsupportedError,
    SSOError,
    TokenRetrievalError,
    UnknownCredentialError,
    UnknownTokenProviderError,
)
# An answer without a code: the request was larger than the service accepts.
TOO_LARGE_STATUS = 413


def _item(error: ClientError) -> bytes | None:
    """The item for which a condition did not hold, if the answer has it. The error lets go of it."""
    found = error.response.pop("Item", None)  # type: ignore[typeddict-item]  # of one kind of error
    if found is None or isinstance(found, bytes):
        return found
    return msgspec.json.encode(found)  # botocore's form of it: bytes in place of base64


class NotDynamoDBError(BotoCoreError):
    """The answer can't be AWS's."""

    fmt = "the answer is none of {whose} ({fault})"
    code = "NotDynamoDB"


class AnswerTooLargeError(NotDynamoDBError):
    """The answer is larger than AWS's can be, or there is no room for it now."""

    code = "AnswerTooLarge"


def not_aws(whose: str, fault: InvalidAnswerError) -> NotDynamoDBError:
    """As botocore's exception."""
    kind = AnswerTooLargeError if isinstance(fault, TooLargeAnswerError) else NotDynamoDBError
    return kind(whose=whose, fault=str(fault))


@contextmanager
def aws_errors(call: str, words: Words = ALL_WORDS) -> Iterator[None]:
    """Turn botocore's exceptions into ours.

    :param call: the call and its object, for the message, as "PutItem on table orders in eu-west-1"
    :param words: decides which parts of AWS's message may be repeated
    :raises RefusedError: AWS will never do this
    :raises CredentialsError: the credentials are missing, refused or expired
    :raises ThrottledError, NotFoundError, InUseError, ConditionFailedError: as their names say
    :raises UnavailableError: anything else; it may work later
    """
    try:
        yield
    except ClientError as exc:
        error = exc.response.get("Error", {})
        status = exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        code = words.code(error.get("Code", "") or f"HTTP {status}", status)
        reason = hidden(words.message(str(error.get("Message") or NO_WORDS)))
        message = f"{call}: {brief(code)}: {brief(reason)}"
        exc.args = (message,)  # a traceback shows this exception, too
        if code in REFUSALS or status == TOO_LARGE_STATUS:
            raise RefusedError(message, code=code) from exc
        if code in REJECTED_CREDENTIALS:
            raise CredentialsError(message, code=code, is_denial=code in DENIALS) from exc
        if code == "ConditionalCheckFailedException":
            raise ConditionFailedError(message, code=code, item=_item(exc)) from exc
        raise KINDS.get(code, UnavailableError)(message, code=code) from exc
    except NotDynamoDBError as exc:
        raise UnavailableError(f"{call}: {hidden(str(exc))}", code=exc.code) from exc
    except _NO_CREDENTIALS as exc:
        raise CredentialsError(f"{call}: {brief(hidden(str(exc)))}", code=type(exc).__name__) from exc
    except ValueError as exc:  # caused by a variable, a configuration file, or a response
        code = "InvalidEndpointError" if str(exc).startswith("Invalid endpoint") else type(exc).__name__
        raise UnavailableError(f"{call}: {brief(hidden(str(exc)))}", code=code) from exc
    except (BotoCoreError, HTTPClientError, OSError) as exc:
        raise UnavailableError(f"{call}: {brief(hidden(str(exc)))}", code=type(exc).__name__) from exc
