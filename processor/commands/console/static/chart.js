// Draws lines over time as SVG, in the page's own colours: no library, for it is little.

const SPACE = "http://www.w3.org/2000/svg";
const LEFT = 44;
const RIGHT = 8;
const TOP = 8;
const BOTTOM = 20;
const LEAST_WINDOW_MS = 2 * 60_000;
const WINDOW_MS = 15 * 60_000;

function shape(name, attributes, text) {
  const made = document.createElementNS(SPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

// The next of 1, 2, 5, 10, 20 ... above a value, so that the scale changes rarely.
function ceiling(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((each) => each * power).find((each) => each >= value);
}

function number(value) {
  if (value >= 1000) return value.toLocaleString("en");
  return value >= 10 || Number.isInteger(value) ? String(Math.round(value)) : value.toFixed(1);
}

// The parts of a line between values that are not known.
function parts(samples, name) {
  const found = [];
  let part = [];
  for (const sample of samples) {
    if (sample[name] === null) {
      if (part.length) found.push(part);
      part = [];
    } else part.push(sample);
  }
  if (part.length) found.push(part);
  return found;
}

// lines: [{name, style, filled}], the last one on top.
export function draw(place, samples, lines, { unit, least }) {
  const width = Math.max(place.clientWidth, 200);
  const height = 120;
  const svg = shape("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img" });
  const last = samples.length ? samples[samples.length - 1].at_ms : 0;
  const first = samples.length ? samples[0].at_ms : 0;
  const span = Math.min(Math.max(last - first, LEAST_WINDOW_MS), WINDOW_MS);
  const values = samples.flatMap((sample) => lines.map((line) => sample[line.name])).filter((value) => value !== null);
  const most = ceiling(Math.max(least, ...values));
  const x = (at) => LEFT + (width - LEFT - RIGHT) * (1 - (last - at) / span);
  const y = (value) => TOP + (height - TOP - BOTTOM) * (1 - value / most);
  for (const value of [0, most / 2, most]) {
    svg.append(shape("line", { x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value), class: "grid" }));
    svg.append(shape("text", { x: LEFT - 6, y: y(value) + 4, class: "scale", "text-anchor": "end" }, number(value)));
  }
  const minutes = Math.round(span / 60_000);
  svg.append(shape("text", { x: LEFT, y: height - 4, class: "scale" }, `${minutes} min ago`));
  svg.append(shape("text", { x: width - RIGHT, y: height - 4, class: "scale", "text-anchor": "end" }, "now"));
  for (const line of lines) {
    for (const part of parts(samples, line.name)) {
      const points = part.map((sample) => `${x(sample.at_ms).toFixed(1)},${y(sample[line.name]).toFixed(1)}`);
      if (points.length === 1) {
        const [cx, cy] = points[0].split(",");
        svg.append(shape("circle", { cx, cy, r: 2, class: `dot ${line.name}` }));
        continue;
      }
      if (line.filled) {
        const [from, to] = [x(part[0].at_ms), x(part[part.length - 1].at_ms)].map((value) => value.toFixed(1));
        svg.append(shape("path", { d: `M${from},${y(0)}L${points.join("L")}L${to},${y(0)}Z`, class: `area ${line.name}` }));
      }
      svg.append(shape("path", { d: `M${points.join("L")}`, class: `line ${line.name}` }));
    }
  }
  const told = lines.map((line) => {
    const known = samples.map((sample) => sample[line.name]).filter((value) => value !== null);
    if (!known.length) return `${line.title} not known`;
    return `${line.title} ${number(known[known.length - 1])} ${unit} now, at most ${number(Math.max(...known))}`;
  });
  svg.setAttribute("aria-label", `The last ${minutes} minutes: ${told.join("; ")}.`);
  place.replaceChildren(svg);
  return minutes;
}
