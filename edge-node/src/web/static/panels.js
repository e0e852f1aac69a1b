// Figures: rates, latencies, sources and links, sensors, objects, warnings.

import { classOf, classOrder } from "./classes.js";
import { age, byId, count, digits, duration, el, keyed, kmh, rows, say, svg } from "./dom.js";
import { badge, empty } from "./figures.js";

const STAGES = {
  decode: "Decode", queue: "Queue", preprocess: "Preprocess", inference: "Inference", postprocess: "Postprocess",
  track: "Track", georeference: "Georeference", world: "World", encode: "Encode", publish: "Publish",
  "photon-to-message": "Photon to message",
};
const QUANTITIES = {
  no2: "Nitrogen dioxide", pm10: "PM10", pm25: "PM2.5", "air-temperature": "Air temperature",
  "relative-humidity": "Relative humidity", noise: "Noise", "road-surface-temperature": "Road surface", "rain-intensity": "Rain",
};
/** A reading older than this is shown as old. */
const OLD_READING_S = 900;
/** Decades that a latency axis spans; where it begins goes with the median, in half decades, so that it rests. */
const SPAN = 2.5;
const WIDTH = 140, HEIGHT = 28;

let span = "window", newest = null;

export function wirePanels() {
  const buttons = [...document.querySelectorAll("[data-span]")];
  for (const button of buttons) {
    button.addEventListener("click", () => {
      span = button.dataset.span;
      for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
      if (newest) showStages(newest);
    });
  }
}

export function showTelemetry(telemetry) {
  newest = telemetry;
  showStages(telemetry);
  showRates(telemetry);
}

function showStages(telemetry) {
  const note = byId("latency-note");
  if (!note.children.length) {
    note.append(el("span", { class: "key" }), "p50", el("span", { class: "key dash" }), "p99", " \u2002logarithmic");
  }
  const stages = telemetry.stages.filter(({ stage }) => stage in STAGES);
  keyed(byId("stages"), stages, ({ stage }) => stage, makeStage, (node, entry) => updateStage(node, entry[span]));
}

