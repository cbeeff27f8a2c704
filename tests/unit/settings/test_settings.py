"""Properties file + environment + flags → Settings."""

from __future__ import annotations

import javaproperties
import pytest

from processor import __version__
from processor.errors import UsageError
from processor.settings import loader
from processor.settings.settings import MAX_TABLE_NAME, companion_table
from tests.fakes.task.tasks import DIRECTORY, LOG_DIRECTORY, REQUIRED, load, task

FILE = javaproperties.dumps(REQUIRED)


def test_the_default_task_name_is_the_originals() -> None:
    """The original's checkpoints are found again: MD5 of regions and tables, joined with nothing between."""
    found = task()
    assert found.task_name == "654907be9993205d23bf0a02c4053181"
    assert found.checkpoint_table == "DynamoDBCrossRegionReplication" + found.task_name


def test_the_later_source_wins() -> None:
    """The command line wins over the environment, that over the file, and that over the default."""
    environment = {"REPLICATION_BATCH_SIZE": "20"}
    assert task().batch_size == 1000
    assert task(batchSize="10").batch_size == 10
    assert load(FILE + "batchSize=10\n", environment=environment).batch_size == 20
    assert load(FILE + "batchSize=10\n", environment=environment, arguments=["--batchSize", "30"]).batch_size == 30


def test_no_file_is_needed() -> None:
    """Everything may stand on the command line."""
    arguments = [part for name, value in REQUIRED.items() for part in (f"--{name}", value)]
    assert task() == load("", arguments=arguments)


@pytest.mark.parametrize(
    ("given", "source", "streams", "kcl"),
    [
        ({}, None, None, ("eu-west-1", None)),
        ({"sourceEndpoint": "http://s:1"}, "http://s:1", "http://s:1", ("eu-west-1", "http://s:1")),
        ({"sourceStreamsEndpoint": "http://t:2"}, None, "http://t:2", ("eu-west-1", None)),
        ({"kclEndpoint": "http://k:3"}, None, None, ("eu-west-1", "http://k:3")),
        ({"kclRegion": "eu-west-3"}, None, None, ("eu-west-3", None)),
        ({"sourceEndpoint": "http://s:1", "kclRegion": "eu-west-3"}, "http://s:1", "http://s:1", ("eu-west-3", None)),
        ({"kclRegion": "eu-west-3", "kclEndpoint": "http://k:3"}, None, None, ("eu-west-3", "http://k:3")),
    ],
)
def test_places_default_to_the_sources(
    given: dict[str, str], source: str | None, streams: str | None, kcl: tuple[str, str | None]
) -> None:
    """Each endpoint works alone; stream and checkpoints are where the source is, unless told otherwise."""
    found = task(**given)
    assert (source, streams) == (found.source_endpoint, found.source_streams_endpoint)
    assert kcl == (found.kcl_region, found.kcl_endpoint)


@pytest.mark.parametrize("name", [*REQUIRED, "batchSize", "coalesce", "writeMode", "kclRegion", "taskName"])
def test_an_empty_value_counts_as_not_given(name: str) -> None:
    """``name=`` in the file is the default, or the error that a required setting is missing; never an empty setting."""
    text = javaproperties.dumps(REQUIRED | {name: ""})
    if name in REQUIRED:
        with pytest.raises(UsageError, match=f"{name} is not set"):
            load(text)
    else:
        assert task() == load(text)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sourceRegion", "eu_west_1"),
        ("sourceRegion", "eu-west-1 "),
        ("destinationTable", "a b"),
        ("sourceTable", "ab"),
        ("sourceEndpoint", "localhost:8000"),
        ("sourceEndpoint", "http://host:port"),
        ("sourceEndpoint", "http://user:password@host"),
        ("sourceRoleArn", "reader"),
        ("taskName", "a/b"),
        ("taskName", ".."),
        ("taskName", "x" * 226),
        ("batchSize", "0"),
        ("batchSize", "1001"),
        ("batchSize", "ten"),
        ("coalesce", "yes"),
        ("writeMode", "Batch"),
        ("onError", "ignore"),
        ("onError", "deadLetter"),  # without deadLetterUri
        ("deadLetterUri", "https://bucket/key"),
        ("deadLetterUri", "s3://Bucket/key"),
        ("deadLetterUri", "s3:///key"),
        ("deadLetterUri", "s3://bucket/key?versionId=1"),
        ("deadLetterUri", "s3://bucket//key"),
        ("deadLetterUri", "s3://bucket/" + 501 * "k"),
        ("deadLetterUri", "file://relative/path"),
        ("deadLetterUri", "file:///directory/"),
        ("javaOptions", '-Dname="unclosed'),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(name: str, value: str) -> None:
    """A bad value ends the start with a message that names the setting; nothing is guessed or capped."""
    with pytest.raises(UsageError, match=name):
        task(**{name: value})


