"""What a request asks for, in IAM's words: every action that it is, with its resource, and its condition keys.

Actions, resources and condition keys are those of AWS's service authorization reference.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.fakes.network.faulty_server import Exchange

# Of the JSON protocol: what may name the one resource of a call.
_ARN_NAMES = ("TableArn", "ResourceArn", "StreamArn", "ExportArn", "ImportArn")
_S3_OBJECT = {"GET": "s3:GetObject", "PUT": "s3:PutObject", "DELETE": "s3:DeleteObject", "HEAD": "s3:GetObject"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request; ``role_arn`` where it is AssumeRole."""

    service: str
    wanted: list[tuple[str, str]] = field(default_factory=list)
    context: dict[str, str] = field(default_factory=dict)
    role_arn: str = ""


def read(exchange: Exchange, body: bytes, *, own: str, streams: Mapping[str, str], buckets: Mapping[str, str]) -> Asked:
    """Understand a request.

    :param own: how the ARNs of DynamoDB's resources begin here
    :param streams: each iterator's stream
    :param buckets: the accounts of those that aren't of this one
    """
    service = _service(exchange)
    if service == "dynamodb":
        content = json.loads(body)
        wanted = list(_dynamodb(exchange.operation, content, own, streams))
        return Asked(service=service, wanted=wanted, context=_leading_keys(content))
    if service == "s3":
        return Asked(service=service, wanted=[_s3(exchange)], context=_s3_context(exchange, own, buckets))
    if service == "sts":
        return _sts({name: values[0] for name, values in parse_qs(body.decode()).items()})
    assert service == "monitoring", service
    return Asked(
        service=service,
        wanted=[("cloudwatch:PutMetricData", "*")],
        context={"cloudwatch:namespace": _namespace(exchange, body)},
    )


def _service(exchange: Exchange) -> str:
    """As the signature's scope has it: ``key/date/region/service/aws4_request``."""
    scope = exchange.headers.get("Authorization", "").partition("Credential=")[2].partition(",")[0]
    return scope.split("/")[3]


def _dynamodb(
    operation: str, content: Mapping[str, Any], own: str, streams: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    action = f"dynamodb:{operation}"
    if operation == "GetRecords":
        yield action, streams.get(content["ShardIterator"], "an iterator of somebody else")
    elif "RequestItems" in content:
        yield from ((action, _table(own, table)) for table in content["RequestItems"])
    elif operation in ("ListExports", "ListImports"):
        yield action, "*"
    elif operation == "ImportTable":
        yield action, _table(own, content["TableCreationParameters"]["TableName"])
    elif arn := next((content[name] for name in _ARN_NAMES if name in content), None):
        yield action, arn
    else:
        index = f"/index/{content['IndexName']}" if "IndexName" in content else ""
        yield action, _table(own, content["TableName"]) + index
    if operation == "CreateTable" and content.get("Tags"):
        yield "dynamodb:TagResource", _table(own, content["TableName"])


def _leading_keys(content: Mapping[str, Any]) -> dict[str, str]:
    """Of one item's write: its partition key, which all tables of these tests call ``id``."""
    key = content.get("Item", {}).get("id", {}).get("S")
    return {} if key is None else {"dynamodb:LeadingKeys": key}


def _table(own: str, name: str) -> str:
    return f"{own}table/{name}"


def _s3(exchange: Exchange) -> tuple[str, str]:
    bucket, _, key = unquote(urlsplit(exchange.path).path).lstrip("/").partition("/")
    if not key:
        assert exchange.command in ("GET", "HEAD"), exchange.command
        return "s3:ListBucket", f"arn:aws:s3:::{bucket}"
    return _S3_OBJECT[exchange.command], f"arn:aws:s3:::{bucket}/{key}"


def _s3_context(exchange: Exchange, own: str, buckets: Mapping[str, str]) -> dict[str, str]:
    """The bucket's account, which is always known, and what a listing is held to."""
    query = parse_qs(urlsplit(exchange.path).query)
    prefix = {"s3:prefix": query["prefix"][0]} if query.get("prefix") else {}
    bucket = urlsplit(exchange.path).path.lstrip("/").partition("/")[0]
    return {"aws:ResourceAccount": buckets.get(bucket, own.split(":")[4]), **prefix}


def _sts(form: Mapping[str, str]) -> Asked:
    if form["Action"] == "GetCallerIdentity":  # allowed to whoever has credentials
        return Asked(service="sts")
    assert form["Action"] == "AssumeRole", form["Action"]
    given = {"sts:ExternalId": form.get("ExternalId"), "sts:RoleSessionName": form.get("RoleSessionName")}
    context = {name: value for name, value in given.items() if value}
    return Asked(service="sts", role_arn=form["RoleArn"], context=context)


def _namespace(exchange: Exchange, body: bytes) -> str:
    """Of PutMetricData: KCL's, in the query protocol, or our own in JSON."""
    plain = gzip.decompress(body) if exchange.headers.get("Content-Encoding") == "gzip" else body
    if exchange.service:
        assert exchange.operation == "PutMetricData", exchange.operation
        namespace: str = json.loads(plain)["Namespace"]
        return namespace
    form = {name: values[0] for name, values in parse_qs(plain.decode()).items()}
    assert form["Action"] == "PutMetricData", form["Action"]
    return form["Namespace"]
