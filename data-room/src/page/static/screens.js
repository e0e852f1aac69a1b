// Screens without an operator: a wall display, and public information that shows no single road user.

import { titleOf } from "./alarms.js";
import { byId, el, keyed, say } from "./dom.js";
import { isSlow } from "./map.js";
import { MEASURES, hourly, nameOf, placeOf, scaled, trafficOf } from "./panels.js";
import { ago, number, language, setLanguage, t, timeOfDay } from "./words.js";

/** The public screen changes its language so often. */
const TURN_MS = 15_000;
const WARNINGS = { critical: 0, high: 1, medium: 2, low: 3 };

/** Makes the page a screen; gives what shows a scene on it. */
export function startScreen(mode, app) {
  const board = el("section", { class: "board" });
  document.querySelector("main").append(board);
  if (mode === "public") {
    for (const layer of ["users", "signals", "coverage"]) app.map.setLayer(layer, false);
    for (const layer of ["flows", "warnings"]) app.map.setLayer(layer, true);
    setInterval(() => setLanguage(language === "it" ? "en" : "it"), TURN_MS);
  }
  return mode === "public" ? publicBoard(board) : wallBoard(board);
}

function figure(words) {
  return el("div", { class: "figure" }, el("b"), el("span", { text: words }));
}

function wallBoard(board) {
  const figures = ["road users now", "open alarms", "stations heard", "vehicles per hour"].map((words) => figure(t(words)));
  const list = el("ol", { class: "wall-alarms" });
  const air = el("div", { class: "wall-air" });
  board.append(el("div", { class: "figures" }, ...figures), list, air);
  return (scene, users, time) => {
    say(byId("when"), timeOfDay(time, true));
    const open = [...scene.alarms.values()].filter(({ state }) => state !== "closed").sort((a, b) => WARNINGS[a.severity] - WARNINGS[b.severity] || b.raised_ms - a.raised_ms);
    const flow = trafficOf(scene).gates.reduce((sum, { properties }) => sum + (hourly(properties, properties.intensity) ?? 0), 0);
    [users.length, open.length, scene.coverage.size, Math.round(flow)].forEach((value, i) => say(figures[i].firstChild, number(value)));
    figures[1].classList.toggle("bad", open.some(({ state }) => state === "raised"));
    keyed(list, open.slice(0, 6), ({ id }) => id, () => el("li", {}, el("b"), el("span"), el("span")), (node, alarm) => {
      node.className = `alarm ${alarm.severity} ${alarm.state}`;
      say(node.children[0], titleOf(alarm));
      say(node.children[1], ago(time - alarm.raised_ms));
      say(node.children[2], alarm.state === "assigned" ? `${t("assigned")}: ${alarm.assignee}` : t(alarm.state));
    });
    showMeasures(air, scene);
  };
}

function showMeasures(root, scene) {
  const found = MEASURES.flatMap(([type, attribute, words, unit, digits, limit]) => scene.ofType(type).filter(({ properties }) => typeof properties[attribute] === "number").slice(0, 1).map((thing) => ({ attribute, words, unit, digits, limit, value: scaled(attribute, thing.properties[attribute]) })));
  keyed(root, found, ({ attribute }) => attribute, () => el("div", { class: "measure" }, el("span"), el("b"), el("span", { class: "muted" })), (node, { words, unit, digits, limit, value }) => {
    say(node.children[0], t(words));
    say(node.children[1], number(value, digits));
    say(node.children[2], unit);
    node.classList.toggle("above", limit !== null && value > limit);
  });
}

function publicBoard(board) {
  const card = (words) => {
    const body = el("div");
    board.append(el("section", { class: "card" }, el("h2", { "data-t": words, text: t(words) }), body));
    return body;
  };
  const [warnings, traffic, parking, air] = ["Warnings", "Traffic now", "Parking", "Air"].map(card);
  board.append(el("p", { class: "muted promise", "data-t": "Counted by the city's sensors. No person is shown or recorded here.", text: t("Counted by the city's sensors. No person is shown or recorded here.") }));
  const line = (root, items, keyOf, texts, state) => {
    keyed(root, items.length ? items : [null], (item) => (item ? keyOf(item) : "none"), () => el("div", { class: "public-line" }, el("span"), el("b")), (node, item) => {
      const [left, right] = item ? texts(item) : ["", t(root === warnings ? "No warning is in force." : "no data")];
      say(node.children[0], left);
      say(node.children[1], right);
      node.dataset.state = item ? state(item) : "none";
    });
  };
  return (scene, users, time) => {
    say(byId("when"), timeOfDay(time, false));
    const alerts = scene.ofType("Alert").filter(({ properties }) => properties.severity in WARNINGS).sort((a, b) => WARNINGS[a.properties.severity] - WARNINGS[b.properties.severity]);
    line(warnings, alerts.slice(0, 4), ({ id }) => id, ({ properties, at }) => [t(properties.description), ago(time - at)], ({ properties }) => properties.severity);
    const pace = (properties) => (isSlow(properties) ? "slow" : "flowing");
    line(traffic, trafficOf(scene).gates.slice(0, 6), ({ id }) => id, (flow) => [placeOf(flow), t(pace(flow.properties))], ({ properties }) => pace(properties));
    const places = scene.ofType("OnStreetParking", "OffStreetParking"), groups = places.length ? places : scene.ofType("ParkingGroup");
    line(parking, groups.filter(({ properties }) => properties.availableSpotNumber !== undefined).slice(0, 5), ({ id }) => id, (thing) => [nameOf(thing), `${thing.properties.availableSpotNumber} ${t("free spaces")}`], ({ properties }) => (properties.availableSpotNumber ? "good" : "full"));
    const grades = MEASURES.filter(([, , , , , limit]) => limit !== null).flatMap(([type, attribute, words, , , limit]) => scene.ofType(type).filter(({ properties }) => typeof properties[attribute] === "number").slice(0, 1).map(({ properties }) => [words, properties[attribute] / limit]));
    const grade = (share) => (share < 0.5 ? "good" : share <= 1 ? "fair" : "poor");
    line(air, grades, ([words]) => words, ([words, share]) => [t(words), t(grade(share))], ([, share]) => grade(share));
  };
}
