"""deploy/terraform/: the same service as deploy/ecs-task-definition.json, and the same alarms as CloudFormation's."""

from __future__ import annotations

import functools
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import botocore.validate
import hcl2
import msgspec
import pytest
import yaml
from moto import mock_aws

from processor.aws.clients import Clients
from processor.commands.demo.workload import create_table
from processor.commands.policy import command
from processor.commands.policy.command import PolicyReport
from processor.commands.policy.options import PolicyOptions
from processor.startup import java
from tests.fakes.machine import terraform
from tests.fakes.task import tasks

FOLDER = java.ROOT / "deploy" / "terraform"
SERVICE = FOLDER / "service"
ECS: dict[str, Any] = json.loads((java.ROOT / "deploy" / "ecs-task-definition.json").read_text())
PROPERTIES = (FOLDER / "example" / "orders.properties").read_text()
# What each resource here may be given, of what the provider has. A word that is not here is a slip, or is to be added.
ARGUMENTS = {
    "aws_cloudwatch_log_group": {"name", "retention_in_days", "tags"},
    "aws_cloudwatch_metric_alarm": {
        *(
            "alarm_name",
            "alarm_description",
            "alarm_actions",
            "ok_actions",
            "comparison_operator",
            "datapoints_to_alarm",
        ),
        *("evaluation_periods", "metric_name", "metric_query", "namespace", "period", "statistic", "tags", "threshold"),
        "treat_missing_data",
    },
    "aws_ecs_cluster": {"name"},
    "aws_ecs_service": {
        *("name", "cluster", "task_definition", "desired_count", "launch_type", "propagate_tags", "tags"),
        *("deployment_minimum_healthy_percent", "deployment_maximum_percent", "deployment_circuit_breaker"),
        "network_configuration",
    },
    "aws_ecs_task_definition": {
        *("family", "requires_compatibilities", "network_mode", "cpu", "memory", "execution_role_arn", "task_role_arn"),
        *("container_definitions", "tags", "runtime_platform", "volume"),
    },
    "aws_iam_role": {"name", "assume_role_policy", "permissions_boundary", "tags"},
    "aws_iam_role_policy": {"name", "role", "policy"},
}
_OF_EVERY_RESOURCE = {"for_each", "depends_on", "lifecycle"}


def _plain(value: Any) -> Any:
    """What python-hcl2 has read, with strings as strings and without its own marks."""
    if isinstance(value, dict):
        return {_plain(name): _plain(each) for name, each in value.items() if not str(name).startswith("__")}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value[1:-1].replace('\\"', '"') if isinstance(value, str) and re.fullmatch('".*"', value) else value


@functools.cache
def _files() -> dict[str, Any]:
    """All of them, parsed: which takes its time."""
    return {str(path.relative_to(FOLDER)): hcl2.loads(path.read_text()) for path in sorted(FOLDER.rglob("*.tf"))}