function makeStage({ stage }) {
  return el(
    "figure",
    { class: stage === "photon-to-message" ? "stage total" : "stage" },
    el("figcaption", { text: STAGES[stage] }),
    svg(
      "svg",
      { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" },
      svg("path", { class: "axis", fill: "none" }),
      svg("path", { class: "bars" }),
      svg("path", { class: "p50" }),
      svg("path", { class: "p99" }),
    ),
    el("div", { class: "ticks", "aria-hidden": "true" }),
    el("div", { class: "nums" }, el("b"), el("span", { class: "drops" })),
  );
}

function updateStage(node, latency) {
  const [axis, bars, p50, p99] = node.children[1].children;
  const first = latency.count ? Math.floor(Math.log10(latency.p50_us) * 2) / 2 - 1 : 0;
  const xOf = (us) => (Math.min(Math.max(Math.log10(us) - first, 0), SPAN) / SPAN) * WIDTH;
  const decades = [0, 1, 2].map((i) => 10 ** (Math.ceil(first) + i));
  axis.setAttribute("d", `M0,${HEIGHT}H${WIDTH}${decades.map((us) => `M${xOf(us)},${HEIGHT}v-5`).join("")}`);
  const inside = decades.filter((us) => xOf(us) > 0.1 * WIDTH && xOf(us) < 0.9 * WIDTH);
  keyed(node.children[2], inside, (us) => us, (us) => el("span", { text: unit(us) }), (label, us) => {
    label.style.left = `${(xOf(us) / WIDTH) * 100}%`;
  });
  const highest = Math.max(1, ...latency.buckets.map(([, n]) => n));
  // A bucket ends at its bound and begins a quarter of a power of two below it.
  const bar = ([upper, n]) => {
    const left = xOf(upper / 1.19), right = Math.max(xOf(upper), left + 1), top = HEIGHT - Math.max((n / highest) * (HEIGHT - 2), 1);
    return `M${left.toFixed(1)},${HEIGHT}V${top.toFixed(1)}H${right.toFixed(1)}V${HEIGHT}z`;
  };
  bars.setAttribute("d", latency.buckets.map(bar).join(""));
  const line = (us) => (latency.count ? `M${xOf(us).toFixed(1)},0V${HEIGHT}` : "");
  p50.setAttribute("d", line(latency.p50_us));
  p99.setAttribute("d", line(latency.p99_us));
  const [left, right] = node.lastChild.children;
  say(left, latency.count ? duration(latency.p50_us) : "none");
  say(right, latency.count ? duration(latency.p99_us) : "");
  const words = latency.count ? `p50 ${duration(latency.p50_us)}, p90 ${duration(latency.p90_us)}, p99 ${duration(latency.p99_us)}, max ${duration(latency.max_us)}, ${count(latency.count)} counted` : "none counted";
  node.title = words;
  node.children[1].setAttribute("aria-label", words);
}

const unit = (us) => (us >= 1e6 ? `${us / 1e6} s` : us >= 1e3 ? `${us / 1e3} ms` : `${us} µs`);

function showRates({ messages }) {
  const kinds = ["cam", "cpm", "denm"].map((kind) => messages.find((m) => m.kind === kind) ?? { kind, total: 0, per_second: [] });
  keyed(byId("rates"), kinds, ({ kind }) => kind, makeRate, (node, { total, per_second }) => {
    const recent = per_second.slice(-5);
    const rate = recent.length ? recent.reduce((a, b) => a + b, 0) / recent.length : 0;
    say(node.querySelector("b"), digits(rate));
    say(node.querySelector(".sub"), `${count(total)} since start`);
    const highest = Math.max(4, ...per_second);
    const points = per_second.map((n, i) => `${(((60 - per_second.length + i) / 59) * 100).toFixed(1)},${(29 - (n / highest) * 27).toFixed(1)}`);
    const [, area, line] = node.querySelectorAll("path");
    line.setAttribute("d", points.length ? `M${points.join("L")}` : "");
    area.setAttribute("d", points.length ? `M${points[0].split(",")[0]},29L${points.join("L")}V29z` : "");
  });
}

function makeRate({ kind }) {
  return el(
    "div",
    { class: "rate" },
    el("div", { class: "top" }, el("span", { class: `kind ${kind}`, text: kind.toUpperCase() }), el("b")),
    svg(
      "svg",
      { viewBox: "0 0 100 30", preserveAspectRatio: "none", "aria-hidden": "true" },
      svg("path", { class: "axis", d: "M0,29.5H100" }),
      svg("path", { class: "sparkfill" }),
      svg("path", { class: "spark" }),
    ),
    el("div", { class: "sub" }),
  );
}

/** Sources and links: state, delivery per second, what was dropped. */
export function showSources(snapshot, telemetry, node) {
  const names = new Map(node.sources.filter(({ id }) => id !== 0).map(({ name, kind }) => [name, { name, kind }]));
  for (const status of snapshot.statuses) names.set(status.name, { ...names.get(status.name), ...status });
  for (const { problem, subject, detail } of snapshot.health ?? []) {
    const name = `${problem.replaceAll("-", " ")}: ${subject}`;
    names.set(name, { name, state: "failed", detail });
  }
  for (const { name, per_second } of telemetry.frames) {
    const entry = names.get(name) ?? { name };
    names.set(name, { ...entry, rate: per_second.slice(-5).reduce((a, b) => a + b, 0) / Math.max(1, Math.min(5, per_second.length)), unit: "fps" });
  }
  const published = new Map();
  for (const { link, total } of telemetry.published) published.set(link, (published.get(link) ?? 0) + total);
  for (const [name, total] of published) names.set(name, { ...(names.get(name) ?? { name }), sent: total });
  const dropped = new Map();
  for (const { source, reason, total } of [...telemetry.frames_dropped, ...telemetry.readings_rejected]) {
    const entry = dropped.get(source) ?? { total: 0, reasons: [] };
    dropped.set(source, { total: entry.total + total, reasons: [...entry.reasons, `${count(total)} ${reason.replaceAll("-", " ")}`] });
    if (!names.has(source)) names.set(source, { name: source });
  }
  const all = [...names.values()];
  const frames = telemetry.frames.reduce((sum, { total }) => sum + total, 0);
  const lost = telemetry.frames_dropped.reduce((sum, { total }) => sum + total, 0);
  say(byId("sources-note"), frames ? `${count(frames)} frames, ${count(lost)} dropped (${digits((100 * lost) / Math.max(frames + lost, 1))} %)` : "");
  rows(
    byId("sources"),
    [["Name", "w24"], ["State", ""], ["Flow", "w20", "num"], ["Dropped", "w14", "num"]],
    all,
    ({ name }) => name,
    ({ name, kind, state, detail, rate, unit, sent }) => [
      (cell) => {
        say(cell, name);
        cell.title = kind ? `${name}: ${kind}` : name;
      },
      (cell) => {
        if (!cell.firstChild) cell.append(el("span"));
        cell.firstChild.className = `state ${state ?? "unknown"}`;
        say(cell.firstChild, state ? detail || state : (kind ?? "no report"));
        cell.title = state ? `${state}: ${detail}` : "";
      },
      rate !== undefined ? `${digits(rate)} ${unit}` : sent !== undefined ? `${count(sent)} sent` : "",
      (cell) => {
        const drops = dropped.get(name);
        say(cell, drops ? count(drops.total) : "0");
        cell.classList.toggle("drops", Boolean(drops));
        cell.title = drops?.reasons.join(", ") ?? "";
      },
    ],
  );
}

export function showSensors({ observations }) {
  const table = byId("sensors");
  rows(
    table,
    [["Sensor", "w30"], ["Quantity", ""], ["Value", "w24", "num"], ["Age", "w14", "num"]],
    observations,
    ({ sensor, quantity }) => `${sensor}/${quantity}`,
    ({ sensor, quantity, value, unit, age_s }) => [
      sensor,
      QUANTITIES[quantity] ?? quantity,
      (cell) => {
        if (!cell.firstChild) cell.append(el("span", { class: "value" }), el("span", { class: "muted" }));
        say(cell.firstChild, digits(value));
        say(cell.lastChild, ` ${unit}`);
      },
      age(age_s),
    ],
    (row, { age_s }) => row.classList.toggle("old", age_s > OLD_READING_S),
  );
  empty(table, observations.length, "No sensor has reported.");
}

export function showObjects({ objects }, selected, onSelect) {
  const table = byId("objects");
  say(byId("objects-note"), objects.length ? `${objects.length} on the map` : "");
  rows(
    table,
    [["Object", "w30"], ["Speed", "w20", "num"], ["Accuracy (95 %)", "", "num"], ["Seen for", "w20", "num"]],
    objects,
    ({ id }) => id,
    ({ id, class: name, speed_mps, ellipse, age_s, stationary_s }) => [
      (cell) => {
        if (!cell.firstChild) cell.append(el("button", { type: "button", class: "links", click: () => onSelect(id) }, badge(name), el("span")));
        if (cell.dataset.class !== name) cell.firstChild.firstChild.replaceWith(badge(name));
        cell.dataset.class = name;
        say(cell.firstChild.lastChild, `${classOf(name).label} ${id}`);
      },
      stationary_s === null ? kmh(speed_mps) : "standing",
      `±${digits(ellipse.major_m * Math.sqrt(5.991))} m`,
      age(age_s),
    ],
    (row, { id }) => row.classList.toggle("selected", id === selected),
  );
  empty(table, objects.length, "Nothing is on the road.");
  const present = classOrder.map((name) => [name, objects.filter((object) => object.class === name).length]).filter(([, n]) => n);
  keyed(byId("legend"), present, ([name]) => name,
    ([name]) => el("li", {}, badge(name), el("span"), el("span", { class: "word", text: classOf(name).label.toLowerCase() })),
    (node, [, n]) => say(node.children[1], count(n)));
}

export function showEvents({ events, time_ms }, onShow) {
  keyed(byId("events"), events, ({ action_id }) => action_id,
    (event) => el("li", {}, el("button", { type: "button", title: "Show on the map", click: () => onShow(event) }, el("b", { text: "DENM" }), el("span"), el("span", { class: "muted" }))),
    (node, { cause, object_id, since_ms }) => {
      const [, what, since] = node.firstChild.children;
      say(what, `${cause} · object ${object_id}`);
      say(since, age((time_ms - since_ms) / 1000));
    });
}
