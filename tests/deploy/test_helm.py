"""deploy/helm/: rendered, the chart is deploy/kubernetes*.yaml."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from processor import __version__
from processor.cli import arguments, registry
from processor.cli import many as many_tasks
from processor.startup import java
from tests.fakes.machine import chart, checkers
from tests.fakes.task.tasks import load

DEPLOY = java.ROOT / "deploy"
# What Helm's own habits add to every object.
_OF_HELM = ("app.kubernetes.io/version", "app.kubernetes.io/managed-by", "helm.sh/chart")


def _objects(text: str) -> dict[str, Any]:
    return {each["kind"]: each for each in yaml.safe_load_all(text) if each}


def _written(*names: str) -> dict[str, Any]:
    return _objects("\n---\n".join((DEPLOY / name).read_text() for name in names))


def _environment(container: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["value"] for each in container.pop("env")}


def _without_helm(objects: dict[str, Any]) -> dict[str, Any]:
    """Without Helm's labels, the settings' sum, and what Kubernetes would take as well."""
    found = json.loads(json.dumps(objects))
    metadata = [each["metadata"] for each in found.values()]
    pod = found["Deployment"]["spec"]["template"]
    for each in [*metadata, pod["metadata"]]:
        for label in _OF_HELM:
            each["labels"].pop(label, None)
    pod["metadata"]["annotations"].pop("checksum/settings", None)
    assert pod["spec"]["containers"][0].pop("imagePullPolicy") == "IfNotPresent"
    return dict(found)


def test_what_is_kept_is_what_the_chart_makes() -> None:
    """After a change of the chart its renderings are made anew (``./test.sh charts``), where Helm is at hand."""
    assert chart.SUM.read_text().strip() == chart.digest(), "deploy/helm/ has changed: run ./test.sh charts"
    if chart.COMMAND is None:
        pytest.skip("this machine has no helm: what it made before is looked at, not made anew")
    for name in chart.RELEASES:
        done = chart.rendered(name)
        assert (done.returncode, done.stdout) == (0, chart.kept(name)), done.stderr
    values = chart.KEPT / "one.values.yaml"
    lint = [chart.COMMAND, "lint", "--strict", chart.CHART, "--values", values]
    done = subprocess.run(lint, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("name", "more", "words"),
    [
        ("one", ["--set", "tasks.orders=x"], "properties is one task's file, and tasks has many"),
        ("one", ["--set", "properties="], "No task: give its properties file"),
        ("one", ["--set", "common=x"], "common is what many tasks inherit, and there are none"),
        ("one", ["--set", "replica=3"], "replica"),
        ("one", ["--set", "terminationGracePeriodSeconds=30"], "terminationGracePeriodSeconds"),
        ("many", ["--set", "tasks.common=x"], "common"),
    ],
)
def test_values_that_mean_nothing_are_refused(name: str, more: list[str], words: str) -> None:
    """A slip in a name is one; so is what would be left out."""
    if chart.COMMAND is None:
        pytest.skip("this machine has no helm")
    done = chart.rendered(name, *more)
    assert (done.returncode != 0, words in done.stderr) == (True, True), done.stderr


def test_one_task_is_kubernetes_yaml() -> None:
    """Object for object; the settings that are the place's come by the environment, and mean the same."""
    ours = _without_helm(_objects(chart.kept("one")))
    theirs = _written("kubernetes.yaml")
    text = ours["ConfigMap"].pop("data")["replication.properties"]
    container = ours["Deployment"]["spec"]["template"]["spec"]["containers"][0]
    expected = load(theirs["ConfigMap"].pop("data")["replication.properties"])
    assert load(text, environment=_environment(container)) == expected
    assert ours == theirs


def test_many_tasks_are_kubernetes_many_yaml(tmp_path: Path) -> None:
    """The same, with a file for each task, and what they inherit."""
    ours = _without_helm(_objects(chart.kept("many")))
    theirs = _written("kubernetes-many.yaml")
    environment = _environment(ours["Deployment"]["spec"]["template"]["spec"]["containers"][0])
    found = []
    for where, files, variables in (
        ("theirs", theirs["ConfigMap"].pop("data"), {}),
        ("ours", ours["ConfigMap"].pop("data"), environment),
    ):
        (tmp_path / where).mkdir()
        for name, text in files.items():
            (tmp_path / where / name).write_text(text)
        named = arguments.take_named([str(tmp_path / where)])
        tasks = many_tasks.named(named, registry.REPLICATE, environment=variables)
        assert [(task.error, task.findings) for task in tasks] == [("", ()), ("", ())]
        found.append([(task.file.name, task.settings) for task in tasks])
    assert found[0] == found[1]
    assert ours == theirs