@pytest.mark.parametrize(
    ("given", "meant"), [("souceTable", "sourceTable"), ("failoverTimeMilis", "failoverTimeMillis")]
)
@pytest.mark.parametrize("place", ["file", "arguments"])
def test_an_unknown_name_is_refused(place: str, given: str, meant: str) -> None:
    """A name that nobody knows is an error that offers the nearest one, in the file as on the command line."""
    with pytest.raises(UsageError, match=f"Unknown setting {given}. Did you mean {meant}?"):
        load(
            FILE + f"{given}=1\n" if place == "file" else FILE, arguments=[] if place == "file" else [f"--{given}", "1"]
        )


@pytest.mark.parametrize(
    "arguments",
    [
        ["stray"],
        ["--sourceTable"],
        ["--source", "x"],
        ["--batchSize", "1", "stray"],
        ["--taskName", "--dontPublishCloudwatch"],
        ["--taskName", "--batchSize=5"],
    ],
    ids=" ".join,
)
def test_a_command_line_that_makes_no_sense_is_refused(arguments: list[str]) -> None:
    """Stray arguments, missing values and abbreviations are errors of usage."""
    with pytest.raises(UsageError):
        load(FILE, arguments=arguments)


def test_a_value_may_begin_with_a_hyphen() -> None:
    """``--name value`` works for every value, JVM options too."""
    assert load(FILE, arguments=["--javaOptions=-Xmx1g"]).java_options == "-Xmx1g"
    assert load(FILE, arguments=["--javaOptions", "-Xmx1g"]).java_options == "-Xmx1g"


def test_a_flag_alone_is_true() -> None:
    """A boolean setting needs no value on the command line, and takes one."""
    assert load(FILE, arguments=["--dontPublishCloudwatch"]).dont_publish_cloudwatch
    assert not load(FILE, arguments=["--coalesce", "false"]).coalesce


def test_kcls_own_properties_pass() -> None:
    """Any KCL property may stand in the file, dotted ones too, or be a flag; it is kept as it is."""
    found = load(FILE + "failoverTimeMillis=7000\nkinesisClient.region=x\n", arguments=["--maxLeasesForWorker", "3"])
    assert found.kcl == {"failoverTimeMillis": "7000", "kinesisClient.region": "x", "maxLeasesForWorker": "3"}


@pytest.mark.parametrize(
    ("theirs", "ours", "attribute"),
    [
        ("maxRecords=500", "batchSize=500", "batch_size"),
        ("regionName=eu-west-3", "kclRegion=eu-west-3", "kcl_region"),
        ("dynamoDBEndpoint=http://k:1", "kclEndpoint=http://k:1", "kcl_endpoint"),
        ("kinesisEndpoint=http://t:1", "sourceStreamsEndpoint=http://t:1", "source_streams_endpoint"),
    ],
)
def test_kcls_name_for_a_setting_of_ours_is_that_setting(theirs: str, ours: str, attribute: str) -> None:
    """Where KCL has a name of its own for a setting, either will do, and two different values are refused."""
    name, value = theirs.split("=")
    expected = getattr(load(FILE + ours), attribute)
    assert expected == getattr(load(FILE + theirs), attribute) == getattr(load(f"{FILE}{ours}\n{theirs}"), attribute)
    assert name not in load(FILE + theirs).kcl
    with pytest.raises(UsageError, match="two values"):
        load(f"{FILE}{ours}\n{name}={value}9")


