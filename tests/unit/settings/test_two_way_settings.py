"""What the settings of a two-way task say of each of its directions."""

from __future__ import annotations

import msgspec
import pytest

from processor.errors import UsageError
from processor.settings.settings import Settings
from tests.fakes.task.tasks import REQUIRED, task
from tests.fakes.task.two_way import two_way


def test_a_task_of_one_direction_is_itself() -> None:
    """It has no direction, and no second task."""
    settings = task()
    assert settings.direction is None
    assert settings.in_directions == (settings,)


def test_the_uplink_is_the_mirror_turned_round() -> None:
    """Tables, regions, endpoints and identities change sides; checkpoints stay in one region."""
    settings = two_way(
        sourceEndpoint="https://hub:8000",
        sourceStreamsEndpoint="https://hub-streams:8000",
        sourceProfile="at-hub",
        destinationEndpoint="https://spoke:8000",
        destinationRoleArn="arn:aws:iam::123456789012:role/at-spoke",
    )
    mirror, uplink = settings.in_directions
    assert mirror is settings
    assert (mirror.direction, uplink.direction) == ("mirror", "uplink")
    assert (uplink.source_region, uplink.source_table) == (REQUIRED["destinationRegion"], REQUIRED["destinationTable"])
    assert (uplink.destination_region, uplink.destination_table) == (REQUIRED["sourceRegion"], REQUIRED["sourceTable"])
    assert (uplink.source_endpoint, uplink.source_streams_endpoint) == ("https://spoke:8000", "https://spoke:8000")
    assert uplink.destination_endpoint == "https://hub:8000"
    assert (uplink.source_identity, uplink.destination_identity) == (
        mirror.destination_identity,
        mirror.source_identity,
    )
    assert uplink.checkpoint_table == f"{mirror.checkpoint_table}-Uplink"
    assert (uplink.kcl_region, uplink.kcl_endpoint) == (mirror.kcl_region, mirror.kcl_endpoint)
    assert (mirror.kcl, uplink.kcl) == ({}, {"initialPositionInStream": "LATEST"})
    assert uplink.in_directions == (uplink,)


def test_the_directions_have_tables_of_their_own() -> None:
    """Where the file names those of KCL, the uplink's have names of their own, as long as DynamoDB allows."""
    named = {"coordinatorStateTableName": "state", "workerMetricsTableName": "x" * 255, "metricsLevel": "NONE"}
    mirror, uplink = msgspec.structs.replace(two_way(), kcl=named).in_directions
    assert mirror.kcl == named
    assert uplink.kcl["coordinatorStateTableName"] == "state-Uplink"
    assert uplink.kcl["workerMetricsTableName"].endswith("-Uplink")
    assert len(uplink.kcl["workerMetricsTableName"]) == 255
    assert uplink.kcl["metricsLevel"] == "NONE"


def test_the_uplinks_settings_go_to_its_children_whole() -> None:
    """Encoded and read again, as a daemon's children get them, they are the same."""
    for each in two_way().in_directions:
        assert msgspec.json.decode(msgspec.json.encode(each), type=Settings) == each


def test_a_tasks_name_leaves_room_for_the_uplinks() -> None:
    """The longest name of a one-way task would make the uplink's checkpoint table's too long."""
    assert task(taskName="x" * 225)
    assert two_way(taskName="x" * 218)
    with pytest.raises(UsageError, match="Give one of 218 at most"):
        two_way(taskName="x" * 219)
