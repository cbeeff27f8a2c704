// Lays out what the console sends. Every text comes ready, and is set as text: nothing that it holds becomes markup.

import { draw } from "./chart.js";

const RECONNECT_MS = 3000;
const MARKS = { ok: "✓", making: "»", bad: "!", unknown: "?" };
const topic = new URLSearchParams(location.search).get("task") ?? "";

const shown = { page: null, beat: null, heardAt: 0, connected: false, ended: false };
const drawn = new Map();

const at = (id) => document.getElementById(id);

function put(id, text) {
  if (at(id).textContent !== text) at(id).textContent = text;
}

function make(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value) made.setAttribute(name, value);
  made.append(...children.filter((child) => child !== null));
  return made;
}

// Makes a part anew only where what it shows is another: what a reader has selected or scrolled to stays. The link or
// command that has the keyboard's focus keeps it, wherever in the part it is then: else Tab would begin at the top again.
function part(id, content, render) {
  const text = JSON.stringify(content);
  if (drawn.get(id) === text) return;
  drawn.set(id, text);
  const focused = at(id).contains(document.activeElement) ? document.activeElement : null;
  at(id).replaceChildren(...render(content));
  if (focused) same(at(id), focused)?.focus({ preventScroll: true });
}

function same(place, focused) {
  const alike = (each) => each.getAttribute("href") === focused.getAttribute("href") && each.textContent === focused.textContent;
  return [...place.querySelectorAll("a, [tabindex]")].find(alike);
}

function bar(share, level) {
  const inner = make("span", { class: "full" });
  inner.style.width = `${share * 100}%`;
  return make("span", { class: "bar", "data-level": level, "aria-hidden": "true" }, inner);
}

function command(text) {
  return make("code", { class: "command", tabindex: "0" }, text);
}

function figure(each) {
  return make("div", { "data-level": each.level, id: `figure-${each.id}` },
    make("dt", {}, each.name),
    make("dd", {}, make("span", { class: "value" }, each.value),
      each.share === null ? null : bar(each.share, each.level), make("small", {}, each.note)));
}

function fact(each) {
  return make("div", { "data-level": each.level, id: each.id === "daemon" ? null : `fact-${each.id}` },
    make("dt", {}, each.name),
    make("dd", {}, each.value, each.share === null ? null : bar(each.share, each.level),
      each.command ? command(each.command) : null));
}

function finding(each) {
  return make("li", {}, make("strong", {}, each.title), each.reason ? make("p", {}, each.reason) : null, make("p", {}, `${each.consequence} ${each.remedy}`),
    each.command ? command(each.command) : null);
}

function cells(labels, values) {
  return values.map((value, index) => make(index ? "td" : "th", index ? { "data-label": labels[index] } : { scope: "row" }, ...[value].flat()));
}

function state(level, word) {
  return make("span", { class: "state", "data-level": level }, make("span", { "aria-hidden": "true" }, `${MARKS[level]} `), word);
}

function shard(each) {
  const note = each.note ? make("small", {}, each.note) : null;
  const labels = ["shard", "state", "behind", "pending", "daemon", "checkpoint"];
  return make("tr", { "data-level": each.level }, ...cells(labels,
    [each.id, [state(each.level, each.state), note].filter(Boolean), each.lag, each.pending, each.daemon, each.checkpoint]));
}

function line(each) {
  const labels = ["task", "state", "behind", "time left", "pending", "applied a second", "updated"];
  const link = make("a", { href: `/?task=${encodeURIComponent(each.topic)}` }, each.name);
  const age = make("span", { "data-at": each.at_ms === null ? "" : String(each.at_ms) });
  return make("tr", { "data-level": each.verdict.level }, ...cells(labels,
    [[link, make("small", {}, each.path)], [state(each.verdict.level, each.verdict.word), make("small", {}, each.verdict.sentence)],
      each.behind, each.left, each.pending, each.applied, age]));
}

function show(page) {
  const isList = page.kind === "list";
  at("back").hidden = !topic;
  put("name", isList ? `${page.tasks.length} tasks` : page.name);
  put("path", isList ? "" : page.path);
  at("wrong").hidden = isList || !page.wrong.length;
  at("tasks").hidden = !isList;
  for (const id of ["now", "charts", "around"]) at(id).hidden = isList || !page.figures.length;
  at("shards").hidden = isList || page.shards === null;
  if (isList) part("lines", page.tasks, (tasks) => tasks.map(line));
  else {
    part("findings", page.wrong, (wrong) => wrong.map(finding));
    part("figures", page.figures, (figures) => figures.map(figure));
    part("facts", page.facts, (facts) => facts.map(fact));
    if (page.shards) {
      put("summary", page.shards.summary);
      part("rows", page.shards.rows, (rows) => rows.map(shard));
      put("more", page.shards.more);
    }
    charts(page.samples);
  }
  tick();
}

