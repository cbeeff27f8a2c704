"""One bucket, and what its errors mean. The client is of ``aws/``, which alone knows AWS's library."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, NamedTuple

from processor.aws.domains import is_aws
from processor.aws.errors import aws_errors
from processor.aws.redaction import HarmlessWords
from processor.errors import UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# S3's answer where what it was asked for is not there, or no longer what it was (API reference, error responses).
NO_BUCKET = frozenset({"NoSuchBucket", "404"})  # an answer to HEAD has no body, so it has no code either
NO_OBJECT = "NoSuchKey"
CHANGED = frozenset({"PreconditionFailed", "ConditionalRequestConflict", NO_OBJECT})
FORBIDDEN = frozenset({"AccessDenied", "AllAccessDisabled", "403"})
# What is asked is not to be had there, or not in this way: no other try will be answered otherwise.
UNSUPPORTED = frozenset(
    {
        "501",
        "AccountProblem",
        "AuthorizationHeaderMalformed",
        "EntityTooLarge",
        "IllegalLocationConstraintException",
        "InvalidArgument",
        "InvalidBucketName",
        "InvalidBucketState",
        "InvalidObjectState",
        "InvalidRequest",
        "KeyTooLongError",
        "KMS.DisabledException",
        "KMS.KMSInvalidStateException",
        "KMS.NotFoundException",
        "MethodNotAllowed",
        "NotImplemented",
        "PermanentRedirect",
        "UnsupportedArgument",
    }
)


class Stored(NamedTuple):
    """An object's content, and the tag that tells it from any other content."""

    body: bytes
    tag: str


class Bucket:
    """Any number of threads may share it.

    A bucket that was deleted may be made anew by anybody, and would be given whole items. So each call says whose it
    must be (``ExpectedBucketOwner``), and S3 denies it where it isn't.

    :param connect: makes a client, with the credentials that are there now
    :param owner: finds the number of the account that must own it; None where nobody can say. A store that isn't AWS's
        knows no accounts, and is not asked about one
    """

    def __init__(
        self, name: str, *, connect: Callable[[], S3Client], owner: Callable[[], str | None] = lambda: None
    ) -> None:
        self.name = name
        self._connect = connect
        self._find_owner = owner
        self._owner: str | None = None
        self._lock = threading.Lock()
        self._client: S3Client | None = None

    @property
    def owner(self) -> str | None:
        """Whose it must be, once it was looked for."""
        return self._owner

    def doubt(self, setting: str) -> tuple[str, str]:
        """What a denial may mean besides, for its consequence, and what to do about it, for its remedy.

        :param setting: where the user names the bucket
        """
        if not self._owner:
            return "", ""
        return (
            f". S3 says the same of a bucket that account {self._owner} does not own",
            f"; if it is another account's, name that in {setting} with ?owner=",
        )

    def look(self, prefix: str = "") -> None:
        """List one object at most: HeadBucket has no prefix that a policy could hold it to.

        :raises UnavailableError: it can't be reached, is not there, or (``CredentialsError``) is not ours to look at
        """
        client = self._connected()
        with self._errors("ListObjectsV2", prefix):
            client.list_objects_v2(Bucket=self.name, Prefix=prefix, MaxKeys=1, **self._expected())

    def put(self, key: str, body: bytes) -> None:
        """PutObject; when it returns, S3 has stored the object durably.

        :raises UnavailableError: it may be stored or not; storing it again does no harm
        """
        # The one checksum that every store knows, and that a bucket with Object Lock asks for.
        md5 = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
        client = self._connected()
        # What is put is whole items.
        with aws_errors(self._call("PutObject", key), HarmlessWords(())):
            answer = client.put_object(
                Bucket=self.name,
                Key=key,
                Body=body,
                ContentType="application/json",
                ContentMD5=md5,
                **self._expected(),
            )
        if not answer.get("ETag"):  # as of a proxy that answers everything with a page
            message = f"{self._call('PutObject', key)}: the answer is none of S3's"
            raise UnavailableError(message, code="NotS3")

    def get(self, key: str) -> Stored | None:
        """GetObject; None where it is gone.

        :raises UnavailableError: it can't be read
        """
        client = self._connected()
        try:
            with self._errors("GetObject", key):
                answer = client.get_object(Bucket=self.name, Key=key, **self._expected())
                return Stored(answer["Body"].read(), answer["ETag"])
        except UnavailableError as exc:
            if exc.code == NO_OBJECT:
                return None
            raise

    def keys(self, prefix: str) -> Iterator[str]:
        """The names of all objects whose names begin with ``prefix``, in their order, a page at a time.

        :raises UnavailableError: they can't be listed
        """
        start: dict[str, Any] = {}
        while True:
            client = self._connected()
            with self._errors("ListObjectsV2", prefix):
                page = client.list_objects_v2(Bucket=self.name, Prefix=prefix, **start, **self._expected())
            yield from [found["Key"] for found in page.get("Contents", [])]
            if not page.get("NextContinuationToken"):
                return
            start = {"ContinuationToken": page["NextContinuationToken"]}

    def remove(self, key: str, tag: str) -> bool:
        """DeleteObject of an object that is still the one that ``get`` returned.

        :returns: whether it was; where it has been written anew meanwhile, or is gone, nothing is done
        :raises UnavailableError: it can't be removed
        """
        client = self._connected()
        try:
            with self._errors("DeleteObject", key):
                client.delete_object(Bucket=self.name, Key=key, IfMatch=tag, **self._expected())
        except UnavailableError as exc:
            if exc.code in CHANGED:
                return False
            raise
        return True

    def renew_credentials(self) -> None:
        """Look credentials up anew at the next call."""
        with self._lock:
            self._client = None

    def _connected(self) -> S3Client:
        with self._lock:
            if self._client is None:
                made = self._connect()
                self._owner = self._find_owner() if is_aws(made.meta.endpoint_url) else None
                self._client = made
            return self._client

    def _expected(self) -> dict[str, Any]:
        return {} if self._owner is None else {"ExpectedBucketOwner": self._owner}

    def _call(self, operation: str, key: str = "") -> str:
        whose = "" if self._owner is None else f", a bucket of account {self._owner}"
        return f"{operation} on s3://{self.name}/{key}".rstrip("/") + whose

    def _errors(self, operation: str, key: str = "") -> AbstractContextManager[None]:
        return aws_errors(self._call(operation, key))
