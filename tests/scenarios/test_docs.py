"""The pages' commands, typed as they stand: a trial, a cutover with a way back, and what else is typed of one task.

What a block types, and which are not typed, is ``tests/pages.py``'s.
"""

from __future__ import annotations

import re
import signal
from typing import Any

import javaproperties

from processor.commands.demo.workload import create_table, scan
from processor.startup import java
from tests import pages
from tests.fakes.machine.shell import Shell
from tests.fakes.metrics.otlp_receiver import OtlpReceiver
from tests.fakes.patience import PATIENCE_SECONDS, until

# What a person would put into the copy of the template.
_EDITOR = """#!/bin/sh
sed -i '/^\\(source\\|destination\\)\\(Region\\|Table\\) *=/d' "$1"
cat settings >> "$1"
"""


def _put(client: Any, table: str, *keys: str) -> None:
    for key in keys:
        client.put_item(TableName=table, Item={"id": {"S": key}, "total": {"N": "9.50"}})


def test_the_trial_leads_from_nothing_to_a_replica(shell: Shell) -> None:
    """docs/trial.md, typed as it stands, on a server that has no table but one."""
    credentials, table, begin, replicate, look = shell.page("trial.md")
    assert shell.type(credentials) == ""
    assert "AWS_ACCESS_KEY_ID=trial" in shell.run(f"{credentials}env")
    if shell.has("aws"):
        shell.run(table)
    else:  # what it does
        shell.left.remove(table)
        create_table(shell.client, "orders", stream=False)
        _put(shell.client, "orders", "1")
    said = shell.run(begin)
    assert "ready: copy will make the destination and turn the stream on" in said
    assert "Copied 1 items" in said
    running = shell.begin(replicate)
    _put(shell.client, "orders", "2", "3")
    until(lambda: scan(shell.client, "orders") == scan(shell.client, "orders-copy"), "the copies")
    until(lambda: "healthy, running" in shell.run("./run.sh status properties/trial.properties || true"), "health")
    assert "healthy, running" in shell.run(look)
    running.send_signal(signal.SIGINT)
    assert running.wait(PATIENCE_SECONDS) == 0
    assert re.search(r"daemon_stopped records=2 ", shell.console())
    _, *sample = pages.shown("index.md", "$ ./run.sh orders.properties").splitlines()
    # A slow start has told of its progress before its first shard.
    lines = [line for line in shell.console().splitlines() if " INFO progress " not in line]
    shown = lines[: len(sample)]
    assert [bool(re.fullmatch(_sampled(line), each)) for line, each in zip(sample, shown, strict=True)] == [True] * len(
        sample
    ), "\n".join(shown)


def _sampled(line: str) -> str:
    """What a line of a sample stands for: another region, moment, shard or task, and whatever is left out."""
    fixed = re.split(r"[\d-]+T[\d:.]+Z|shardId-\S+|\b(?:us|eu)-\w+-\d|\w*…", line)
    return r"\S*".join(map(re.escape, fixed))


def test_a_cutover_has_a_way_back(shell: Shell) -> None:
    """docs/cutover.md, step by step: nothing is lost on the way there, and nothing on the way back."""
    before, wait, compare, stopped, copy_back, replicate_back = shell.page("cutover.md")
    back = pages.shown("cutover.md", "sourceRegion")
    places = f"sourceEndpoint = {shell.server.endpoint}\ndestinationEndpoint = {shell.server.endpoint}\n"
    ours = javaproperties.loads((shell.folder / "properties/trial.properties").read_text())
    shell.write("orders.properties", javaproperties.dumps({**ours, "taskName": "there"}, timestamp=False))
    shell.write("back.properties", f"{back}\n{places}dontPublishCloudwatch = true\n".replace("eu-west-1", "us-east-1"))
    create_table(shell.client, "orders", stream=False)
    _put(shell.client, "orders", *map(str, range(20)))
    shell.run("./run.sh copy orders.properties")
    there = shell.begin("./run.sh orders.properties")
    _put(shell.client, "orders", "written before the switch")
    until(lambda: shell.run("./run.sh status orders.properties >/dev/null && echo well || true") != "", "health")
    shell.run(before)
    shell.run(wait)
    assert scan(shell.client, "orders") == scan(shell.client, "orders-copy")
    shell.run(compare)
    there.terminate()
    assert there.wait(PATIENCE_SECONDS) == 0
    assert "stopped" in shell.run(stopped, status=1)
    shell.run(copy_back)
    back_again = shell.begin(replicate_back)
    _put(shell.client, "orders-copy", "written after the switch")
    until(lambda: "written after the switch" in scan(shell.client, "orders"), "the way back")
    assert scan(shell.client, "orders") == scan(shell.client, "orders-copy")
    back_again.terminate()
    assert back_again.wait(PATIENCE_SECONDS) == 0