function charts(samples) {
  const rates = [{ name: "applied", title: "applied", filled: true }, { name: "written", title: "written" }];
  const minutes = draw(at("rates"), samples, rates, { unit: "a second", least: 1 });
  draw(at("lags"), samples, [{ name: "lag_seconds", title: "behind", filled: true }], { unit: "seconds", least: 1 });
  put("charts-title", `The last ${minutes} minutes`);
}

function ago(seconds) {
  if (seconds < 60) return `${Math.round(seconds)} s ago`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min ago` : `${Math.round(seconds / 3600)} h ago`;
}

// Ages by the console's clock, for this machine's may be wrong.
function consoleNow() {
  return shown.beat.now_ms + (performance.now() - shown.heardAt);
}

function tick() {
  if (!shown.page || !shown.beat) return;
  const looked = shown.beat.at_ms !== null;
  // Before the first look, what is shown is as old as the last beat: a console that stands still then is not believed either.
  const since = looked ? shown.beat.at_ms : shown.beat.now_ms;
  const seconds = Math.max((consoleNow() - since) / 1000, 0);
  const stale = seconds > shown.beat.stale_seconds;
  const { verdict } = shown.page;
  const level = stale || shown.ended ? "stale" : verdict.level;
  document.body.dataset.level = level;
  put("mark", level === "stale" ? "…" : MARKS[level]);
  put("word", level === "stale" ? `Was: ${verdict.word.toLowerCase()}` : verdict.word);
  put("sentence", verdict.sentence);
  put("age", looked ? `updated ${ago(seconds)}` : level === "stale" ? "not looked at yet" : "looking …");
  at("stale").hidden = level !== "stale";
  if (level === "stale") {
    const when = new Date(since).toLocaleTimeString();
    const why = shown.ended ? "The console has ended." : shown.connected ? "The console has not finished a look since." : "The console does not answer.";
    put("stale", `${why} This is how it was at ${when}.`);
  }
  const name = shown.page.kind === "list" ? "tasks" : shown.page.name;
  document.title = `${level === "stale" ? "…" : MARKS[level]} ${name} – ${at("word").textContent}`;
  const icon = `/static/${level === "stale" ? "unknown" : level}.svg`;
  if (at("icon").getAttribute("href") !== icon) at("icon").setAttribute("href", icon);
  // Said aloud only where it is another state, not for each number.
  const told = level === "stale" ? at("stale").textContent : level === "ok" ? verdict.word : `${verdict.word}. ${verdict.sentence.split(". ")[0]}.`;
  const news = level === "making" ? verdict.word : level;
  if (document.body.dataset.told !== news) {
    document.body.dataset.told = news;
    put("said", told);
  }
  for (const each of document.querySelectorAll("[data-at]")) {
    const text = each.dataset.at ? ago(Math.max((consoleNow() - Number(each.dataset.at)) / 1000, 0)) : "not yet";
    if (each.textContent !== text) each.textContent = text;
  }
}

function connect() {
  const source = new EventSource(`/events?task=${encodeURIComponent(topic)}`);
  const hear = (name, use) => source.addEventListener(name, (event) => {
    shown.connected = true;
    use(JSON.parse(event.data));
  });
  hear("page", (page) => {
    shown.page = page;
    shown.ended = false;
    if (shown.beat) show(page);
  });
  hear("beat", (beat) => {
    const isFirst = shown.beat === null;
    shown.beat = beat;
    shown.heardAt = performance.now();
    if (isFirst && shown.page) show(shown.page);
    tick();
  });
  hear("ended", () => {
    shown.ended = true;
    tick();
    again();
  });
  source.addEventListener("error", again);
  function again() {
    shown.connected = false;
    source.close();
    setTimeout(connect, RECONNECT_MS);
  }
}

new ResizeObserver(() => {
  if (shown.page && shown.page.kind !== "list") charts(shown.page.samples);
}).observe(at("charts"));
setInterval(tick, 1000);
connect();
