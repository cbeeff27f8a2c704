"""The files of deploy/: each is accepted by the judge that its own world has for it, and they agree with each other."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import botocore.session
import botocore.validate
import pytest
import yaml

from processor.cli import arguments, registry
from processor.cli import many as many_tasks
from processor.commands.status.options import StatusOptions
from processor.settings import kcl_properties
from processor.startup import java
from processor.system import program
from tests.fakes.machine import image
from tests.fakes.task.tasks import load

DEPLOY = java.ROOT / "deploy"
UNIT = DEPLOY / "systemd" / "dynamodb-replicator@.service"
USER = "10001"
STATE = "/var/lib/dynamodb-replicator"
FILE = "/etc/dynamodb-replicator/replication.properties"
# Beside the time that the batches in hand may take, the JVM has some to end.
STOP_SECONDS = int(kcl_properties.TUNED["shutdownGraceMillis"]) / 1000 + 15


DOCKERFILE = image.instructions()
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
ECS: dict[str, Any] = json.loads((DEPLOY / "ecs-task-definition.json").read_text())
KUBERNETES: dict[str, Any] = {
    each["kind"]: each
    for name in ("kubernetes.yaml", "kubernetes-autoscaler.yaml")
    for each in yaml.safe_load_all((DEPLOY / name).read_text())
}
POD: dict[str, Any] = KUBERNETES["Deployment"]["spec"]["template"]["spec"]


def _in_unit(name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", UNIT.read_text(), re.MULTILINE)


def _in_supervisord(name: str) -> str:
    found = re.findall(rf"^{name}=(.*)$", (DEPLOY / "supervisord.conf").read_text(), re.MULTILINE)
    assert len(found) == 1
    return str(found[0])


# --- The image -------------------------------------------------------------------------------------------------------


def test_the_image_runs_the_command_itself_without_rights() -> None:
    """No shell stands between the engine's signals and the command, and its user is not root, by number."""
    last = dict(DOCKERFILE)  # of each instruction the last, which is the final stage's
    assert last["USER"] == f"{USER}:{USER}"
    assert json.loads(last["ENTRYPOINT"]) == ["dynamodb-replicator"]
    assert json.loads(last["CMD"]) == [FILE]
    assert last["VOLUME"] == STATE
    assert f"REPLICATION_LOG_DIRECTORY={STATE}" in last["ENV"]


def test_the_images_health_is_what_status_says() -> None:
    """HEALTHCHECK runs status, with options that status has, on the file that the image replicates by default."""
    words: list[str] = json.loads(dict(DOCKERFILE)["HEALTHCHECK"].partition("CMD ")[2])
    options, rest = registry.COMMANDS["status"].take(words[2:])
    assert (words[:2], rest) == (["dynamodb-replicator", "status"], [FILE])
    assert options == StatusOptions(max_lag_seconds=3600)


def test_the_image_is_made_of_what_the_checkout_has() -> None:
    """Whatever is copied into the image is committed, and is let through to the engine."""
    copied = {
        source
        for name, words in DOCKERFILE
        if name == "COPY" and "--from" not in words
        for source in words.split()[:-1]
    }
    tracked = subprocess.run(["git", "ls-files"], cwd=java.ROOT, capture_output=True, text=True, check=True).stdout
    committed = set(tracked.splitlines())
    assert copied <= committed | {line.split("/")[0] for line in committed}
    let_through = set(re.findall(r"^!(\S+)$", (DEPLOY / "Dockerfile.dockerignore").read_text(), re.MULTILINE))
    assert let_through == copied - {path for path in copied if path.split("/")[0] in copied and "/" in path}


# --- What runs it ----------------------------------------------------------------------------------------------------


def test_ecs_would_take_the_task_definition() -> None:
    """It is what RegisterTaskDefinition takes, by the AWS SDK's own model of that call."""
    model = botocore.session.get_session().get_service_model("ecs").operation_model("RegisterTaskDefinition")
    report = botocore.validate.ParamValidator().validate(ECS, model.input_shape)
    assert report.generate_report() == ""


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    """``systemd-analyze`` has nothing against it, and finds it well shut off from the rest of the machine."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("this machine has no systemd-analyze")
    copy = tmp_path / UNIT.name
    copy.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", UNIT.read_text(), flags=re.MULTILINE))
    for judge in (["verify"], ["security", "--offline=true", "--threshold=20", "--no-pager"]):
        found = subprocess.run(["systemd-analyze", *judge, copy], capture_output=True, text=True, check=False)
        assert (found.returncode, found.stderr) == (0, ""), found.stdout


def _environment(where: str) -> dict[str, str]:
    if where == "ecs":
        return {each["name"]: each["value"] for each in ECS["containerDefinitions"][0]["environment"]}
    environment: dict[str, str] = COMPOSE["services"][where]["environment"]
    return environment


@pytest.mark.parametrize("where", ["copy", "replicator", "ecs", "kubernetes"])
def test_their_settings_are_settings(where: str) -> None:
    """Names and values of each example are ones that the program takes; its metrics are where the example says."""
    if where == "kubernetes":
        found = load(KUBERNETES["ConfigMap"]["data"]["replication.properties"])
    else:
        found = load(environment=_environment(where))
    assert (found.source_table, found.destination_table, found.metrics_port) == ("orders", "orders-copy", 9404)


def test_each_waits_longer_than_a_stop_takes() -> None:
    """Whatever stops a daemon gives it the time for the batches in hand, and then some."""
    given = {
        "compose": COMPOSE["services"]["replicator"]["stop_grace_period"].removesuffix("s"),
        "ecs": ECS["containerDefinitions"][0]["stopTimeout"],
        "kubernetes": POD["terminationGracePeriodSeconds"],
        "supervisord": _in_supervisord("stopwaitsecs"),
        "systemd": _in_unit("TimeoutStopSec")[0],
    }
    assert [name for name, seconds in given.items() if int(seconds) < STOP_SECONDS] == []


def test_none_starts_again_for_ever_what_is_not_ready() -> None:
    """Exit status 22 is not restarted, where its world has a word for that."""
    assert _in_unit("RestartPreventExitStatus") == ["22"]
    assert _in_supervisord("exitcodes").split(",") == ["0", "22"]
    assert ECS["containerDefinitions"][0]["restartPolicy"]["ignoredExitCodes"] == [0, 22]
    assert COMPOSE["services"]["replicator"]["restart"] == "on-failure:5"


def test_none_kills_a_daemon_for_what_it_waits_for() -> None:
    """A destination that is down makes status end with 1; nothing that kills or replaces daemons asks it."""
    assert [name for name in POD["containers"][0] if name.endswith("Probe")] == []
    assert "healthCheck" not in ECS["containerDefinitions"][0]


def test_each_is_without_rights_and_writes_in_one_place() -> None:
    """The user, the read-only root and the one folder for logs and locks are the image's, everywhere."""
    task, pod = ECS["containerDefinitions"][0], POD["containers"][0]
    assert (task["user"], POD["securityContext"]["runAsUser"]) == (f"{USER}:{USER}", int(USER))
    assert task["readonlyRootFilesystem"]
    assert pod["securityContext"]["readOnlyRootFilesystem"]
    assert COMPOSE["services"]["replicator"]["read_only"]
    assert [each["containerPath"] for each in task["mountPoints"]] == [STATE]
    assert [each["mountPath"] for each in pod["volumeMounts"] if not each.get("readOnly")] == [STATE]
    assert STATE in _in_supervisord("environment")