def test_every_command_of_one_task(shell: Shell) -> None:
    """README's way to a first replication, and beside it each page's commands, in the order of the pages' use."""
    ours = javaproperties.loads((shell.folder / "properties/trial.properties").read_text())
    ours |= {"onError": "deadLetter", "deadLetterUri": f"file://{shell.folder}/letters.jsonl"}
    ours["metricsPort"] = str(shell.ports["9404"])
    del ours["taskName"]
    shell.write("settings", javaproperties.dumps(ours, timestamp=False))
    shell.program("editor", _EDITOR)
    create_table(shell.client, "orders", stream=False)
    _put(shell.client, "orders", "order-1", "2", "3")
    _make_directory(shell, ours)
    (shell.folder / "mask-key").write_text("a key that is long enough for a mask")
    for page in (
        "README.md",
        "copy.md",
        "verify.md",
        "preview.md",
        "dead-letters.md",
        "many.md",
        "security.md",
        "choose.md",
    ):
        printed = {block: shell.type(block) for block in shell.page(page)}
        assert all(printed.values()), page
    assert scan(shell.client, "orders") == scan(shell.client, "orders-copy")
    until(lambda: "INFO progress" in shell.console_of("tail -f"), "what the replication does")
    page, collected = shell.page("metrics.md")
    assert re.fullmatch(r"dynamodb_replicator_shards\S* 1.0\n\S.*", shell.type(page), re.DOTALL)
    _look_at_consoles(shell, *shell.page("console.md"))
    _upgrade(shell, *shell.page("operations.md"))
    with OtlpReceiver() as receiver:
        _publish(shell, receiver, collected)
        shell.stop()


def _look_at_consoles(shell: Shell, block: str) -> None:
    """Each has an address, and a page there; one has a browser look at it."""
    shell.program("browser", '#!/bin/sh\necho "$1" >opened\n')
    shell.type(block)
    for number in range(-4, 0):
        until(lambda number=number: " is at http://" in shell.console(number), "a console's address")
        address = shell.console(number).partition(" is at ")[2].split()[0]
        assert "<title>" in shell.run(f"curl --silent --fail {address}")
    assert "The console of 2 tasks" in shell.console()
    until((shell.folder / "opened").exists, "the browser")


def _upgrade(shell: Shell, block: str) -> None:
    """Its new version is this one, by another path; ``test_run_sh.py`` sets up a clone."""
    shell.left.remove(block)
    old = "./run.sh orders.properties"
    block = block.replace("git clone --branch NEW URL", f"ln -s {java.ROOT}").replace("PID", str(shell.process(old)))
    *before, follow = block.splitlines()
    shell.run("\n".join(before))
    shell.ended(old)
    shell.begin(follow)
    until(lambda: "NOTICE shard_started " in shell.console(), "the new daemon's shard")


def _publish(shell: Shell, receiver: OtlpReceiver, block: str) -> None:
    """The package is there already, so nobody is asked for it."""
    (shell.folder / ".venv").symlink_to(java.ROOT / ".venv")
    shell.set("OTEL_METRIC_EXPORT_INTERVAL", "500")
    shell.begin(block.replace("http://collector:4318", receiver.endpoint))
    shell.left.remove(block)
    until(lambda: "dynamodb_replicator_shards" in receiver.metrics(), "what is collected")


def test_a_replica_makes_itself(shell: Shell) -> None:
    """docs/self.md: its file and its one command, of a table without a stream."""
    (block,) = shell.page("self.md")
    written = pages.shown("self.md", "sourceRegion").replace("eu-west-1", "us-east-1")
    places = "sourceEndpoint = http://127.0.0.1:8000\ndestinationEndpoint = http://127.0.0.1:8000\n"
    shell.write("orders.properties", f"{written}\n{places}dontPublishCloudwatch = true\n")
    create_table(shell.client, "orders", stream=False)
    _put(shell.client, "orders", "1", "2", "3")
    said = shell.type(block)
    assert all(word in said for word in re.findall(r'"ready: ([^"]+), \.\.\."', block)), said
    until(lambda: "NOTICE in_sync " in shell.console(), "a replica that is verified")
    assert scan(shell.client, "orders") == scan(shell.client, "orders-copy")
    shell.stop()


def _make_directory(shell: Shell, settings: dict[str, str]) -> None:
    """docs/many.md's: what its two tasks have in common, and the tables of each, one of which has a stream."""
    own = {"sourceTable", "destinationTable", "deadLetterUri", "onError", "metricsPort"}
    common = {name: value for name, value in settings.items() if name not in own}
    (shell.folder / "conf").mkdir()
    shell.write("conf/common.properties", javaproperties.dumps(common, timestamp=False))
    for name in ("customers", "orders"):
        create_table(shell.client, f"{name}-of-conf", stream=True)
        create_table(shell.client, f"{name}-of-conf-copy", stream=False)
        tables = {"sourceTable": f"{name}-of-conf", "destinationTable": f"{name}-of-conf-copy"}
        shell.write(f"conf/{name}.properties", javaproperties.dumps(tables, timestamp=False))
