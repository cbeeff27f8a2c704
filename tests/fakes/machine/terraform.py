"""What a module of Terraform works out, by Terraform itself, without a provider, an account or a network."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

COMMAND = shutil.which("terraform") or shutil.which("tofu")


def locals_of(module: Path, folder: Path, *, given: Mapping[str, str], variables: Mapping[str, Any]) -> dict[str, Any]:
    """The values of ``locals.tf``, of the module's own variables.

    :param folder: where it may write
    :param given: the locals that come from resources, which are not there
    """
    assert COMMAND is not None
    for name in ("variables.tf", "locals.tf"):
        shutil.copy(module / name, folder)
    names = _names(module / "locals.tf")
    (folder / "stubs.tf.json").write_text(
        json.dumps({"locals": given, "output": {name: {"value": f"${{local.{name}}}"} for name in names}})
    )
    (folder / "terraform.tfvars.json").write_text(json.dumps(variables))
    _run(folder, "init", "-input=false", "-backend=false")
    _run(folder, "apply", "-input=false", "-auto-approve")
    return {name: each["value"] for name, each in json.loads(_run(folder, "output", "-json")).items()}


def is_formatted(folder: Path) -> str:
    """The files below it that ``fmt`` would write otherwise."""
    return _run(folder, "fmt", "-check", "-recursive", status=None)


def _names(file: Path) -> list[str]:
    lines = file.read_text().splitlines()
    return [line.split()[0] for line in lines if line.startswith("  ") and line[2].isalpha() and " = " in line]


def _run(folder: Path, *words: str, status: int | None = 0) -> str:
    assert COMMAND is not None
    environment = {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "TF_CLI_CONFIG_FILE": os.devnull}
    done = subprocess.run(
        [COMMAND, *words], cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert status in (None, done.returncode), done.stdout + done.stderr
    return done.stdout