def test_a_folder_that_all_can_write_is_taken_only_in_a_pod() -> None:
    """Kubernetes makes an emptyDir for everybody, and says nowhere who is in the pod; no other example needs it."""
    assert "emptyDir" in next(each for each in POD["volumes"] if each["name"] == "state")
    assert load(KUBERNETES["ConfigMap"]["data"]["replication.properties"]).allow_shared_folders
    for where in ("copy", "replicator", "ecs"):
        assert not load(environment=_environment(where)).allow_shared_folders


def test_many_tasks_on_kubernetes_differ_in_their_settings_alone(tmp_path: Path) -> None:
    """Each file of the ConfigMap is a task that can be begun; all else is as for one task."""
    many: dict[str, Any] = {
        each["kind"]: each for each in yaml.safe_load_all((DEPLOY / "kubernetes-many.yaml").read_text())
    }
    for name, text in many["ConfigMap"].pop("data").items():
        (tmp_path / name).write_text(text)
    tasks = many_tasks.named(arguments.take_named([str(tmp_path)]), registry.REPLICATE, environment={})
    assert [(task.file.name, task.error, task.findings) for task in tasks] == [
        ("customers", "", ()),
        ("orders", "", ()),
    ]
    assert {task.settings.metrics_port for task in tasks if task.settings} == {9404}
    one = {kind: KUBERNETES[kind] for kind in many}
    container = many["Deployment"]["spec"]["template"]["spec"]["containers"][0]
    assert container["args"] == [str(Path(FILE).parent)]
    container["args"] = [FILE]
    one["ConfigMap"] = {name: value for name, value in one["ConfigMap"].items() if name != "data"}
    text = json.dumps(many).replace("dynamodb-replicator-all", "dynamodb-replicator-orders")
    assert json.loads(text.replace('instance": "all"', 'instance": "orders"')) == one


def test_kubernetes_parts_belong_together() -> None:
    """Selectors, volumes, budget and autoscaler name what there is."""
    labels = KUBERNETES["Deployment"]["spec"]["template"]["metadata"]["labels"]
    name = KUBERNETES["Deployment"]["metadata"]["name"]
    for kind in ("Deployment", "PodDisruptionBudget"):
        assert KUBERNETES[kind]["spec"]["selector"]["matchLabels"] == labels
    assert KUBERNETES["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]["name"] == name
    assert POD["serviceAccountName"] == KUBERNETES["ServiceAccount"]["metadata"]["name"]
    assert POD["volumes"][0]["configMap"]["name"] == KUBERNETES["ConfigMap"]["metadata"]["name"]
    assert {each["name"] for each in POD["volumes"]} == {each["name"] for each in POD["containers"][0]["volumeMounts"]}


def test_they_start_the_installed_command_by_one_name() -> None:
    """Systemd and supervisord start what the documented installation puts there."""
    for line in (_in_unit("ExecStart")[0], _in_supervisord("command")):
        path, file = shlex.split(line)
        assert path == "/opt/dynamodb-replicator/bin/dynamodb-replicator"
        assert file.startswith("/etc/dynamodb-replicator/")
    scripts = (java.ROOT / "pyproject.toml").read_text().partition("[project.scripts]\n")[2].splitlines()[0]
    assert scripts == 'dynamodb-replicator = "processor.cli.main:console"'
    assert program.NAME == "run.sh"


def test_compose_has_the_tests_dynamodb_local() -> None:
    """The version that the demo and the tests prove is the one in the compose file."""
    pom = (java.ROOT / "daemon" / "dynamodb-local" / "pom.xml").read_text()
    version = re.search(r"<version>([\d.]+)</version>\s*</dependency>|<dynamodb-local.version>([\d.]+)<", pom)
    assert version is not None
    assert COMPOSE["services"]["dynamodb"]["image"] == f"amazon/dynamodb-local:{version[1] or version[2]}"
