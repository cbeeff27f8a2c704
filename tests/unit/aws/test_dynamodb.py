"""What goes over the wire to AWS, and what each of its errors means."""

from __future__ import annotations

import inspect
import os
from typing import Any

import botocore.exceptions
import botocore.session
import pytest
from moto import mock_aws

from processor.aws.clients import Clients
from processor.aws.errors import aws_errors
from processor.aws.sessions import session
from processor.errors import (
    ConditionFailedError,
    CredentialsError,
    NotFoundError,
    RefusedError,
    ThrottledError,
    UnavailableError,
)
from processor.settings.identity import Identity
from tests.fakes.task.tasks import task

REGION = "us-east-1"
REFUSED, CREDENTIALS, UNAVAILABLE = RefusedError, CredentialsError, UnavailableError

# --- Errors ----------------------------------------------------------------------------------------------------------

# What AWS may answer: the error shapes of botocore's model of the three calls, and the codes that stand in no model
# (DynamoDB developer guide, error handling; API reference, common errors).
OUTCOMES_OF_CODES = {
    "BatchWriteItem, PutItem and DeleteItem": {
        "ConditionalCheckFailedException": ConditionFailedError,
        "InternalServerError": UNAVAILABLE,
        "ItemCollectionSizeLimitExceededException": REFUSED,
        "ProvisionedThroughputExceededException": ThrottledError,
        "ReplicatedWriteConflictException": UNAVAILABLE,
        "RequestLimitExceeded": ThrottledError,
        "ResourceNotFoundException": NotFoundError,
        "ThrottlingException": ThrottledError,
        "TransactionConflictException": UNAVAILABLE,
    },
    "any call": {
        "AccessDenied": CREDENTIALS,
        "AccessDeniedException": CREDENTIALS,
        "ExpiredToken": CREDENTIALS,
        "ExpiredTokenException": CREDENTIALS,
        "IncompleteSignature": CREDENTIALS,
        "IncompleteSignatureException": CREDENTIALS,
        "InternalFailure": UNAVAILABLE,
        "InvalidClientTokenId": CREDENTIALS,
        "InvalidSignatureException": CREDENTIALS,
        "LimitExceededException": ThrottledError,
        "MissingAuthenticationToken": CREDENTIALS,
        "MissingAuthenticationTokenException": CREDENTIALS,
        "OptInRequired": UNAVAILABLE,
        "RequestExpired": CREDENTIALS,
        "SerializationException": REFUSED,
        "ServiceUnavailable": UNAVAILABLE,
        "SignatureDoesNotMatch": CREDENTIALS,
        "UnrecognizedClientException": CREDENTIALS,
        "ValidationException": REFUSED,
        "WhateverComesNextException": UNAVAILABLE,
    },
    "S3": {
        "403": CREDENTIALS,
        "404": UNAVAILABLE,
        "AllAccessDisabled": CREDENTIALS,
        "InvalidAccessKeyId": CREDENTIALS,
        "InvalidToken": CREDENTIALS,
        "NoSuchBucket": UNAVAILABLE,
        "SlowDown": UNAVAILABLE,
    },
}
CODES = [(code, outcome) for codes in OUTCOMES_OF_CODES.values() for code, outcome in codes.items()]
# Botocore's own exceptions: those that mean that there are no usable credentials, and all others (no answer came, or
# botocore can't work as it is set up; waiting loses nothing).
NO_CREDENTIALS = """
    CredentialRetrievalError LoginAuthorizationCodeError LoginError LoginInsufficientPermissions
    LoginRefreshRequired LoginTokenLoadError MetadataRetrievalError NoAuthTokenError NoCredentialsError
    PartialCredentialsError ProfileNotFound RefreshWithMFAUnsupportedError SSOError SSOTokenLoadError
    TokenRetrievalError UnauthorizedSSOTokenError UnknownCredentialError UnknownTokenProviderError
"""
OTHERS = """
    AliasConflictParameterError ApiVersionNotFoundError AwsChunkedWrapperError BaseEndpointResolverError
    CapacityNotAvailableError ChecksumError ConfigNotFound ConfigParseError ConnectTimeoutError
    ConnectionClosedError ConnectionError DataNotFoundError EndpointConnectionError EndpointProviderError
    EndpointResolutionError EndpointVariantError FlexibleChecksumError HTTPClientError IncompleteReadError
    InfiniteLoopConfigError InvalidChecksumConfigError InvalidConfigError InvalidDNSNameError InvalidDefaultsMode
    InvalidEndpointConfigurationError InvalidEndpointDiscoveryConfigurationError InvalidExpressionError
    InvalidHostLabelError InvalidIMDSEndpointError InvalidIMDSEndpointModeError InvalidMaxRetryAttemptsError
    InvalidProxiesConfigError InvalidRegionError InvalidRetryConfigurationError InvalidRetryModeError
    InvalidS3AddressingStyleError InvalidS3UsEast1RegionalEndpointConfigError InvalidSTSRegionalEndpointsConfigError
    MD5UnavailableError MissingDependencyException MissingParametersError NoRegionError OperationNotPageableError
    PaginationError ParamValidationError ProxyConnectionError RangeError ReadTimeoutError ResponseStreamingError
    SSLError ServiceNotInRegionError StubAssertionError StubResponseError UnStubbedResponseError
    UnknownClientMethodError UnknownEndpointError UnknownEndpointResolutionBuiltInName UnknownFIPSEndpointError
    UnknownKeyError UnknownParameterError UnknownRegionError UnknownServiceError UnknownServiceStyle
    UnknownSignatureVersionError UnseekableStreamError UnsupportedOutpostResourceError
    UnsupportedS3AccesspointConfigurationError UnsupportedS3ArnError UnsupportedS3ConfigurationError
    UnsupportedS3ControlArnError UnsupportedS3ControlConfigurationError UnsupportedServiceProtocolsError
    UnsupportedSignatureVersionError ValidationError WaiterConfigError WaiterError
"""
# Neither errors of a call nor BotoCoreError: how botocore's models and warnings are made.
NEVER_RAISED_BY_A_CALL = {"EventStreamError", "MissingServiceIdError", "UndefinedModelAttributeError"}