def test_every_other_value_has_its_place() -> None:
    """The autoscaler is the one of deploy/; the rest is in the pod."""
    found = _objects(chart.kept("all"))
    scaler = found["HorizontalPodAutoscaler"]
    for label in _OF_HELM:
        scaler["metadata"]["labels"].pop(label)
    assert scaler == _written("kubernetes-autoscaler.yaml")["HorizontalPodAutoscaler"]
    assert not {"ServiceAccount", "PodDisruptionBudget"} & found.keys()
    assert "replicas" not in found["Deployment"]["spec"]
    assert found["PodMonitor"]["spec"]["podMetricsEndpoints"] == [{"port": "metrics", "path": "/metrics"}]
    template = found["Deployment"]["spec"]["template"]
    assert not [name for name in template["metadata"]["annotations"] if name.startswith("prometheus.io")]
    pod = template["spec"]
    container = pod["containers"][0]
    digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    assert container["image"] == f"registry.example.com/dynamodb-replicator@{digest}"
    given = yaml.safe_load((chart.KEPT / "all.values.yaml").read_text())
    assert found["ConfigMap"]["data"] == {"replication.properties": given["properties"]}
    for name in ("imagePullSecrets", "nodeSelector", "tolerations", "affinity", "priorityClassName"):
        assert pod[name] == given[name]
    assert (pod["serviceAccountName"], container["envFrom"]) == ("replicators", given["envFrom"])
    assert given["env"][0] in container["env"]
    assert given["extraVolumes"][0] in pod["volumes"]
    assert given["extraVolumeMounts"][0] in container["volumeMounts"]
    assert given["podLabels"].items() <= template["metadata"]["labels"].items()
    assert given["podAnnotations"].items() <= template["metadata"]["annotations"].items()
    assert container["ports"] == [{"name": "metrics", "containerPort": 9405}]


def test_kubernetes_would_take_it(tmp_path: Path) -> None:
    """By Kubernetes' own schemas; the monitor is the Prometheus operator's."""
    for name in chart.RELEASES:
        objects = [each for kind, each in _objects(chart.kept(name)).items() if kind != "PodMonitor"]
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump_all(objects))
    judge = [Path(sys.executable).parent / "kubernetes-validate", "--strict", "--quiet", *tmp_path.iterdir()]
    done = subprocess.run(judge, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


@pytest.mark.skipif(checkers.KUBECONFORM is None, reason=checkers.ABSENT)
@pytest.mark.parametrize("kubernetes", ["1.25.0", "1.30.0", "1.37.0"])
def test_old_and_new_kubernetes_would_take_it(tmp_path: Path, kubernetes: str) -> None:
    """From the first that has all kinds to the newest, what is in deploy/ and what the chart makes, by kubeconform."""
    assert checkers.KUBECONFORM is not None
    files = [*sorted(DEPLOY.glob("kubernetes*.yaml")), *sorted(chart.KEPT.glob("*.rendered.yaml"))]
    kinds = {kind for path in files for kind in _objects(path.read_text())}
    where = checkers.schemas(tmp_path, kinds, kubernetes=kubernetes)
    judge = [checkers.KUBECONFORM, "-strict", "-summary", "-skip", "PodMonitor", "-schema-location", where, *files]
    done = subprocess.run(judge, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert re.search(r"Invalid: 0, Errors: 0, Skipped: 1$", done.stdout.strip()), done.stdout


def test_its_values_are_those_of_its_schema() -> None:
    """Each is in both, and the chart is of this version."""
    values = yaml.safe_load((chart.CHART / "values.yaml").read_text())
    schema = json.loads((chart.CHART / "values.schema.json").read_text())
    jsonschema.validate(values, schema)
    assert values.keys() | {"global"} == schema["properties"].keys()
    about = yaml.safe_load((chart.CHART / "Chart.yaml").read_text())
    assert (about["version"], about["appVersion"]) == (__version__, __version__)
