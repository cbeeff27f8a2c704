"""The console's page in a real Chromium: of the demo, beside a daemon that is killed, and for whoever has no mouse."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import javaproperties
import pytest

from processor.startup import java
from tests.console.browser import chromium, program
from tests.fakes.console import Console
from tests.fakes.daemon.replicator import Replicator
from tests.fakes.network import faults
from tests.fakes.network.fault_proxy import FaultProxy
from tests.fakes.patience import PATIENCE_SECONDS, until
from tests.scenarios.conftest import Pair

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

MakeReplicator = Callable[..., Replicator]
PATIENCE_MS = PATIENCE_SECONDS * 1000

pytestmark = pytest.mark.skipif(program() is None, reason="Chromium is not here: ./test.sh chromium")

# The contrast of each text with what is behind it, by WCAG 2.2's definition; the least of them, and of which text.
CONTRAST = """() => {
  const parts = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = (rgb) => rgb.slice(0, 3).map((v) => v / 255)
    .map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (each) => {
    for (let at = each; at; at = at.parentElement) {
      const found = parts(getComputedStyle(at).backgroundColor);
      if (found.length === 3 || found[3] === 1) return found;
    }
    return [255, 255, 255];
  };
  let least = [99, ""];
  for (const each of document.querySelectorAll("body *")) {
    const own = [...each.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data.trim()).join("");
    if (!own || !each.offsetParent || each.classList.contains("unseen")) continue;
    const [one, two] = [light(parts(getComputedStyle(each).color)), light(ground(each))];
    const found = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
    if (found < least[0]) least = [found, own];
  }
  return least;
}"""

OUTLINE = "getComputedStyle(document.activeElement).outlineStyle"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for all tests."""
    with chromium() as made:
        yield made


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A tab; that it complains of nothing, and asks nobody but the console, is looked at in the end."""
    context = browser.new_context()
    made = context.new_page()
    complaints: list[str] = []
    asked: set[str] = set()
    made.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    made.on("pageerror", lambda error: complaints.append(str(error)))
    made.on("request", lambda request: asked.add(request.url.split("/")[2]))
    made.set_default_timeout(PATIENCE_MS)
    yield made
    context.close()
    assert [each for each in complaints if "ERR_CONNECTION_REFUSED" not in each] == []
    assert {host.split(":")[0] for host in asked} <= {"127.0.0.1"}


def wait_for_word(page: Page, word: str) -> None:
    """Until the page says so, in large letters."""
    page.wait_for_function("word => document.getElementById('word').textContent === word", arg=word)


def test_the_demo_s_page_shows_a_replica_that_makes_itself(page: Page, tmp_path: Path) -> None:
    """What is pending falls to nothing; after Ctrl-C the page says what was so last, and that it is the end."""
    demo = [java.ROOT / "run.sh", java.ROOT / "properties" / "demo.properties", "--bootstrap"]
    with subprocess.Popen(
        [*demo, "--copyWriteUnits", "100", "--demoSeconds", "300", "--logDirectory", tmp_path],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        said = next(line for line in running.stdout if " is at http" in line)
        page.goto(said.split(" is at ")[1].split()[0])
        page.evaluate("""() => {
          window.seen = [];
          window.words = new Set();
          setInterval(() => {
            const text = document.querySelector("#figure-pending .value")?.textContent;
            if (text && window.seen.at(-1) !== text) window.seen.push(text);
            window.words.add(document.getElementById("word").textContent);
          }, 20);
        }""")
        page.wait_for_function(
            "() => document.querySelector('#fact-replica dd')?.textContent.startsWith('in sync, verified at ')"
        )
        running.send_signal(signal.SIGINT)
        wait_for_word(page, "Was: in sync")
        output, errors = running.communicate(timeout=PATIENCE_SECONDS)
    assert (running.returncode, "source = destination: yes" in output) == (0, True), output + errors
    seen = page.evaluate("window.seen")
    assert (seen[-1], any(int(each.rstrip("+").replace(",", "")) > 0 for each in seen if each != "?")) == ("0", True)
    assert "Copying" in page.evaluate("[...window.words]")
    assert page.inner_text("#stale").startswith("The console has ended. This is how it was at ")
    assert page.locator("#rates svg path.line.applied").count() > 0


@pytest.fixture
def conf(tmp_path: Path, pair: Pair) -> Path:
    """A directory of two tasks, of which one verifies itself, and one can't be used."""
    pair.settings["verifyEvery"] = "24h"
    folder = tmp_path / "conf"
    folder.mkdir()
    (folder / "orders.properties").write_text(javaproperties.dumps(pair.settings, timestamp=False))
    (folder / "unfinished.properties").write_text("sourceTable = <b>orders</b>\n")
    return folder


def test_a_killed_daemon(page: Page, pair: Pair, replicator: MakeReplicator, conf: Path) -> None:
    """The page says so by itself, names the command that mends it, and says when all is well again."""
    running = replicator(pair.settings).start()
    pair.put("a")
    pair.wait_for("a")
    with Console(str(conf / "orders.properties")) as console:
        page.goto(console.address)
        wait_for_word(page, "In sync")
        assert page.get_attribute("body", "data-level") == "ok"
        assert page.inner_text("#said") == "In sync"
        page.wait_for_function("() => /Verified through .*Z?: \\d+ equal, 0 different/.test(document.body.textContent)")
        assert page.get_attribute("#fact-verification", "data-level") == "ok"
        running.stop(signal.SIGKILL)
        wait_for_word(page, "Not healthy")
        assert page.get_attribute("body", "data-level") == "bad"
        assert page.inner_text("#said").startswith("Not healthy. ")
        assert page.inner_text("#findings li:first-child code") == f"./run.sh {conf}/orders.properties"
        assert page.title().startswith("! orders")
        pair.put("b")
        running.start()
        wait_for_word(page, "In sync")
        assert page.is_hidden("#wrong")
        assert console.stop() == (0, "")
        page.wait_for_function("() => document.body.dataset.level === 'stale'")


