// Points known in the picture and on the map; after every change the program fits the camera and the page draws the residuals.

import { byId, el, keyed, say } from "./dom.js";
import { View, trace } from "./view.js";

const FIT_AFTER_MS = 120;
/** A click this near to a point selects it, pixels of the screen. */
const NEAR_PX = 9;

const state = { subject: null, points: [], fit: null, pending: {}, selected: null, next: 1, timer: null, asked: 0 };
const COLOURS = ["text", "accent", "bad", "good", "halo", "carriageway", "pavement", "crossing", "parking", "zone-line"];
/** The colours of the style sheet as a canvas takes them: an element's colour is resolved, a property's text is not. */
const probe = document.body.appendChild(el("i", { hidden: true }));
const colours = () => Object.fromEntries(COLOURS.map((name) => {
  probe.style.color = `var(--${name})`;
  return [name, getComputedStyle(probe).color];
}));

const image = new Image();
const picture = new View(byId("picture"), { upwards: false, draw: drawPicture, click: (place, screen) => clicked("pixel", place, screen, picture) });
const plan = new View(byId("plan"), { upwards: true, draw: drawPlan, click: (place, screen) => clicked("ground", place, screen, plan) });

function drawPicture(c, toScreen, scale) {
  const colour = colours();
  if (image.complete && image.naturalWidth) {
    const [x, y] = toScreen([0, 0]);
    c.drawImage(image, x, y, image.naturalWidth * scale, image.naturalHeight * scale);
  }
  c.lineWidth = 1.2;
  c.strokeStyle = "#56b4e9";
  c.globalAlpha = 0.8;
  for (const border of state.fit?.borders_px ?? []) {
    trace(c, toScreen, border);
    c.stroke();
  }
  c.globalAlpha = 1;
  for (const point of state.points) {
    const found = resultOf(point);
    if (found?.shown_px) {
      // The residual, ten times as long: errors of a pixel are to be seen.
      const [dx, dy] = [0, 1].map((axis) => (found.shown_px[axis] - point.pixel[axis]) * 10);
      trace(c, toScreen, [point.pixel, [point.pixel[0] + dx, point.pixel[1] + dy]]);
      c.strokeStyle = found.verdict === "bad" ? "#ff5a36" : "#ffd24a";
      c.lineWidth = 2;
      c.stroke();
    }
    mark(c, toScreen(point.pixel), point, colour);
  }
  if (state.pending.pixel) mark(c, toScreen(state.pending.pixel), null, colour);
}

function drawPlan(c, toScreen) {
  const colour = colours();
  for (const [kind, polygon] of state.subject?.zones ?? []) {
    trace(c, toScreen, polygon);
    c.closePath();
    c.fillStyle = colour[kind];
    c.fill();
    c.strokeStyle = colour["zone-line"];
    c.lineWidth = 1;
    c.stroke();
  }
  if (state.fit) {
    const [x, y] = toScreen(state.fit.camera_m), yaw = (-state.fit.yaw_deg * Math.PI) / 180;
    c.fillStyle = colour.accent;
    c.globalAlpha = 0.25;
    c.beginPath();
    c.moveTo(x, y);
    c.arc(x, y, 46, yaw - 0.5, yaw + 0.5);
    c.fill();
    c.globalAlpha = 1;
    c.beginPath();
    c.arc(x, y, 5, 0, 7);
    c.fill();
  }
  for (const point of state.points) mark(c, toScreen(point.ground), point, colour);
  if (state.pending.ground) mark(c, toScreen(state.pending.ground), null, colour);
}

/** A cross with the point's name; one that waits for its other half is hollow. */
function mark(c, [x, y], point, colour) {
  const isBad = point && resultOf(point)?.verdict === "bad";
  c.strokeStyle = isBad ? colour.bad : point ? "#e69f00" : colour.accent;
  c.lineWidth = point && point === state.selected ? 3 : 1.8;
  c.beginPath();
  c.arc(x, y, 6, 0, 7);
  if (point) {
    for (const [dx, dy] of [[1, 0], [0, 1]]) {
      c.moveTo(x - dx * 9, y - dy * 9);
      c.lineTo(x + dx * 9, y + dy * 9);
    }
  }
  c.stroke();
  if (!point) return;
  c.font = "600 12px system-ui, sans-serif";
  c.lineWidth = 3;
  c.strokeStyle = colour.halo;
  c.strokeText(point.name, x + 10, y - 8);
  c.fillStyle = isBad ? colour.bad : colour.text;
  c.fillText(point.name, x + 10, y - 8);
}

const resultOf = (point) => state.fit?.points[state.points.indexOf(point)];

function clicked(side, place, screen, view) {
  const isNear = (point) => {
    const [x, y] = view.toScreen(point[side]);
    return Math.hypot(x - screen[0], y - screen[1]) <= NEAR_PX;
  };
  const known = state.points.find(isNear);
  if (known) state.selected = known === state.selected ? null : known;
  else if (state.selected) {
    // The selected point is moved: a click is corrected by another one.
    state.selected[side] = place;
    changed();
  } else {
    state.pending[side] = place;
    const { pixel, ground } = state.pending;
    if (pixel && ground) {
      state.points.push({ name: `p${state.next++}`, pixel, ground, up_m: 0 });
      state.pending = {};
      changed();
    }
  }
  show();
}