def _blocks(kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each block of a kind: the module that it is in, and what is in it by its labels."""
    for name, content in _files().items():
        for block in content.get(kind, []):
            yield Path(name).parent.name, _plain(block)


# --- All of it -------------------------------------------------------------------------------------------------------


def _arguments(content: dict[str, Any]) -> Iterator[str]:
    for name, value in content.items():
        if name == "dynamic":
            yield from (each for block in value for each in block)
        else:
            yield name


def test_resources_are_given_what_they_take() -> None:
    """Each argument and block of each resource is one that the provider has."""
    found = [
        (kind, argument)
        for _, resource in _blocks("resource")
        for kind, named in resource.items()
        for content in named.values()
        for argument in _arguments(content)
    ]
    assert {kind for kind, _ in found} == set(ARGUMENTS)
    assert [each for each in found if each[1] not in ARGUMENTS[each[0]] | _OF_EVERY_RESOURCE] == []


def test_variables_are_used_and_described() -> None:
    """And nothing is used that is not there."""
    for module in ("service", "alarms", "example"):
        text = "".join(path.read_text() for path in (FOLDER / module).glob("*.tf"))
        declared = {
            name: each for where, block in _blocks("variable") if where == module for name, each in block.items()
        }
        assert set(re.findall(r"\bvar\.(\w+)", text)) == set(declared)
        assert [name for name, each in declared.items() if not (each.get("description") and each.get("type"))] == []
        known = {name for where, block in _blocks("locals") if where == module for name in block}
        assert set(re.findall(r"\blocal\.(\w+)", text)) == known


def test_the_example_gives_the_modules_what_they_want() -> None:
    """Every variable without a default, and none that there is not."""
    modules = {name: each for _, block in _blocks("module") for name, each in block.items()}
    assert set(modules) == {"orders", "alarms"}
    for given in modules.values():
        where = Path(given.pop("source")).name
        wanted = {
            name: each for module, block in _blocks("variable") if module == where for name, each in block.items()
        }
        assert {name for name, each in wanted.items() if "default" not in each} <= set(given) <= set(wanted)
    assert tasks.load(PROPERTIES).task_name in modules["alarms"]["task_names"]


def test_it_is_as_terraform_writes_it() -> None:
    """``terraform fmt`` has nothing to change."""
    if terraform.COMMAND is None:
        pytest.skip("this machine has no terraform")
    assert terraform.is_formatted(FOLDER) == ""


# --- The alarms ------------------------------------------------------------------------------------------------------


ALARMS = java.ROOT / "docs" / "metrics" / "cloudwatch-alarms.yml"


def _template() -> dict[str, dict[str, Any]]:
    """CloudFormation's alarms by their names."""
    return {name: each["Properties"] for name, each in yaml.safe_load(ALARMS.read_text())["Resources"].items()}


def _names(value: Any) -> set[str]:
    """Of all properties in it."""
    if isinstance(value, list):
        return set().union(*map(_names, value))
    return set(value).union(*map(_names, value.values())) if isinstance(value, dict) else set()


def test_the_alarms_have_all_that_cloudformations_have() -> None:
    """The module reads the template, and gives each alarm every property that is in it."""
    used = set(re.findall(r"\.([A-Z]\w+)|\"(Fn::Sub)\"", (FOLDER / "alarms" / "main.tf").read_text()))
    assert {name for each in used for name in each if name} == _names(list(_template().values())) - {"Ref"}


def test_the_alarms_are_cloudformations_for_each_task(tmp_path: Path) -> None:
    """As Terraform itself reads them."""
    if terraform.COMMAND is None:
        pytest.skip("this machine has no terraform")
    folder, docs = tmp_path / "deploy" / "terraform" / "alarms", tmp_path / "docs" / "metrics"
    folder.mkdir(parents=True)
    docs.mkdir(parents=True)
    shutil.copy(ALARMS, docs)
    names = ["orders", "sizes"]
    variables = {"task_names": names, "topic_arn": "arn:aws:sns:us-east-1:123456789012:on-call"}
    found = terraform.locals_of(FOLDER / "alarms", folder, given={}, variables=variables)
    assert found["each"] == {
        f"{task}-{name}": {**alarm, "task": task} for task in names for name, alarm in _template().items()
    }


# --- The service -----------------------------------------------------------------------------------------------------


@pytest.fixture
def policy() -> PolicyReport:
    """What ``policy`` says of the example, where both tables exist."""
    settings = tasks.load(PROPERTIES)
    with mock_aws():
        clients = Clients(settings)
        create_table(clients.source(), settings.source_table, stream=True)
        create_table(clients.destination(), settings.destination_table, stream=False)
        return command.make(settings, PolicyOptions(commands=("check", "replicate", "status")))


def _worked_out(folder: Path, policy: PolicyReport, **variables: Any) -> dict[str, Any]:
    if terraform.COMMAND is None:
        pytest.skip("this machine has no terraform")
    given = {
        "name": "orders",
        "image": ECS["containerDefinitions"][0]["image"],
        "policy": msgspec.json.encode(policy).decode(),
        "cluster_arn": "arn:aws:ecs:us-east-1:123456789012:cluster/replicators",
        "subnet_ids": ["subnet-1", "subnet-2"],
        "security_group_ids": ["sg-1"],
    }
    return terraform.locals_of(
        SERVICE, folder, given={"region": "us-east-1", "partition": "aws"}, variables={**given, **variables}
    )


def test_the_service_is_the_task_definition(tmp_path: Path, policy: PolicyReport) -> None:
    """But for the settings, which come as files: image, rights, folder, restarts, grace and log are the same."""
    key = "arn:aws:ssm:us-east-1:123456789012:parameter/mask-key"
    found = _worked_out(tmp_path, policy, properties=PROPERTIES, secrets={"MASK_KEY": key})
    _insist_that_ecs_would_take([found["settings_container"], found["replicator_container"]])
    ours, theirs = found["replicator_container"], dict(ECS["containerDefinitions"][0])
    settings = {each["name"]: each["value"] for each in theirs.pop("environment")}
    metrics = {each["name"]: each["value"] for each in ours.pop("environment")}
    assert tasks.load(PROPERTIES, environment=metrics) == tasks.load(environment=settings)
    assert ours.pop("dependsOn") == [{"containerName": "settings", "condition": "SUCCESS"}]
    assert ours.pop("command") == ["/etc/dynamodb-replicator/replication.properties"]
    assert ours.pop("secrets") == [{"name": "MASK_KEY", "valueFrom": key}]
    assert ours["mountPoints"].pop(0)["readOnly"]
    assert ours["portMappings"][0].pop("hostPort") == ours["portMappings"][0]["containerPort"]
    assert ours == theirs
    assert found["full_name"] == ECS["family"]
    assert found["ecr"] == ["arn:aws:ecr:us-east-1:123456789012:repository/dynamodb-replicator"]
    assert found["policies"] == [policy.policies[0].policy]
    text = "".join((SERVICE / name).read_text() for name in ("main.tf", "variables.tf"))
    for name in ("cpu", "memory"):
        assert re.search(rf'variable "{name}" {{[^}}]*default     = {ECS[name]}\n', text)


def _insist_that_ecs_would_take(containers: list[dict[str, Any]]) -> None:
    """By the AWS SDK's own model of RegisterTaskDefinition."""
    given = {**ECS, "containerDefinitions": containers, "volumes": [{"name": "settings"}, {"name": "state"}]}
    model = botocore.session.get_session().get_service_model("ecs").operation_model("RegisterTaskDefinition")
    assert botocore.validate.ParamValidator().validate(given, model.input_shape).generate_report() == ""


def test_the_daemon_finds_the_files_that_were_given(tmp_path: Path, policy: PolicyReport) -> None:
    """Many tasks: the first container's own program writes each file as it is, and the second is told the folder."""
    sizes = 'sourceTable = größen\n# ${not.ours} \\u00e4 "quoted"\n'
    given: dict[str, Any] = {"tasks": {"orders": PROPERTIES, "sizes": sizes}, "common": "metricsPort = 9405\n"}
    (tmp_path / "work").mkdir()
    (tmp_path / "files").mkdir()
    found = _worked_out(tmp_path / "work", policy, **given)
    first = found["settings_container"]
    program, folder = first["command"]
    environment = {each["name"]: each["value"] for each in first["environment"]}
    command_line = [sys.executable, *first["entryPoint"][1:], program, tmp_path / "files"]
    subprocess.run(command_line, env={**environment, "LC_ALL": "C"}, check=True)
    assert {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "files").iterdir()} == {
        "orders.properties": PROPERTIES,
        "sizes.properties": sizes,
        "common.properties": given["common"],
    }
    assert found["replicator_container"]["command"] == [folder] == ["/etc/dynamodb-replicator"]
