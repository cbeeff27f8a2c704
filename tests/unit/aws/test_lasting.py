"""Which failures of a call last until a person does something."""

from __future__ import annotations

import inspect
from pathlib import Path

import botocore.exceptions
import pytest
from botocore.exceptions import BotoCoreError

from processor.aws import lasting
from processor.aws.errors import KINDS, REJECTED_CREDENTIALS, THROTTLES
from processor.aws.lasting import CONFIGURATION, has_instance_metadata, lasts
from processor.dynamodb.absence import unless_missing
from processor.errors import CredentialsError, RefusedError, UnavailableError
from processor.settings.identity import OWN

# What nobody here did wrong, and what this program never does.
PASSING = {
    "AwsChunkedWrapperError",
    "CapacityNotAvailableError",
    "ChecksumError",
    "ConnectTimeoutError",
    "ConnectionClosedError",
    "ConnectionError",
    "CredentialRetrievalError",
    "EndpointConnectionError",
    "FlexibleChecksumError",
    "HTTPClientError",
    "IncompleteReadError",
    "MetadataRetrievalError",
    "NoCredentialsError",  # by what the machine is
    "ProxyConnectionError",
    "ReadTimeoutError",
    "ResponseStreamingError",
    "SSLError",  # a clock before its time refuses certificates, too
}
NEVER_OURS = {
    "AliasConflictParameterError",
    "ApiVersionNotFoundError",
    "BaseEndpointResolverError",
    "EndpointProviderError",
    "EndpointResolutionError",
    "InvalidDNSNameError",
    "InvalidExpressionError",
    "InvalidS3AddressingStyleError",
    "InvalidS3UsEast1RegionalEndpointConfigError",
    "MD5UnavailableError",
    "MissingParametersError",
    "OperationNotPageableError",
    "PaginationError",
    "RangeError",
    "StubAssertionError",
    "StubResponseError",
    "UnStubbedResponseError",
    "UnknownClientMethodError",
    "UnknownEndpointResolutionBuiltInName",
    "UnknownKeyError",
    "UnknownParameterError",
    "UnknownServiceError",
    "UnknownServiceStyle",
    "UnknownSignatureVersionError",
    "UnseekableStreamError",
    "UnsupportedOutpostResourceError",
    "UnsupportedS3AccesspointConfigurationError",
    "UnsupportedS3ArnError",
    "UnsupportedS3ConfigurationError",
    "UnsupportedS3ControlArnError",
    "UnsupportedS3ControlConfigurationError",
    "UnsupportedServiceProtocolsError",
    "UnsupportedSignatureVersionError",
    "WaiterConfigError",
    "WaiterError",
}


def _error(code: str, message: str = "") -> UnavailableError:
    kind = CredentialsError if code in REJECTED_CREDENTIALS else KINDS.get(code, UnavailableError)
    return kind(f"DescribeTable: {code}: {message}", code=code)


@pytest.mark.parametrize(
    "code",
    [
        *sorted(THROTTLES),
        "InternalServerError",
        "ServiceUnavailable",
        "HTTP 403",
        "HTTP 502",
        "NotDynamoDB",
        "KeyError",
    ],
)
def test_an_outage_passes(code: str) -> None:
    """Throttling, 5xx, and what some proxy answers."""
    assert not lasts(_error(code), OWN)


@pytest.mark.parametrize("code", ["ExpiredToken", "ExpiredTokenException", "RequestExpired"])
def test_credentials_out_of_date_pass(code: str) -> None:
    """Whatever gave them gives new ones."""
    assert not lasts(_error(code), OWN)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Signature expired: 20260101T000000Z is now earlier than 20260102T000000Z", False),
        ("Signature not yet current: 20260102T000000Z is still later than 20260101T000000Z", False),
        ("The request signature we calculated does not match the signature you provided", True),
    ],
)
def test_a_wrong_clock_passes_and_a_wrong_key_stays(words: str, expected: bool) -> None:  # noqa: FBT001  # a parameter of the test
    """A machine that has just started sets its clock; a secret that does not fit never will."""
    assert lasts(_error("InvalidSignatureException", words), OWN) is expected


@pytest.mark.parametrize(
    "code",
    ["AccessDeniedException", "UnrecognizedClientException", "InvalidClientTokenId", "ResourceNotFoundException"],
)
def test_what_aws_refuses_is_a_person_s(code: str) -> None:
    """Rights, keys and tables do not come by themselves."""
    assert lasts(_error(code), OWN)
    assert lasts(RefusedError("no name of a table", code="ValidationException"), OWN)


def test_every_error_of_botocore_s_is_decided() -> None:
    """A kind that botocore grows must be put on one of the lists."""
    kinds = {
        name
        for name, kind in vars(botocore.exceptions).items()
        if inspect.isclass(kind) and issubclass(kind, BotoCoreError) and kind is not BotoCoreError
    }
    assert kinds == (CONFIGURATION - {"InvalidEndpointError"}) | PASSING | NEVER_OURS
    assert all(lasts(_error(name), OWN) for name in CONFIGURATION)
    assert not any(lasts(_error(name), OWN) for name in PASSING - {"NoCredentialsError"})


def test_no_credentials_pass_where_the_machine_gives_some(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """EC2 is known by what Linux says of the machine, or by the address that is configured."""
    monkeypatch.setattr(lasting, "_VENDOR", (tmp_path / "vendor",))
    missing = _error("NoCredentialsError")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "false")
    assert (has_instance_metadata(OWN), lasts(missing, OWN)) == (False, True)
    (tmp_path / "vendor").write_text("Amazon EC2\n")
    assert (has_instance_metadata(OWN), lasts(missing, OWN)) == (True, False)
    (tmp_path / "vendor").write_text("QEMU\n")
    assert lasts(missing, OWN)
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:9")
    assert not lasts(missing, OWN)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert lasts(missing, OWN)


def test_a_missing_table_is_believed_at_the_second_answer() -> None:
    """One such answer may be wrong; any other failure is told at once."""
    missing, away = _error("ResourceNotFoundException"), _error("InternalServerError")
    answers: list[UnavailableError | str] = [missing, "rows", missing, missing, missing, away]

    def call() -> str:
        answer = answers.pop(0)
        if isinstance(answer, UnavailableError):
            raise answer
        return answer

    assert unless_missing(call) == "rows"
    assert unless_missing(call) is None
    with pytest.raises(UnavailableError, match="InternalServerError"):
        unless_missing(call)


def test_what_a_table_lacks_is_believed_at_the_second_answer() -> None:
    """A table that is there, and once seems to be empty, or once to be missing."""
    answers: list[list[str] | None] = [[], ["rows"], [], [], None, None, None, ["row"]]
    assert [unless_missing(lambda: answers.pop(0)) for _ in range(4)] == [["rows"], [], None, ["row"]]
