"""What tasks that are named together mustn't have in common."""

from __future__ import annotations

from processor.settings import process_settings
from processor.settings.named_task import NamedTask
from processor.settings.task_file import TaskFile
from processor.startup import neighbours
from tests.fakes.task import tasks
from tests.fakes.task.two_way import two_way


def _found(*given: dict[str, str] | None) -> list[list[str]]:
    named = [
        NamedTask(
            file=TaskFile(path=f"conf/{number}.properties"),
            settings=None if changed is None else tasks.task(**changed),
            places={name: f"conf/{number}.properties:{line}" for line, name in enumerate(changed or (), 1)},
        )
        for number, changed in enumerate(given)
    ]
    return [[finding.id for finding in task.findings] for task in neighbours.with_findings(named)]


def test_tasks_of_their_own_share_nothing() -> None:
    """One source with two destinations, a name in two regions, and a task without settings."""
    assert _found(
        {}, {"destinationTable": "table-b"}, {"sourceTable": "table-c", "destinationRegion": "us-west-2"}, None
    ) == [[], [], [], []]


def test_one_path_twice() -> None:
    """It is one thing to put right, though checkpoints and logs are in common, too; what has its own tables is well."""
    assert _found({}, {"sourceTable": "table-c"}, {}) == [["tasks-share-tables"], [], ["tasks-share-tables"]]


def test_one_path_under_two_names() -> None:
    """It would be written twice all the same."""
    assert _found({}, {"taskName": "x"}) == 2 * [["tasks-share-tables"]]


def test_one_path_by_another_account_is_another() -> None:
    """A name means another table there."""
    role = "arn:aws:iam::{}:role/r"
    assert _found(
        {"sourceRoleArn": role.format("111111111111"), "taskName": "x"},
        {"sourceRoleArn": role.format("222222222222"), "taskName": "y"},
        {"taskName": "z"},
    ) == [[], [], []]


def test_one_checkpoint_table() -> None:
    """It belongs to one name in one region; each of those that share it says so, with the places of the name."""
    named = {"taskName": "x"}
    assert _found(named, named | {"destinationTable": "table-b"}, {"sourceTable": "table-c"}) == [
        ["tasks-share-checkpoints"],
        ["tasks-share-checkpoints"],
        [],
    ]


def test_three_readers_of_one_stream() -> None:
    """AWS lets two read a shard; that is a warning, and none of the errors that keep a task from beginning."""
    settings = [tasks.task(destinationTable=f"table-{name}", batchSize=f"{ord(name)}") for name in "bcd"]
    given = [NamedTask(file=TaskFile(path=f"{at}"), settings=each, places={}) for at, each in enumerate(settings)]
    found = neighbours.with_findings(given)
    assert [[finding.id for finding in task.findings] for task in found] == 3 * [["tasks-share-stream"]]
    assert [task.errors for task in found] == 3 * [()]
    assert neighbours.with_findings(given, warnings=False) == given
    assert neighbours.with_findings(given[:2]) == given[:2]


def test_tasks_that_read_as_one_are_one_reader() -> None:
    """In one daemon they share their reads, unless one is told to read by itself."""
    for megabytes, findings in (("64", []), ("0", ["tasks-share-stream"])):
        settings = [tasks.task(destinationTable=f"table-{name}", sharedReadsMegabytes=megabytes) for name in "bcd"]
        given = [NamedTask(file=TaskFile(path=f"{at}"), settings=each, places={}) for at, each in enumerate(settings)]
        assert [[finding.id for finding in task.findings] for task in neighbours.with_findings(given)] == 3 * [findings]


def test_one_log_directory() -> None:
    """Of one name in two regions; or within another one, where its second daemon has its own."""
    elsewhere = {"taskName": "x", "destinationTable": "table-b", "kclRegion": "us-east-1"}
    assert _found({"taskName": "x"}, elsewhere) == 2 * [["tasks-share-logs"]]
    assert _found({"taskName": "x"}, elsewhere | {"logDirectory": "/var/log/b"}) == [[], []]
    within = {"taskName": "daemon-2", "destinationTable": "table-b", "logDirectory": str(tasks.LOG_DIRECTORY / "x")}
    assert _found({"taskName": "x"}, within) == 2 * [["tasks-share-logs"]]


def test_files_and_lines_are_named() -> None:
    """Of each of them."""
    first, second = (
        NamedTask(
            file=TaskFile(path=f"{name}.properties"),
            settings=tasks.task(taskName="x", destinationTable=f"table-{name}"),
            places={"taskName": place},
        )
        for name, place in (("a", "common.properties:7"), ("b", "b.properties:2"))
    )
    for task in neighbours.with_findings([first, second]):
        (finding,) = task.findings
        assert finding.object == "tasks a.properties and b.properties"
        assert finding.value == (
            "have one checkpoint table, DynamoDBCrossRegionReplicationx in eu-west-1 "
            "(taskName common.properties:7, taskName b.properties:2)"
        )


def test_what_one_process_has_once() -> None:
    """Only where one daemon is to run them is it wrong; check warns, for each may have a process of its own."""
    mine, other = tasks.task(), tasks.task(metricsPort="9090", destinationTable="table-b")
    named = [
        NamedTask(file=TaskFile(path=f"conf/{number}.properties"), settings=settings, places={})
        for number, settings in enumerate((mine, other))
    ]
    assert not any(task.findings for task in neighbours.with_findings(named, warnings=False))
    for process, severity in ((None, "warning"), (process_settings.of(mine), "error")):
        first, second = neighbours.with_findings(named, process=process)
        assert not first.findings
        assert [(each.id, each.severity) for each in second.findings] == [("tasks-differ-in-process", severity)]
        assert "has another metricsPort than" in second.findings[0].value


def _two_way(*given: dict[str, str]) -> list[list[str]]:
    named = [
        NamedTask(file=TaskFile(path=f"conf/{number}.properties"), settings=two_way(**changed), places={})
        for number, changed in enumerate(given)
    ]
    return [[finding.id for finding in task.findings] for task in neighbours.with_findings(named)]


def test_a_star_of_two_way_tasks_shares_nothing() -> None:
    """One hub, and a spoke each; nor do a task's own directions."""
    assert _two_way({}, {"destinationTable": "table-b"}, {"destinationTable": "table-c"}) == [[], [], []]


def test_a_spoke_has_one_hub() -> None:
    """Neither two hubs, nor a spoke of its own."""
    assert _two_way({}, {"sourceTable": "table-b"}) == 2 * [["tasks-share-spoke"]]
    chained = {"sourceRegion": "us-east-1", "sourceTable": "orders-copy", "destinationTable": "table-c"}
    assert _two_way({}, chained) == 2 * [["tasks-share-spoke"]]
    assert _two_way(
        {},
        {
            "sourceRegion": "us-east-1",
            "sourceTable": "orders-copy",
            "destinationRegion": "eu-west-1",
            "destinationTable": "orders",
            "taskName": "x",
        },
    )[0] == ["tasks-share-tables"]
