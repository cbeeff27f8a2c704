"""botocore's descriptions, read our way."""

from __future__ import annotations

from pathlib import Path

import botocore.session
import pytest
from botocore.exceptions import DataNotFoundError, UnknownServiceError

from processor.aws import service_models
from processor.aws.service_models import model_loader


@pytest.mark.parametrize("name", ["cloudwatch", "dynamodb", "dynamodbstreams", "s3", "sts", "sso-oidc"])
@pytest.mark.parametrize("kind", ["service-2", "endpoint-rule-set-1", "paginators-1"])
def test_descriptions_are_what_botocore_reads(name: str, kind: str) -> None:
    """Every member, in the same order."""
    theirs = botocore.session.Session().get_component("data_loader")
    expected = theirs.load_service_model(name, kind)
    service_models._loader.cache_clear()  # botocore's own clients of S3 change what they have read
    found = model_loader(None).load_service_model(name, kind)
    assert _plain(expected) == _plain(found)


def _plain(value: object) -> object:
    """With the order of dictionaries, which don't compare theirs."""
    if isinstance(value, dict):
        return [(name, _plain(each)) for name, each in value.items()]
    return [_plain(each) for each in value] if isinstance(value, list) else value


def test_what_is_not_there_is_said() -> None:
    """An unknown service, and a description that a service doesn't have, are errors of botocore's."""
    with pytest.raises(UnknownServiceError):
        model_loader(None).load_service_model("dynamo", "service-2")
    with pytest.raises(DataNotFoundError):
        model_loader(None).load_service_model("dynamodb", "service-99")


def test_other_folders_are_looked_into_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS_DATA_PATH's descriptions go before those that botocore brings."""
    folder = tmp_path / "dynamodb" / "2012-08-10"
    folder.mkdir(parents=True)
    (folder / "service-2.json").write_text('{"mine": true}')
    monkeypatch.setenv("THERE", str(tmp_path))
    assert model_loader("$THERE:/nowhere").load_service_model("dynamodb", "service-2")["mine"] is True


def test_what_was_read_is_not_read_again() -> None:
    """A daemon of many tasks has sessions for each."""
    found = [model_loader(None).load_service_model("dynamodb", "service-2") for _ in range(2)]
    assert found[0] is found[1]
