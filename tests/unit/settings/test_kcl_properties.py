"""KCL's own properties."""

from __future__ import annotations

import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest

from processor.errors import UsageError
from processor.settings import loader
from processor.settings.definitions import BY_NAME
from processor.settings.kcl_properties import BEANS, DECIDED_BY, KINDS, TUNED, canonical, check, is_known
from processor.startup import java
from tests.fakes.patience import PATIENCE_SECONDS

FAKE = Path(__file__).parents[2] / "fakes" / "java" / "KclSetters.java"
# Read by the MultiLangDaemon itself, so KCL's configuration class has no setter for them.
READ_BY_THE_DAEMON = {"executableName", "maxActiveThreads", "processingLanguage"}
KIND_OF_TYPE = {
    "boolean": "boolean",
    "int": "integer",
    "integer": "integer",
    "long": "long integer",
    "double": "decimal",
}
# Given as seconds since the epoch.
KIND_OF_TYPE["initialpositioninstreamextended"] = "long integer"


@pytest.fixture(scope="module")
def reflected() -> list[list[str]]:
    """What KCL's configuration class has, line by line."""
    kclpy = find_spec("amazon_kclpy")
    assert kclpy is not None
    assert kclpy.origin is not None
    jars = Path(kclpy.origin).parent / "jars"
    command = [java.executable(), "-XX:TieredStopAtLevel=1", "-cp", f"{jars}/*", str(FAKE)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE_SECONDS)
    return [line.split() for line in answer.stdout.splitlines()]


def test_the_catalogue_is_kcls(reflected: list[list[str]]) -> None:
    """Every property that KCL has is in the catalogue, decided by us, or a setting of ours; and no others are."""
    setters = {line[1] for line in reflected if line[0] == "setter"}
    ours = set(BY_NAME) & setters
    assert {"parentShardPollIntervalMillis"} == ours
    assert setters | READ_BY_THE_DAEMON == set(KINDS) | set(DECIDED_BY) | ours
    assert set() == set(KINDS) & set(DECIDED_BY)


def test_kinds_are_kcls_types(reflected: list[list[str]]) -> None:
    """A property's kind is that of the type KCL parses it into."""
    types = {line[1]: line[2] for line in reflected if line[0] == "setter"}
    expected = {name: KIND_OF_TYPE.get(types[name].lower(), "text") for name in KINDS if name in types}
    assert expected == {name: kind for name, kind in KINDS.items() if name in types}


def test_beans_are_kcls(reflected: list[list[str]]) -> None:
    """Only what has properties of its own in KCL may be named with a dot."""
    assert {line[1] for line in reflected if line[0] == "bean"} >= BEANS


def test_aliases_lead_from_kcls_names_to_ours() -> None:
    """Each alias is a property of KCL and stands for a setting of ours."""
    assert loader.ALIASES.keys() <= KINDS.keys()
    assert set(loader.ALIASES.values()) <= set(BY_NAME)


@pytest.mark.parametrize(("name", "value"), TUNED.items(), ids=TUNED)
def test_our_own_values_pass_our_own_check(name: str, value: str) -> None:
    """What we tune is known to KCL, and of the right kind."""
    assert is_known(name)
    check(name, value)


@pytest.mark.parametrize("name", DECIDED_BY)
def test_what_another_setting_decides_is_refused(name: str) -> None:
    """A property that says which stream is read, and by whom, can't be given; the message names what decides it."""
    with pytest.raises(UsageError, match="is decided by"):
        check(name, "x")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("failoverTimeMillis", "10s"),
        ("failoverTimeMillis", ""),
        ("failoverTimeMillis", "0"),
        ("failoverTimeMillis", "-5000"),
        ("failoverTimeMillis", "1" * 20),
        ("maxRecords", "3000000000"),
        ("cleanupLeasesUponShardCompletion", "yes"),
        ("workerMetricsEMAAlpha", "half"),
        ("initialPositionInStream", "AT_TIMESTAMP"),
    ],
)
def test_what_kcl_would_misread_is_refused(name: str, value: str) -> None:
    """A value that KCL would take for 0 or false without a word is an error."""
    with pytest.raises(UsageError, match=name):
        check(name, value)


@pytest.mark.parametrize("value", ["-1", "20001", "60000"])
def test_a_pause_after_which_kcl_takes_a_shard_for_stuck_is_refused(value: str) -> None:
    """KCL's own pause and ours have one limit, and both messages say what would follow."""
    with pytest.raises(UsageError, match=r"20000; after longer pauses KCL takes the shard for stuck"):
        check("idleTimeBetweenReadsInMillis", value)
    with pytest.raises(ValueError, match=r"1 to 20000; after longer pauses KCL takes the shard for stuck"):
        BY_NAME["idleTimeBetweenReadsMaxMillis"].parse(value)


def test_the_longest_pause_is_allowed() -> None:
    """The limit itself can be given."""
    check("idleTimeBetweenReadsInMillis", "20000")
    assert BY_NAME["idleTimeBetweenReadsMaxMillis"].parse("20000") == 20_000


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("AWSCredentialsProvider", True),
        ("awscredentialsproviderDynamoDB", True),
        ("kinesisClient.region", True),
        ("fanoutConfig.consumerArn", True),
        ("kinesisClient", False),
        ("pollingConfig", False),
        ("FailoverTimeMillis", False),
    ],
)
def test_names_are_known_as_kcl_knows_them(name: str, *, known: bool) -> None:
    """KCL takes credentials' names in any case, dotted names of its beans, and every other name letter by letter."""
    assert known == is_known(name)


def test_credentials_names_have_one_form() -> None:
    """However ``AwsCredentialsProvider`` is written, it is one property, so the user's replaces ours."""
    assert canonical("AwsCredentialsProvider") == canonical("AWSCREDENTIALSPROVIDER") == "awsCredentialsProvider"
    assert canonical("AwsCredentialsProviderDynamoDB") == "awsCredentialsProviderDynamoDB"
