"""What is advised where writes are delayed."""

from __future__ import annotations

import pytest

from processor.errors import CredentialsError, NotFoundError, RoleError, ThrottledError, UnavailableError
from processor.replication import remedies


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (ThrottledError("PutItem: slow down", code="ThrottlingException"), "more write capacity"),
        (CredentialsError("PutItem: no", code="AccessDeniedException", is_denial=True), "the command policy prints"),
        (CredentialsError("PutItem: old", code="ExpiredTokenException"), "Renew the credentials"),
        (RoleError("AssumeRole: no", code="AccessDenied", is_denial=True), "trust policy"),
        (NotFoundError("PutItem: none"), "Restore it"),
        (UnavailableError("PutItem: late", code="ReadTimeoutError"), "raise that."),
        (UnavailableError("PutItem: no way", code="EndpointConnectionError"), "look at the way to it"),
    ],
    ids=lambda value: getattr(value, "code", None),
)
def test_each_kind_of_failure_has_its_remedy(error: UnavailableError, advice: str) -> None:
    """Beside its own words, as sentences, whether those end with a dot or not."""
    said = remedies.advised(error)
    assert said.startswith(f"{error}. ")
    assert advice in said
    assert said.endswith(".")
    again = remedies.advised(UnavailableError(f"{error}.", code=error.code))
    assert again.startswith(f"{error}. ")
