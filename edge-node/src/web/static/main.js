// Connects the page to its node and its parts to each other.

import { CameraView } from "./camera.js";
import { classOf } from "./classes.js";
import { age, byId, clock, digits, el, kmh, say } from "./dom.js";
import { pairs } from "./figures.js";
import { MapView } from "./map.js";
import { Messages } from "./messages.js";
import { showEvents, showObjects, showSensors, showSources, showTelemetry, wirePanels } from "./panels.js";

/** The node sends at least one text a second; after this silence the picture is old. */
const SILENCE_MS = 2500;
const CORE_SILENCE_MS = 5000;
const RETRY_MS = [500, 1000, 2000, 4000];

const state = { site: null, snapshot: null, telemetry: null, heard: 0, began: performance.now(), silent: 0, tries: 0, selected: null, message: null, side: "" };

const map = new MapView(byId("map"), select);
const camera = new CameraView(select);
const messages = new Messages(openMessage);
wirePanels();

async function loadSite() {
  try {
    const answer = await fetch("/api/site");
    if (!answer.ok) throw new Error(`${answer.status}`);
    state.site = await answer.json();
  } catch {
    return false;
  }
  const { node, site } = state.site;
  document.title = `${node.name} · MASA`;
  say(byId("node-name"), node.name);
  const facts = [["Station", String(node.station_id)], ["Model", node.model], ["Engine", node.engine], ["Version", node.version]];
  byId("facts").replaceChildren(...facts.filter(([, value]) => value).map(([term, value]) => el("div", {}, el("dt", { text: term }), el("dd", { text: value, title: value }))));
  byId("facts").title = node.config_path;
  map.setSite(site);
  camera.setSite(state.site);
  return true;
}

async function connect() {
  // A node that was started again may have another site.
  if (!(await loadSite())) return retry();
  const url = new URL("/api/live", location.href);
  url.protocol = url.protocol.replace("http", "ws");
  const socket = new WebSocket(url);
  let timer = setTimeout(() => socket.close(), SILENCE_MS * 2);
  socket.onmessage = ({ data }) => {
    clearTimeout(timer);
    timer = setTimeout(() => socket.close(), SILENCE_MS * 2);
    state.tries = 0;
    receive(JSON.parse(data));
  };
  socket.onclose = () => {
    clearTimeout(timer);
    retry();
  };
}

function retry() {
  setTimeout(connect, RETRY_MS[Math.min(state.tries++, RETRY_MS.length - 1)]);
}

function receive({ snapshot, frames, telemetry, newest_message, silent_ms }) {
  [state.heard, state.silent, state.snapshot] = [performance.now(), silent_ms, snapshot];
  map.push(snapshot);
  camera.push(frames);
  messages.follow(newest_message);
  if (telemetry) {
    state.telemetry = telemetry;
    showTelemetry(telemetry);
    showSources(snapshot, telemetry, state.site.node);
    showSensors(snapshot);
  }
  showObjects(snapshot, state.selected, select);
  showEvents(snapshot, (event) => {
    map.centre(event.e_m, event.n_m);
    select(event.object_id);
  });
  say(byId("clock"), `${clock(snapshot.time_ms)} UTC · up ${age(Math.max(1, state.telemetry?.uptime_s ?? 1))}`);
  if (state.selected !== null && state.message === null) showObject();
  watch();
}

/** Says how old the picture is, when it is. */
function watch() {
  const silence = performance.now() - (state.heard || state.began);
  const lost = silence > SILENCE_MS, coreSilent = state.heard && state.silent > CORE_SILENCE_MS;
  const banner = byId("banner"), stale = lost || coreSilent;
  if (lost) {
    say(banner, state.heard ? `No connection to the node: last update ${age(silence / 1000)} ago. Trying again.` : "The node does not answer. Trying again.");
  } else if (coreSilent) {
    say(banner, `The node answers, but nothing new has come from its sources: last update ${age(state.silent / 1000)} ago.`);
  }
  banner.hidden = !stale;
  const link = byId("link"), word = lost ? (state.heard ? "lost" : "no answer") : coreSilent ? "silent" : state.heard ? "live" : "connecting";
  link.dataset.state = stale ? "stale" : word;
  say(link, word);
  document.body.classList.toggle("stale", Boolean(stale));
  map.setStale(Boolean(stale));
}

function select(id) {
  const changed = id !== state.selected;
  [state.selected, state.message] = [id, null];
  messages.mark(null);
  map.select(id);
  camera.select(id);
  if (id === null) return closeInspector();
  if (changed) {
    byId("inspector-body").replaceChildren();
    // The details leave the object in sight.
    state.side = map.isRight(id) ? "left" : "";
  }
  showObject();
}

