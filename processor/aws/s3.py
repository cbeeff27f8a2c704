"""Reads and writes one bucket, and maps its errors."""

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

# S3's answers if an object does not exist, or is no longer what it was (API reference, error responses).
NO_BUCKET = frozenset({"NoSuchBucket", "404"})  # an answer to HEAD has no body, so it has no code either
NO_OBJECT = "NoSuchKey"
CHANGED = frozenset({"PreconditionFailed", "ConditionalRequestConflict", NO_OBJECT})
FORBIDDEN = frozenset({"AccessDenied", "AllAccessDisabled", "403"})
# The bucket can't do what is asked, or not in this way: a retry gets the same answer.
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
    """An object's content, and the tag that identifies this content."""

    body: bytes
    tag: str


class Bucket:
    """A bucket. Any number of threads may share it.

    If a bucket is deleted, anybody may make one with its name, which would then receive whole items. So each call says
    which account must own it (``ExpectedBucketOwner``), and S3 denies the call if another does.

    :param connect: makes a client, with the credentials of the moment
    :param owner: finds the number of the account that must own it, or None if nobody can say. It is not used with a
        store that isn't AWS's, because that knows no accounts
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
        """The account that must own it, once it has been found out."""
        return self._owner

    def doubt(self, setting: str) -> tuple[str, str]:
        """What else a denial may mean, and what to do about it: texts for a finding's consequence and remedy.

        :param setting: the setting in which the user names the bucket
        """
        if not self._owner:
            return "", ""
        return (
            f". S3 says the same of a bucket that account {self._owner} does not own",
            f"; if it is another account's, name that in {setting} with ?owner=",
        )

    def look(self, prefix: str = "") -> None:
        """Check access by listing one object at most: HeadBucket has no prefix to which a policy could limit it.

        :raises UnavailableError: it can't be reached, does not exist, or (``CredentialsError``) we are denied
        """
        client = self._connected()
        with self._errors("ListObjectsV2", prefix):
            client.list_objects_v2(Bucket=self.name, Prefix=prefix, MaxKeys=1, **self._expected())

    def put(self, key: str, body: bytes) -> None:
        """PutObject; when it returns, S3 has stored the object durably.

        :raises UnavailableError: it may be stored or not; storing it again does no harm
        """
        # The one checksum that every store knows, and that a bucket with Object Lock requires.
        md5 = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
        client = self._connected()
        # The body is whole items.
        with aws_errors(self._call("PutObject", key), HarmlessWords(())):
            answer = client.put_object(
                Bucket=self.name,
                Key=key,
                Body=body,
                ContentType="application/json",
                ContentMD5=md5,
                **self._expected(),
            )
        if not answer.get("ETag"):  # for example from a proxy that answers everything with a page
            message = f"{self._call('PutObject', key)}: the answer is none of S3's"
            raise UnavailableError(message, code="NotS3")

    def get(self, key: str) -> Stored | None:
        """GetObject; None if it is gone.

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
        """The names of all objects that begin with ``prefix``, in order, a page at a time; none if two answers say so.

        :raises UnavailableError: they can't be listed
        """
        found = False
        for key in self._listed(prefix):
            found = True
            yield key
        if not found:
            yield from self._listed(prefix)

    def _listed(self, prefix: str) -> Iterator[str]:
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
        """DeleteObject, if the object is still the one that ``get`` returned.

        :returns: whether it was; if it was replaced meanwhile, or is gone, nothing is done
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
        """Look credentials up again at the next call."""
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