def _walk(page: Page) -> list[str]:
    """Where the focus goes, from one Tab to the next, until it is at the beginning again."""
    found: list[str] = []
    while True:
        page.keyboard.press("Tab")
        at = page.evaluate("document.activeElement === document.body ? '' : document.activeElement.textContent")
        if not at or at in found:
            return found
        assert page.evaluate(OUTLINE) == "solid"
        found.append(at)


@pytest.mark.usefixtures("pair")
def test_the_focus_stays_where_the_page_is_made_anew(page: Page, conf: Path) -> None:
    """Each look makes the list's lines anew, for their ages; whoever goes through them by keyboard keeps his place."""
    with Console(str(conf), interval="1") as console:
        page.goto(console.address)
        page.wait_for_function("() => [...document.querySelectorAll('#lines th a')].length === 2")
        page.wait_for_function("() => !document.querySelector('#lines').textContent.includes('Looking')")
        for _ in range(2):
            page.keyboard.press("Tab")
        page.evaluate("window.before = document.activeElement")
        page.wait_for_function("() => !window.before.isConnected")
        found = page.evaluate(f"[document.activeElement.textContent, {OUTLINE}]")
        assert found == ["orders", "solid"]


def _names(page: Page) -> dict[str, Any]:
    """What a screen reader goes by."""
    found: dict[str, Any] = page.evaluate("""() => ({
      headings: [...document.querySelectorAll("h1, h2")].filter((at) => at.offsetParent).map((at) => at.tagName),
      images: [...document.querySelectorAll("[role=img]")].map((each) => each.getAttribute("aria-label") ?? ""),
      scopes: [...document.querySelectorAll("th")].every((each) => each.scope),
      language: document.documentElement.lang,
    })""")
    return found


def test_a_list_of_tasks_by_keyboard_on_any_screen(page: Page, pair: Pair, conf: Path) -> None:
    """The worst first, as text whatever a file holds; nothing is cut at 360 pixels; all is readable, in any light."""
    with Console(str(conf)) as console:
        page.goto(console.address)
        page.wait_for_function("() => [...document.querySelectorAll('#lines th a')].length === 2")
        page.wait_for_function("() => !document.querySelector('#lines').textContent.includes('Looking')")
        assert page.locator("#lines th a").all_inner_texts() == ["unfinished", "orders"]
        assert page.locator("#lines b").count() == 0
        assert _walk(page) == ["unfinished", "orders"]
        page.locator("#lines th a", has_text="orders").focus()
        page.keyboard.press("Enter")
        wait_for_word(page, "Not healthy")
        assert pair.source_table in page.inner_text("#path")
        assert _walk(page) == ["All tasks", f"./run.sh {conf}/orders.properties"]
        names = _names(page)
        assert names["headings"][:2] == ["H1", "H2"]
        assert names["headings"].count("H1") == 1
        assert (names["scopes"], names["language"]) == (True, "en")
        assert len(names["images"]) == 2
        assert all("The last" in label for label in names["images"])
        for path in ("", "?task=orders", "?task=unfinished"):
            page.goto(console.address + path)
            page.wait_for_function("() => !['Looking'].includes(document.getElementById('word').textContent)")
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of two words
                for width in (1280, 360):
                    page.set_viewport_size({"width": width, "height": 800})
                    assert page.evaluate("document.documentElement.scrollWidth") <= width
                    contrast, text = page.evaluate(CONTRAST)
                    assert contrast >= 4.5, (path, scheme, text)
        grounds = []
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of two words
            grounds.append(page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))
        assert grounds[0] != grounds[1]


def test_what_is_stale_before_the_first_look_is_shown_so(page: Page, pair: Pair, tmp_path: Path) -> None:
    """A console that stands still while its first look is under way: no look is none that is believed for ever."""
    page.clock.install()
    with FaultProxy(pair.settings["sourceEndpoint"]) as source:
        looked_for = source.inject(faults.hold())
        file = tmp_path / "orders.properties"
        file.write_text(javaproperties.dumps(pair.settings | {"sourceEndpoint": source.endpoint}, timestamp=False))
        with Console(str(file), interval="1") as console:
            page.goto(console.address)
            looked_for.wait()
            page.wait_for_function("() => document.getElementById('age').textContent !== 'connecting …'")
            console.send(signal.SIGSTOP)
            try:
                page.clock.fast_forward(30_000)
                page.wait_for_function("() => document.body.dataset.level === 'stale'")
                assert page.inner_text("#word").startswith("Was: ")
                assert page.inner_text("#stale").startswith("The console has not finished a look since. ")
                assert page.inner_text("#age") != "looking …"
            finally:
                looked_for.clear()
                console.send(signal.SIGCONT)
            page.wait_for_function("() => document.body.dataset.level === 'bad'")


def test_what_is_stale_is_shown_so(page: Page, conf: Path) -> None:
    """A console that stands still, as a sleeping machine's, is not believed any more; it is again when it goes on."""
    page.clock.install()
    with Console(str(conf / "orders.properties"), interval="1") as console:
        page.goto(console.address)
        wait_for_word(page, "Not healthy")
        console.send(signal.SIGSTOP)
        try:
            page.clock.fast_forward(30_000)
            page.wait_for_function("() => document.body.dataset.level === 'stale'")
            assert page.inner_text("#word") == "Was: not healthy"
        finally:
            console.send(signal.SIGCONT)
        page.wait_for_function("() => document.body.dataset.level === 'bad'")
    until(lambda: page.inner_text("#age").startswith("updated "), "an age")
