// Connects the page to the data room and its parts to each other.

import { LiveSocket, get, token } from "./api.js";
import { Alarms, titleOf } from "./alarms.js";
import { Background } from "./background.js";
import { classOf, classOrder } from "./classes.js";
import { PageClock } from "./clock.js";
import { byId, el, keyed, say } from "./dom.js";
import { badge } from "./figures.js";
import { describeThing, describeUser } from "./details.js";
import { CityMap } from "./map.js";
import { Frame, Scene } from "./scene.js";
import { startScreen } from "./screens.js";
import { Tabs } from "./tabs.js";
import { Timeline } from "./timeline.js";
import { language, setLanguage, t, timeOfDay } from "./words.js";

const LAYERS = [["users", "Road users"], ["signals", "Signals"], ["sensors", "Sensors"], ["coverage", "Coverage"], ["blind", "Blind spots"]];
/** Figures are shown anew so often. */
const SHOW_MS = 500;
const DESCRIBE_MS = 10_000;
const mode = new URLSearchParams(location.search).get("mode") ?? "desk";

const app = { session: null, selected: null, describedAt: 0 };
document.body.dataset.mode = mode;

function wireTheme() {
  const wanted = new URLSearchParams(location.search).get("theme") ?? localStorage.getItem("masa-theme");
  if (wanted) document.documentElement.dataset.theme = wanted;
  const isDark = () => (document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
  byId("theme").addEventListener("click", () => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    localStorage.setItem("masa-theme", document.documentElement.dataset.theme);
    app.map?.readColours();
  });
}

function wireLanguage() {
  setLanguage(language);
  const other = language === "it" ? "en" : "it";
  say(byId("language"), other.toUpperCase());
  // Everything is built again in the other language.
  byId("language").addEventListener("click", () => {
    localStorage.setItem("masa-language", other);
    const url = new URL(location.href);
    url.searchParams.delete("lang");
    location.replace(url);
  });
}

/** Asks who we are; without a token that is known, for a token. */
async function begin() {
  try {
    app.session = await get("/control-room/session");
    if (mode !== "public" && app.session.audience === "public") throw Object.assign(new Error(""), { status: 401 });
  } catch (error) {
    if (error.status !== 401 && error.status !== 403) {
      say(byId("banner"), `${t("The data room does not answer.")} ${t("Trying again.")}`);
      byId("banner").hidden = false;
      return setTimeout(begin, 2000);
    }
    return askForToken(token.get() ? t("This token is not known here.") : "");
  }
  byId("banner").hidden = true;
  const { name, caller, audience } = app.session;
  say(byId("name"), name);
  document.title = `${name} · MASA`;
  say(byId("who"), audience === "public" ? "" : caller);
  byId("sign-out").hidden = audience === "public";
  const ground = await get("/control-room/map");
  open(ground);
}

function askForToken(words) {
  say(byId("sign-in-words"), words);
  token.set("");
  const dialog = byId("sign-in");
  if (!dialog.open) dialog.showModal();
  byId("token").focus();
}

byId("sign-in-form").addEventListener("submit", (event) => {
  event.preventDefault();
  token.set(byId("token").value.trim());
  byId("token").value = "";
  byId("sign-in").close();
  begin();
});
byId("sign-in").addEventListener("cancel", (event) => event.preventDefault());
byId("sign-out").addEventListener("click", () => {
  token.set("");
  location.reload();
});

function open(ground) {
  const frame = new Frame(originOf(ground));
  const [live, past] = [new Scene(frame), new Scene(frame)];
  const map = new CityMap(byId("map"), select);
  Object.assign(app, { map, live, past, scene: live });
  const clock = (app.clock = new PageClock(live, past, (scene) => {
    app.scene = scene;
    map.setScene(scene);
    show();
  }));
  map.time = () => clock.time();
  map.setScene(live);
  map.setGround(ground.features, frame);
  if (app.session.background) Background.open("/control-room/background", () => (map.changed = true)).then((background) => background && map.setBackground(background, frame));
  // For scripts that measure or look at the page from outside.
  window.masa = { map, clock, scenes: { live, past } };
  clock.addEventListener("trouble", ({ detail }) => trouble(`${t("The past cannot be shown:")} ${detail.message}`));
  clock.addEventListener("shown", () => trouble(""));
  new LiveSocket((text) => {
    clock.heard(text.at);
    live.take(text);
    if (!map.fitted && !map.moved) map.fit();
    [app.link, app.heard] = ["live", text.at];
    if (!app.opened) [app.opened] = [true, show()];
  }, (link) => (app.link = link));
  wireMap(map);
  if (mode === "desk") openDesk(clock);
  else app.screen = startScreen(mode, app);
  setInterval(show, SHOW_MS);
}

