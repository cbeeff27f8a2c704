"""What each of AWS's errors means, and each of its library's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

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

# The answers that mean "not this write, not ever" (DynamoDB API reference, common errors and each call's own). Whatever
# is on neither list may change, so the batch is kept and tried again: waiting loses nothing, giving up might.
REFUSALS = frozenset({"ValidationException", "ItemCollectionSizeLimitExceededException", "SerializationException"})
REJECTED_CREDENTIALS = frozenset(
    {
        "403",  # to S3's HEAD, which has no body to say more
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
# Of these, what a rotation brings: credentials that are out of date, or not (any more, or yet) known. Others may be
# there at the next look.
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
# And refusals of a call, or of a role, to credentials that are known: these stay until somebody allows it.
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
# Answers of a table that works, but not so fast (DynamoDB API reference).
THROTTLES = frozenset(
    {
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
    }
)
# What is a class of its own to those who ask; any other answer is an ``UnavailableError`` and no more.
KINDS: Mapping[str, type[UnavailableError]] = {
    **dict.fromkeys(THROTTLES, ThrottledError),
    "ResourceInUseException": InUseError,
    "ResourceNotFoundException": NotFoundError,
}
# What botocore says before any call, when it finds no credentials or can't renew those it has.
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
# An answer without a code of its own: the request was larger than the service reads.
TOO_LARGE_STATUS = 413


class NotDynamoDBError(BotoCoreError):
    """An answer that AWS does not give."""

    fmt = "the answer is none of {whose} ({fault})"
    code = "NotDynamoDB"


class AnswerTooLargeError(NotDynamoDBError):
    """One that is larger than AWS's, or that there is no room for now."""

    code = "AnswerTooLarge"


def not_aws(whose: str, fault: InvalidAnswerError) -> NotDynamoDBError:
    """As botocore's exception."""
    kind = AnswerTooLargeError if isinstance(fault, TooLargeAnswerError) else NotDynamoDBError
    return kind(whose=whose, fault=str(fault))


@contextmanager
def aws_errors(call: str, words: Words = ALL_WORDS) -> Iterator[None]:
    """Turn botocore's exceptions into ours.

    :param call: the call and its object, for the message, as "PutItem on table orders in eu-west-1"
    :param words: which of AWS's words may be repeated
    :raises RefusedError: AWS will never do this
    :raises CredentialsError: the credentials are missing, refused or out of date
    :raises ThrottledError, NotFoundError, InUseError, ConditionFailedError: as they say
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
        exc.args = (message,)  # a trace of what comes of it shows this one, too
        if code in REFUSALS or status == TOO_LARGE_STATUS:
            raise RefusedError(message, code=code) from exc
        if code in REJECTED_CREDENTIALS:
            raise CredentialsError(message, code=code, is_denial=code in DENIALS) from exc
        if code == "ConditionalCheckFailedException":
            raise ConditionFailedError(message, code=code, found="Item" in exc.response) from exc
        raise KINDS.get(code, UnavailableError)(message, code=code) from exc
    except NotDynamoDBError as exc:
        raise UnavailableError(f"{call}: {hidden(str(exc))}", code=exc.code) from exc
    except _NO_CREDENTIALS as exc:
        raise CredentialsError(f"{call}: {brief(hidden(str(exc)))}", code=type(exc).__name__) from exc
    except ValueError as exc:  # of a variable, a configuration file, or a response
        code = "InvalidEndpointError" if str(exc).startswith("Invalid endpoint") else type(exc).__name__
        raise UnavailableError(f"{call}: {brief(hidden(str(exc)))}", code=code) from exc
    except (BotoCoreError, HTTPClientError, OSError) as exc:
        raise UnavailableError(f"{call}: {brief(hidden(str(exc)))}", code=type(exc).__name__) from exc
