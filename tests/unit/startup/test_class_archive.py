"""The archive of the daemon's classes: found where it fits, never in the way."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from processor.errors import SetupError
from processor.startup import class_archive, java

_SHOW = ["-Xshare:auto", "-Xlog:class+load:stdout"]
_LISTED = "ch/qos/logback/core/Appender"


@pytest.fixture
def jars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two jars, which are all of the class path, and a short list of classes."""
    for jar in ("logback-core-*.jar", "slf4j-api-*.jar"):
        (found,) = (Path(each) for each in java.class_path().split(os.pathsep) if Path(each).match(jar))
        shutil.copy2(found, tmp_path)
    (tmp_path / "classes.lst").write_text(f"# one and a lambda of another version\n{_LISTED}\nno/such/Class\n")
    monkeypatch.setattr(java, "JARS", tmp_path)
    monkeypatch.setattr(class_archive, "CLASS_LIST", tmp_path / "classes.lst")
    monkeypatch.setattr(java, "class_path", lambda: os.pathsep.join(map(str, sorted(tmp_path.glob("*.jar")))))
    return tmp_path


def _loads() -> tuple[str, str]:
    """Where a JVM with the archive that there is has a class of the jars from, and all that it says besides."""
    archive = class_archive.find()
    options = [] if archive is None else [f"-XX:SharedArchiveFile={archive}"]
    command = [java.executable(), *java.MEMORY, *options, *_SHOW, "ch.qos.logback.core.Appender"]
    environment = os.environ | {"CLASSPATH": java.class_path()}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    (line,) = (line for line in ended.stdout.splitlines() if _LISTED.replace("/", ".") + " " in line)
    return line.partition("source: ")[2], "".join(x for x in ended.stdout.splitlines() if "[warning]" in x)


def test_what_is_made_is_found_and_used(jars: Path) -> None:
    """Once made, the JVM has the listed classes from it; it asks neither for a Java nor a jar of its own."""
    assert class_archive.find() is None
    made = class_archive.make()
    assert (class_archive.find(), made.parent) == (made, jars)
    assert _loads() == ("shared objects file", "")
    assert sorted(path.suffix for path in jars.iterdir()) == [".jar", ".jar", ".jsa", ".lst"]

    jar = next(jars.glob("slf4j-api-*.jar"))
    os.utime(jar, (1, 1))  # another one, by all that the JVM looks at
    assert class_archive.find() is None
    assert _loads()[0].startswith("file:")


def test_where_it_can_t_be_made_that_is_said(jars: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Java that makes none, and one that is not OpenJDK's, end in a message; no half of an archive stays."""
    home = jars / "home"
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "java").write_text("#!/bin/sh\necho no room left on device\nexit 1\n")
    (home / "bin" / "java").chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(home))
    assert class_archive.find() is None
    with pytest.raises(SetupError, match="not OpenJDK's"):
        class_archive.make()
    (home / "lib" / "server").mkdir(parents=True)
    (home / "lib" / "server" / "libjvm.so").touch()
    with pytest.raises(SetupError, match="no room left on device"):
        class_archive.make()
    assert not list(jars.glob("*.jsa"))
    assert not list(jars.glob(".class-archive-*"))


def test_what_an_older_java_can_t_read_is_left_out(jars: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lambdas are listed for Java 16 and later, and no line twice."""
    with (jars / "classes.lst").open("a") as file:
        file.write(f"{_LISTED}\n@lambda-proxy a b ()V\n")
    monkeypatch.setattr(java, "version", lambda: 11)
    assert [line for line in class_archive.classes() if line in {_LISTED, "@lambda-proxy a b ()V"}] == [_LISTED]
    monkeypatch.setattr(java, "version", lambda: 17)
    assert "@lambda-proxy a b ()V" in list(class_archive.classes())