function showObject() {
  const object = state.snapshot?.objects.find(({ id }) => id === state.selected), body = byId("inspector-body");
  openInspector(object ? `${classOf(object.class).label} ${object.id}` : `Object ${state.selected}`, `fit ${state.side}`);
  if (!object) {
    if (!body.querySelector(".gone")) body.prepend(el("p", { class: "empty gone", text: "It is no longer on the map." }));
    return;
  }
  const tracks = object.sights.map(({ camera, track_id }) => `${track_id} of ${sourceName(camera)}`);
  const tellers = (object.told_by ?? []).map((station) => `station ${station}`);
  const details = pairs([
    ["Speed", object.stationary_s === null ? `${kmh(object.speed_mps)} (${digits(object.speed_mps)} m/s)` : `standing for ${age(object.stationary_s)}`],
    ["Heading", object.heading_deg === null ? "not known" : `${Math.round(object.heading_deg)}°`],
    ["Position", `${object.lat_deg.toFixed(6)}, ${object.lon_deg.toFixed(6)}`],
    ["Site", `${metres(object.e_m, "east", "west")}, ${metres(object.n_m, "north", "south")}`],
    ["Accuracy", `95 % within ${digits(object.ellipse.major_m * Math.sqrt(5.991))} × ${digits(object.ellipse.minor_m * Math.sqrt(5.991))} m`],
    ["Class", `${classOf(object.class).label}, ${Math.round(object.class_confidence * 100)} % of the votes`],
    [tracks.length ? "Track" : "Told by", `${[...tracks, ...tellers].join(", ")}${object.state === "coasting" ? ", carried through a gap" : ""}`],
    ["Seen", `for ${age(object.age_s)}, last ${object.since_update_s < 1 ? "just now" : `${age(object.since_update_s)} ago`}`],
  ]);
  const mentions = messages.of(object.id).slice(0, 6);
  const links = mentions.map(({ id, kind, generated_at_ms }) =>
    el("button", { type: "button", class: "textlink", text: `${kind.toUpperCase()} ${clock(generated_at_ms, 1)}`, title: id, "data-id": id, click: () => openMessage(id) }));
  // The links are replaced only when they changed, so that they can be clicked and keep the focus.
  const ids = mentions.map(({ id }) => id).join(" ");
  if (body.dataset.ids === ids && body.children[1]?.dataset.links) body.firstChild.replaceWith(details);
  else {
    const list = el("div", { "data-links": "1" }, el("h3", { text: "Messages that speak of it" }), links.length ? el("div", { class: "links" }, ...links) : el("p", { class: "empty", text: "None among the last 200." }));
    const focused = document.activeElement?.dataset?.id;
    body.replaceChildren(details, list);
    body.dataset.ids = ids;
    if (focused) body.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus();
  }
}

async function openMessage(id) {
  state.message = id;
  messages.mark(id);
  openInspector(id, state.side);
  const body = byId("inspector-body");
  delete body.dataset.ids;
  body.replaceChildren(el("p", { class: "empty", text: "Fetching." }));
  let nodes;
  try {
    nodes = await messages.decode(id, sourceName, select);
  } catch {
    nodes = [el("p", { class: "empty", text: "The message cannot be fetched." })];
  }
  if (state.message !== id) return;
  body.replaceChildren(...nodes);
  body.scrollTop = 0;
  byId("inspector-title").focus({ preventScroll: true });
}

const metres = (value, ahead, behind) => `${digits(Math.abs(value))} m ${value < 0 ? behind : ahead}`;
const sourceName = (id) => state.site?.node.sources.find((source) => source.id === id)?.name ?? `source ${id}`;

function openInspector(title, shape) {
  const inspector = byId("inspector");
  inspector.className = `inspector ${shape}`;
  inspector.hidden = false;
  say(byId("inspector-title"), title);
}

function closeInspector() {
  if (byId("inspector").contains(document.activeElement)) byId("map").focus();
  byId("inspector").hidden = true;
}

byId("inspector-close").addEventListener("click", () => select(null));
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !byId("inspector").hidden) select(null);
});
byId("zoom-in").addEventListener("click", () => map.zoom(1.4));
byId("zoom-out").addEventListener("click", () => map.zoom(1 / 1.4));
byId("zoom-fit").addEventListener("click", () => map.fit());
setInterval(watch, 500);
connect();