def _client_error(code: str, status: int = 400) -> botocore.exceptions.ClientError:
    answer = {"Error": {"Code": code, "Message": "why"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return botocore.exceptions.ClientError(answer, "PutItem")


def _outcome(error: Exception) -> Exception:
    with pytest.raises(Exception, match=r"^PutItem on table t") as caught, aws_errors("PutItem on table t"):
        raise error
    assert error is caught.value.__cause__
    return caught.value


def test_the_table_above_has_every_error_of_the_model() -> None:
    """When AWS documents a new error of a write, its outcome has to be decided here."""
    model = botocore.session.get_session().get_service_model("dynamodb")
    shapes = [model.operation_model(name).error_shapes for name in ("BatchWriteItem", "PutItem", "DeleteItem")]
    expected = OUTCOMES_OF_CODES["BatchWriteItem, PutItem and DeleteItem"].keys()
    assert expected == {shape.metadata.get("error", {}).get("code", shape.name) for part in shapes for shape in part}


def test_the_table_above_has_every_exception_of_botocore() -> None:
    """When botocore grows a kind of exception, its outcome has to be decided here."""
    found = {
        name
        for name, kind in vars(botocore.exceptions).items()
        if inspect.isclass(kind) and issubclass(kind, Exception) and not issubclass(kind, Warning)
    }
    assert {*NO_CREDENTIALS.split(), *OTHERS.split(), *NEVER_RAISED_BY_A_CALL, "BotoCoreError", "ClientError"} == found


@pytest.mark.parametrize(("code", "outcome"), CODES, ids=[code for code, _ in CODES])
def test_every_code_has_its_outcome(code: str, outcome: type[Exception]) -> None:
    """An answer is a refusal, a matter of credentials, or to be tried again; its words and its cause are kept."""
    error = _outcome(_client_error(code))
    assert outcome is type(error)
    assert str(error) == f"PutItem on table t: {code}: why"
    assert code == error.code


@pytest.mark.parametrize("name", [*NO_CREDENTIALS.split(), *OTHERS.split()])
def test_every_exception_of_botocore_has_its_outcome(name: str) -> None:
    """What botocore raises without an answer is a matter of credentials, or to be tried again; nothing else."""
    kind = getattr(botocore.exceptions, name)
    error = _outcome(kind.__new__(kind))
    assert (CREDENTIALS if name in NO_CREDENTIALS.split() else UNAVAILABLE) is type(error)
    assert name == error.code


def test_answers_without_a_code_are_judged_by_their_status() -> None:
    """413 means that the request can never be taken; any other bare status may change."""
    assert type(_outcome(_client_error("", 413))) is REFUSED
    unavailable = _outcome(_client_error("", 503))
    assert (type(unavailable), unavailable.code) == (UNAVAILABLE, "HTTP 503")


def test_the_networks_own_errors_may_pass() -> None:
    """An OSError below botocore is to be tried again; an error of ours passes as it is."""
    assert type(_outcome(ConnectionResetError("reset"))) is UNAVAILABLE
    with pytest.raises(KeyError), aws_errors("PutItem on table t"):
        raise KeyError("BUG")


# --- Clients ---------------------------------------------------------------------------------------------------------


def test_each_client_is_where_its_setting_says() -> None:
    """Source, stream, destination and checkpoints have region and endpoint of their own, and one client each."""
    clients = Clients(
        task(sourceEndpoint="http://s:1", sourceStreamsEndpoint="http://t:2", destinationEndpoint="http://d:3")
    )
    found = [clients.source(), clients.streams(), clients.destination(), clients.checkpoints()]
    assert [client.meta.endpoint_url for client in found] == ["http://s:1", "http://t:2", "http://d:3", "http://s:1"]
    assert [client.meta.region_name for client in found] == ["eu-west-1", "eu-west-1", "us-east-1", "eu-west-1"]
    assert [client.meta.service_model.service_name for client in found][1] == "dynamodbstreams"
    assert clients.source() is found[0] is clients.checkpoints()


def test_the_bucket_is_where_the_sdk_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """S3 is asked in the checkpoint table's region, or where AWS_ENDPOINT_URL_S3 points; each client is a new one."""
    clients = Clients(task(kclEndpoint="http://k:3", kclRegion="us-east-1"))
    client = clients.s3()
    assert (client.meta.region_name, client.meta.endpoint_url) == ("us-east-1", "https://s3.amazonaws.com")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://elsewhere:4")
    assert clients.s3().meta.endpoint_url == "http://elsewhere:4"
    assert Clients(task(kclRegion="emulated")).s3().meta.region_name != "emulated"


def test_the_source_is_read_in_its_role() -> None:
    """``sourceRoleArn`` is assumed for reading the source, and for nothing else."""
    with mock_aws():
        clients = Clients(task(sourceRoleArn="arn:aws:iam::123456789012:role/reader", kclRegion="eu-west-1"))

        def key(client: Any) -> str:
            found: str = client._get_credentials().get_frozen_credentials().access_key
            return found

        own = os.environ["AWS_ACCESS_KEY_ID"]
        assert {own} == {key(clients.destination()), key(clients.checkpoints())}
        assert own not in {key(clients.source()), key(clients.streams())}


def test_a_role_needs_credentials_to_start_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any credentials a role can't be assumed, which is said as such."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    credentials = session(Identity(role_arn="arn:aws:iam::123456789012:role/reader"), region=REGION).get_credentials()
    assert credentials is not None
    with pytest.raises(CredentialsError), aws_errors("AssumeRole"):
        credentials.get_frozen_credentials()