def test_paths_are_absolute() -> None:
    """Relative paths start where the command was given, logs go to the checkout's, and a URI is decoded."""
    found = task(logDirectory="log", logConfiguration="my.xml", onError="deadLetter", deadLetterUri="file:///a%20b/c")
    assert (str(DIRECTORY / "log"), str(DIRECTORY / "my.xml")) == (found.log_directory, found.log_configuration)
    assert found.dead_letter_path == "/a b/c"
    assert str(LOG_DIRECTORY) == task().log_directory


def test_companion_tables_fit_and_never_meet() -> None:
    """A table beside the checkpoint table has at most 255 characters, and two tasks never share one."""
    assert companion_table("table", "-Task") == "table-Task"
    names = [companion_table("x" * 251 + end, "-Task") for end in ("aaaa", "aaab")]
    assert {MAX_TABLE_NAME} == {len(name) for name in names}
    assert len(set(names)) == 2


def test_the_version_ends_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    """It is the wheel's, and nothing else is said or asked for."""
    with pytest.raises(SystemExit) as ended:
        load(arguments=["--version"])
    assert (ended.value.code, capsys.readouterr().out) == (0, f"run.sh {__version__}\n")


def test_help_ends_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    """``--help`` prints and ends with 0, whatever else is missing."""
    with pytest.raises(SystemExit) as ended:
        load("", arguments=["--help"])
    assert ended.value.code == 0
    assert "sourceTable" in capsys.readouterr().out


def test_an_alias_follows_the_usual_order() -> None:
    """KCL's name for a setting of ours is that setting: the command line wins over the file, whatever the names."""
    assert load(FILE + "maxRecords=500\n", arguments=["--batchSize", "100"]).batch_size == 100
    assert load(FILE + "batchSize=500\n", arguments=["--maxRecords", "100"]).batch_size == 100
    with pytest.raises(UsageError, match="two values"):
        load(FILE + "maxRecords=500\nbatchSize=100\n")


def test_one_kcl_property_has_one_spelling() -> None:
    """Of two spellings of one property KCL would take either, so both together are refused."""
    with pytest.raises(UsageError, match="two spellings"):
        load(FILE + "AwsCredentialsProvider=A\nawsCredentialsProvider=B\n")


def test_a_misspelt_environment_variable_is_refused() -> None:
    """A name close to one of ours is an error; anything else of the prefix is somebody else's business."""
    with pytest.raises(UsageError, match="Did you mean REPLICATION_BATCH_SIZE"):
        load(FILE, environment={"REPLICATION_BATCH_SISE": "5"})
    assert load(FILE, environment={"REPLICATION_FACTOR": "3"}).batch_size == 1000


@pytest.mark.parametrize(
    "content",
    [
        "taskName=zażółć".encode(),
        b"\xef\xbb\xbf" + "taskName=zażółć".encode(),
        b"taskName=za\\u017c\\u00f3\\u0142\\u0107",
    ],
    ids=["UTF-8", "byte order mark", "escapes"],
)
def test_a_file_is_utf_8_where_it_can_be(content: bytes) -> None:
    """A byte order mark is no part of the first name, and characters are those that an editor shows."""
    assert loader.properties_of(loader.decoded(content)) == {"taskName": "zażółć"}


def test_a_file_that_is_no_utf_8_is_latin_1() -> None:
    """As Java reads it."""
    assert loader.decoded("taskName=café".encode("latin-1")) == "taskName=café"