function changed() {
  clearTimeout(state.timer);
  state.fit = null;
  byId("save").disabled = true;
  state.timer = setTimeout(refit, FIT_AFTER_MS);
}

const request = () => JSON.stringify({
  points: state.points.map(({ name, pixel, ground, up_m }) => ({ name, pixel, east_m: ground[0], north_m: ground[1], up_m })),
  fit_focal_length: byId("focal").checked,
});

const ask = (path) => fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: request() });

async function refit() {
  const number = ++state.asked;
  const answer = await ask("/api/fit"), body = answer.ok ? await answer.json() : await answer.text();
  // A later question is under way: this answer is of points that are no more.
  if (number !== state.asked) return;
  state.fit = answer.ok ? body : null;
  say(byId("words"), answer.ok ? body.words : body);
  byId("save").disabled = !answer.ok;
  show();
}

async function save() {
  const answer = await ask("/api/save"), banner = byId("banner");
  say(banner, await answer.text());
  banner.classList.toggle("good", answer.ok);
  banner.hidden = false;
}

const HEAD = ["point", "x", "y", "east (m)", "north (m)", "up (m)", "error (px)", "(m)", "without it (px)", "(m)", ""];
const figure = (value) => (value === null || value === undefined ? "–" : value.toFixed(2));

function show() {
  const table = byId("points");
  if (!table.tBodies.length) table.append(el("thead", {}, el("tr", {}, ...HEAD.map((text) => el("th", { text, scope: "col" })))), el("tbody"));
  keyed(table.tBodies[0], state.points, (point) => point.key ??= crypto.randomUUID(), row, update);
  const bad = (state.fit?.points ?? []).filter((point) => point.verdict === "bad").map(({ point }) => point.name);
  say(byId("points-note"), bad.length ? `Left out: ${bad.join(", ")}` : state.fit ? `${state.fit.rms_px.toFixed(2)} px RMS` : "");
  const { pixel, ground } = state.pending;
  const hint = state.selected ? `${state.selected.name} is selected: a click moves it, Escape lets it go.` : pixel ? "Now the same point on the map." : ground ? "Now the same point in the picture." : "Click a point in the picture, then the same point on the map.";
  say(byId("hint"), hint);
  picture.redraw();
  plan.redraw();
}

function row(point) {
  const field = (read, write, kind = "number") => {
    const input = el("input", { type: kind, step: "any", change: () => { write(kind === "number" ? Number(input.value) : input.value); changed(); } });
    input.read = read;
    return el("td", {}, input);
  };
  const pair = (side, axis) => field(() => String(Math.round(point[side][axis] * 100) / 100), (value) => { point[side] = point[side].with(axis, value); });
  return el("tr", {},
    field(() => point.name, (value) => { point.name = value; }, "text"),
    pair("pixel", 0), pair("pixel", 1), pair("ground", 0), pair("ground", 1),
    field(() => String(point.up_m), (value) => { point.up_m = value; }),
    el("td"), el("td"), el("td"), el("td"),
    el("td", {}, el("button", { type: "button", text: "✕", title: "Remove the point", "aria-label": "Remove the point", click: () => remove(point) })));
}

function update(node, point) {
  const found = resultOf(point);
  for (const input of node.querySelectorAll("input")) if (document.activeElement !== input) input.value = input.read();
  [found?.error_px, found?.error_m, found?.left_out_px, found?.left_out_m].forEach((value, i) => say(node.cells[6 + i], figure(value)));
  node.classList.toggle("bad", found?.verdict === "bad");
  node.classList.toggle("selected", point === state.selected);
}

function remove(point) {
  state.points = state.points.filter((other) => other !== point);
  if (state.selected === point) state.selected = null;
  changed();
  show();
}

async function begin() {
  state.subject = await (await fetch("/api/subject")).json();
  const { name, image_size_px: [width, height], zones, borders_m, points } = state.subject;
  say(byId("name"), `Calibrate ${name}`);
  byId("save").title = state.subject.output;
  byId("focal").checked = state.subject.fit_focal_length;
  state.points = points.map((point) => ({ ...point, ground: [point.east_m, point.north_m] }));
  state.next = points.length + 1;
  image.onload = () => picture.redraw();
  image.src = "/api/image";
  picture.fit([0, 0, width, height]);
  const places = [...zones.flatMap(([, polygon]) => polygon), ...borders_m.flat(), ...state.points.map(({ ground }) => ground)];
  const [es, ns] = [0, 1].map((axis) => places.map((place) => place[axis]));
  plan.fit(places.length ? [Math.min(...es) - 5, Math.min(...ns) - 5, Math.max(...es) + 5, Math.max(...ns) + 5] : [-30, -30, 30, 30]);
  if (points.length) changed();
  show();
}

byId("focal").addEventListener("change", changed);
byId("save").addEventListener("click", save);
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  [state.selected, state.pending] = [null, {}];
  show();
});
begin();