function openDesk(clock) {
  app.alarms = new Alarms({ onOpen: select, mayOperate: () => app.session.may_operate });
  app.timeline = new Timeline(clock, () => app.scene.alarms.values());
  app.timeline.oldest = app.session.oldest;
  app.tabs = new Tabs({ moment: () => clock.time(), isPast: () => clock.mode === "past", onSelect: select, isStaff: () => app.session.audience !== "public", scene: () => app.scene });
  wireKeys(clock);
}

/** The middle of the site map, or where stations are. */
function originOf(ground) {
  const first = (coordinates) => (typeof coordinates[0] === "number" ? coordinates : first(coordinates[0]));
  const feature = ground.features.find(({ geometry }) => geometry?.coordinates?.length);
  return feature ? first(feature.geometry.coordinates) : [10.93, 44.65];
}

function wireMap(map) {
  byId("layers").append(...LAYERS.map(([name, words]) => el("button", { type: "button", "data-layer": name, "aria-pressed": String(map.layers[name]), text: t(words), click: ({ currentTarget }) => {
    const on = currentTarget.getAttribute("aria-pressed") !== "true";
    currentTarget.setAttribute("aria-pressed", String(on));
    map.setLayer(name, on);
  } })));
  byId("zoom-in").addEventListener("click", () => map.zoom(1.4));
  byId("zoom-out").addEventListener("click", () => map.zoom(1 / 1.4));
  byId("zoom-fit").addEventListener("click", () => map.fit());
  byId("inspector-close").addEventListener("click", () => select(null));
}

/** Shows what has changed since: figures, lists, the details that are open. */
function show() {
  const { clock, scene, map } = app, time = clock.time();
  app.live.forget(clock.now() - 2000);
  const users = scene.usersAt(time);
  const counts = classOrder.map((kind) => [kind, users.filter((user) => user.kind === kind).length]).filter(([, n]) => n);
  keyed(byId("legend"), counts, ([kind]) => kind, ([kind]) => el("li", { title: t(classOf(kind).label) }, badge(kind), el("span")), (node, [, n]) => say(node.lastChild, String(n)));
  if (performance.now() - app.describedAt > DESCRIBE_MS) {
    app.describedAt = performance.now();
    say(byId("map-words"), map.describe());
  }
  app.alarms?.show([...scene.alarms.values()], time, clock.mode === "past");
  app.tabs?.show(scene, users);
  app.screen?.(scene, users, time);
  showDetails();
  showLink();
}

function showLink() {
  const { link, clock } = app, past = clock.mode === "past";
  const node = byId("link");
  node.dataset.state = link === "lost" ? "stale" : past ? "past" : (link ?? "connecting");
  say(node, link === "lost" ? t("lost") : past ? t("past") : link === "live" ? t("live") : t("connecting"));
  if (link === "lost") trouble(`${t("No connection to the data room: the picture is from")} ${timeOfDay(app.heard ?? clock.now(), true)}. ${t("Trying again.")}`, true);
  else if (app.lost) trouble("");
  document.body.classList.toggle("stale", link === "lost");
}

function trouble(words, lost = false) {
  app.lost = lost;
  say(byId("banner"), words);
  byId("banner").hidden = !words;
}

function select(id) {
  if (mode !== "desk") return;
  app.selected = id;
  app.map.select(id);
  app.alarms.mark(id);
  byId("inspector-body").replaceChildren();
  delete byId("inspector").dataset.shown;
  if (id === null) {
    if (byId("inspector").contains(document.activeElement)) byId("map").focus();
    byId("inspector").hidden = true;
    return;
  }
  const place = placeOf(id);
  const [x, y] = place ? app.map.toScreen(...place) : [0, 0];
  if (place && (x < 0 || y < 0 || x > app.map.width || y > app.map.height)) app.map.centre(...place);
  byId("inspector").classList.toggle("left", Boolean(place) && app.map.toScreen(...place)[0] > app.map.width / 2);
  showDetails();
}

