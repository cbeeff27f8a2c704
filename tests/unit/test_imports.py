"""The import graph of processor/: it points one way, and AWS's library stands behind one module."""

from __future__ import annotations

import ast

import pytest

from processor.startup import java

PACKAGE = java.ROOT / "processor"
# From the ground up: a module imports from its own layer and those above it here, never from one below. A new module
# is given its place here. A module of a package, as ``status.lag``, has its own place or else its package's.
LAYERS = (
    {"printable"},
    {"allocator", "errors", "logs", "program", "secrets", "console"},
    {
        "commands",
        "definitions",
        "identity",
        "kcl_properties",
        "settings",
        "table_pair",
        "settings_loader",
        "service_links",
        "values",
        "records",
        "images",
        "letters",
        "plan",
        "findings",
        "item_key",
        "expiry",
        "answers",
        "redaction",
        "harmless_words",
        "write_answers",
        "transport",
        "copy.estimate",
        "copy.prices",
        "copy.write_cost",
        "item_size",
        "metrics.instruments",
        "metrics.outlets",
        "heartbeat",
        "metrics.points",
        "metrics.cloudwatch_names",
        "policy.documents",
        "policy.permissions",
        "policy.places",
        "policy.principals",
        "policy.wanted",
        "provision.definition",
        "via_s3.place",
        "verify.paths",
        "verify.difference",
        "verify.form",
        "verify.buckets",
        "verify.wanted",
    },
    {
        "missing_table",
        "output",
        "rich_console",
        "retry",
        "role",
        "record_times",
        "java",
        "jar_lock",
        "progress",
        "lease_term",
        "hold_files",
        "handover",
        "private_files",
        "signals",
        "capacity",
        "patience",
        "crew",
        "lanes",
        "retry_limit",
    },
    {"class_archive"},
    {"java_options", "credentials_providers"},
    {"aws.authorities", "aws.bounds", "aws.deadlines", "aws.signature"},
    {"aws.errors", "aws.models", "aws.http_answer"},
    {"aws.connections", "aws.exchange"},
    {"aws.answers", "aws.credentials"},
    {"aws", "aws.sessions", "aws.lean_calls", "dynamodb_local"},
    {"aws.clients", "aws.lasting"},
    {"failed_call", "time_to_live"},
    {"aws.endpoints"},
    {"raw_calls"},
    {"readable_table", "scannable_table", "writable_table", "s3", "key_guard"},
    {"reconcile"},
    {"fenced_table"},
    {"tables"},
    {"letter_file", "letter_bucket", "write_probe"},
    {"apply", "dead_letters", "leases", "holds", "checkpoint_outage", "task", "fences", "copy.state"},
    {
        "hold_rows",
        "standstill",
        "liveness",
        "waiting",
        "metrics.shard_files",
        "metrics.meter",
        "metrics.shard_meter",
        "metrics.page_server",
        "metrics.port",
        "metrics.command_metrics",
    },
    {"provision", "via_s3", "metrics.safe_meter"},
    {"record_processor", "refusals", "copy", "verify", "redrive", "facts", "status", "metrics", "policy"},
    {"opening", "preflight", "workload"},
    {"child"},
    {"copy.command", "copy.plan"},
    {"check", "daemon", "demo", "redrive_command", "verify.command"},
    {"start"},
    {"cli"},
    {"__main__"},
)
_PLACES = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}
PURE = LAYERS[0] | LAYERS[2] | {"errors"}
# What does I/O, or reads a clock or chance.
IMPURE = {
    "asyncio",
    "http",
    "io",
    "logging",
    "os",
    "random",
    "select",
    "shutil",
    "signal",
    "socket",
    "subprocess",
    "sys",
}
IMPURE |= {"tempfile", "threading", "time", "urllib.request", "boto3", "botocore", "amazon_kclpy", "rich"}


FILES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path != PACKAGE / "__init__.py"
}
MODULES = list(FILES)
RANKS = {
    module: _PLACES[name]
    for module in MODULES
    for name in (module.partition(".")[0], module)  # its own place, the latter, is what remains
    if name in _PLACES
}


def _imports(module: str) -> set[str]:
    """Every module that ``module`` names in an import, wherever in it that stands."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(FILES[module].read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: a relative import"
            assert node.module is not None
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            ours = {name for name in names if name.removeprefix("processor.") in FILES}
            found |= ours | {node.module} if names - ours else ours
    return found


FOREIGN = {module: {name for name in _imports(module) if not name.startswith("processor")} for module in MODULES}
GRAPH = {
    module: {name.removeprefix("processor.") for name in _imports(module) if name.startswith("processor.")}
    for module in MODULES
}


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_one_way(module: str) -> None:
    """A module imports only from its own layer and from layers nearer to the ground."""
    assert module in RANKS, f"give {module} its place in LAYERS"
    assert set() == {name for name in GRAPH[module] if RANKS[name] > RANKS[module]}


def test_there_is_no_cycle() -> None:
    """No module imports itself, by whatever way round."""
    left = dict(GRAPH)
    while ready := [module for module, names in left.items() if not names & left.keys()]:
        for module in ready:
            del left[module]
    assert sorted(left) == []


def test_only_one_package_knows_aws_library() -> None:
    """boto3, botocore and the urllib3 below them are imported in aws/ only."""
    roots = {module: {name.split(".")[0] for name in names} for module, names in FOREIGN.items()}
    knowing = {module for module in MODULES if roots[module] & {"boto3", "botocore", "urllib3"}}
    assert {module.partition(".")[0] for module in knowing} == {"aws"}


@pytest.mark.parametrize("module", sorted(PURE))
def test_the_pure_core_does_no_io(module: str) -> None:
    """Errors, settings, records and plan open nothing, and read neither clock nor chance."""
    assert set() == {name for name in FOREIGN[module] if name in IMPURE or name.split(".")[0] in IMPURE}