function placeOf(id) {
  const { scene } = app, user = scene.users.get(id);
  if (user) return [user.e, user.n];
  return scene.alarms.get(id)?.at_m ?? scene.coverage.get(id)?.at_m ?? scene.things.get(id)?.points[0] ?? null;
}

/** The details of what is selected. Forms keep what is being typed: an alarm is built again only when it has changed. */
function showDetails() {
  const { scene, selected, clock } = app, inspector = byId("inspector"), body = byId("inspector-body");
  if (selected === null || mode !== "desk") return;
  const alarm = scene.alarms.get(selected), user = scene.users.get(selected), thing = scene.things.get(selected) ?? scene.coverage.get(selected);
  inspector.hidden = false;
  const version = alarm ? `${alarm.id} ${alarm.version} ${clock.mode}` : null;
  if (version && inspector.dataset.shown === version) return;
  if (alarm) {
    say(byId("inspector-title"), titleOf(alarm));
    inspector.dataset.shown = version;
    body.replaceChildren(...app.alarms.details(alarm, (changed) => {
      scene.alarms.set(changed.id, { ...alarm, ...changed });
      show();
    }));
  } else if (user) {
    say(byId("inspector-title"), `${t(user.look.label)} ${user.id.split(":").at(-1)}`);
    body.replaceChildren(...describeUser(user, clock.time()));
  } else if (thing) {
    const [title, nodes] = describeThing(thing, clock.time());
    say(byId("inspector-title"), title);
    body.replaceChildren(...nodes);
  } else if (!body.querySelector(".gone")) {
    // Built again when it comes back, as it may after a look at the past.
    delete inspector.dataset.shown;
    body.prepend(el("p", { class: "empty gone", text: t("It is no longer on the map.") }));
  }
}

function wireKeys(clock) {
  const alarmBy = (by) => {
    const ids = [...byId("alarms").children].map((node) => node.dataset.key), at = ids.indexOf(app.selected);
    if (ids.length) select(ids[(at + by + ids.length) % ids.length]);
  };
  const layer = (i) => byId("layers").children[i]?.click();
  const keys = {
    " ": [() => app.timeline.playOrPause(), "play or pause"], "[": [() => app.timeline.by(-60_000), "one minute back, on"], "]": [() => app.timeline.by(60_000)],
    l: [() => clock.goLive(), "back to now"], j: [() => alarmBy(1), "next, previous alarm"], k: [() => alarmBy(-1)], a: [() => byId("acknowledge")?.click(), "acknowledge the open alarm"],
    o: [() => app.tabs.open(0), "tabs on the right"], m: [() => app.tabs.open(1)], c: [() => app.tabs.open(3)],
    1: [() => layer(0), "layers"], 2: [() => layer(1)], 3: [() => layer(2)], 4: [() => layer(3)], 5: [() => layer(4)],
    Escape: [() => select(null), "close details"], "?": [() => byId("keys").showModal(), "this list"],
  };
  const shown = [["␣", "play or pause"], ["[ ]", "one minute back, on"], ["L", "back to now"], ["J K", "next, previous alarm"], ["A", "acknowledge the open alarm"], ["O M C", "tabs on the right"], ["N P", "next, previous road user"], ["+ − 0", "zoom, show everything"], ["1 – 5", "layers"], ["Esc", "close details"], ["?", "this list"]];
  byId("keys-list").replaceChildren(...shown.flatMap(([key, words]) => [el("dt", {}, el("kbd", { text: key })), el("dd", { text: t(words) })]));
  byId("keys-open").addEventListener("click", () => byId("keys").showModal());
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, select, textarea, dialog");
    const action = !typing && !event.ctrlKey && !event.metaKey && !event.altKey && keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    // A button takes the space bar itself.
    if (!action || (event.key === " " && event.target.closest("button"))) return;
    event.preventDefault();
    action[0]();
  });
}

wireTheme();
wireLanguage();
begin();
