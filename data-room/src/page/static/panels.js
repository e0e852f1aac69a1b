// The overview: traffic, parking, air, people and the fleet, as they are at the moment shown, with the curve of the hours
// before it.

import { get } from "./api.js";
import { classOf } from "./classes.js";
import { el, keyed, rows, say } from "./dom.js";
import { badge, empty } from "./figures.js";
import { curve } from "./charts.js";
import { ago, number, t } from "./words.js";

const HOUR = 3_600_000;
const HOURS = 3, POINTS = 36;
/** Curves are fetched again after so long, or when the moment shown has moved on by a step. */
const REFRESH_MS = 20_000;
/** What is measured: attribute, words, unit, digits, limit value. */
export const MEASURES = [
  ["AirQualityObserved", "no2", "Nitrogen dioxide", "µg/m³", 0, 200],
  ["AirQualityObserved", "pm10", "PM10", "µg/m³", 0, 45],
  ["AirQualityObserved", "pm25", "PM2.5", "µg/m³", 0, 25],
  ["NoiseLevelObserved", "LAeq", "Noise", "dB(A)", 0, null],
  ["WeatherObserved", "temperature", "Temperature", "°C", 1, null],
  ["WeatherObserved", "relativeHumidity", "Humidity", "%", 0, null],
  ["WeatherObserved", "roadSurfaceTemperature", "Road surface", "°C", 1, null],
  ["WeatherObserved", "precipitationIntensity", "Rain", "mm/h", 1, null],
  ["WeatherObserved", "windSpeed", "Wind", "m/s", 1, null],
];
/** A station's clock that is so far ahead is worth a word, milliseconds. */
const CLOCK_AHEAD_MS = 200;
const SILENT_MS = 30_000;

/** Events an hour, of a count over a period. */
export function hourly(properties, count) {
  const ms = new Date(properties.dateObservedTo) - new Date(properties.dateObservedFrom);
  return ms > 0 ? (count * HOUR) / ms : null;
}

/** A short name of a thing: its own, or the last part of its id. */
export const nameOf = ({ id, properties, name }) => properties?.name ?? name ?? id.split(":").slice(5).join(":");

/** Name of a place without the length of the interval, and that length in minutes. */
const INTERVAL = /(?:-all)?-(\d+)min$/;
export const placeOf = (thing) => nameOf(thing).replace(INTERVAL, "");
const has = (name) => ({ properties }) => properties[name] !== undefined;

/** Counts of all vehicles together, each place with its shortest interval: the newest. */
function ofAllVehicles(flows) {
  const minutes = (flow) => Number(INTERVAL.exec(nameOf(flow))?.[1] ?? 0);
  const shortest = new Map();
  for (const flow of flows) {
    if (flow.properties.vehicleType !== undefined && !INTERVAL.test(nameOf(flow))) shortest.set(flow.id, flow);
    if (flow.properties.vehicleType !== undefined) continue;
    const known = shortest.get(placeOf(flow));
    if (!known || minutes(flow) < minutes(known)) shortest.set(placeOf(flow), flow);
  }
  return [...shortest.values()];
}

/** The traffic of a scene: counts at gates, movements through junctions, queues. */
export function trafficOf(scene) {
  const flows = ofAllVehicles(scene.ofType("TrafficFlowObserved")).filter(({ properties }) => !properties.isForecast);
  const movements = flows.filter(has("levelOfService")), queues = flows.filter(has("longestQueue"));
  return { gates: flows.filter((flow) => !movements.includes(flow) && !queues.includes(flow)), movements, queues };
}

/** Relative humidity is a share in the model. */
export const scaled = (attribute, value) => (attribute === "relativeHumidity" ? value * 100 : value);

export class Overview {
  constructor(root, { moment, onSelect, isStaff }) {
    Object.assign(this, { moment, onSelect, isStaff, curves: new Map() });
    const section = (id, title) => {
      const body = el("div", { class: "section-body" });
      root.append(el("section", { class: "panel", id }, el("div", { class: "head" }, el("h2", { text: t(title) }), el("p", { class: "note end" })), body));
      return body;
    };
    this.now = section("panel-now", "Now on the road");
    this.traffic = section("panel-traffic", "Traffic flow");
    this.parking = section("panel-parking", "Parking");
    this.air = section("panel-air", "Air, noise, weather");
    this.crowd = section("panel-crowd", "People");
    this.fleet = section("panel-fleet", "Stations");
    for (const body of [this.traffic, this.traffic, this.traffic, this.crowd, this.fleet]) body.append(el("table"));
    this.counts = this.now.appendChild(el("ul", { class: "legend counts" }));
    for (const body of [this.parking, this.air]) body.append(el("div", { class: "measures" }));
    this.empties = new Map([[this.parking, "No parking is reported."], [this.air, "No sensor has reported."]].map(([body, words]) => [body, body.appendChild(el("p", { class: "empty", text: t(words), hidden: true }))]));
  }

  /** Shows the scene as it is at the moment; curves and fleet follow when they have come. */
  show(scene, users) {
    this.scene = scene;
    this.showCounts(users);
    this.showTraffic();
    this.showParking();
    this.showMeasures();
    this.showCrowd();
    this.refresh();
  }

  showCounts(users) {
    const counts = new Map();
    for (const { kind } of users) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    const list = [...counts].sort((a, b) => b[1] - a[1]);
    keyed(this.counts, list, ([kind]) => kind, ([kind]) => el("li", {}, badge(kind), el("b"), el("span", { class: "muted", text: t(classOf(kind).label) })), (node, [, n]) => say(node.children[1], number(n)));
    say(this.now.previousElementSibling.lastElementChild, users.length ? number(users.length) : "");
  }

  showTraffic() {
    const [gateTable, movementTable, queueTable] = this.traffic.querySelectorAll("table");
    const { gates, movements, queues } = trafficOf(this.scene);
    const perHour = ({ properties: p }) => {
      const value = hourly(p, p.intensity);
      return value === null ? String(p.intensity ?? "–") : number(value);
    };
    const congested = (row, { properties }) => row.classList.toggle("congested", properties.congested === true);
    const fill = (table, columns, things, cells) => {
      table.hidden = things.length === 0;
      rows(table, columns.map(([title, width, kind]) => [t(title), width, kind]), things, ({ id }) => id, cells, congested);
    };
    fill(gateTable, [["Place", "w30"], ["veh/h", "w14", "num"], ["km/h", "w14", "num"], ["Occupancy", "w20", "num"], ["", ""]], gates, (flow) => [
      this.link(flow, placeOf(flow)),
      perHour(flow),
      flow.properties.averageVehicleSpeed === undefined ? "–" : number(flow.properties.averageVehicleSpeed),
      flow.properties.occupancy === undefined ? "–" : `${number(flow.properties.occupancy * 100)} %`,
      this.spark(this.curveOf("TrafficFlowObserved", flow.id, "intensity")),
    ]);
    fill(movementTable, [["Movement", "w30"], ["veh/h", "w14", "num"], ["Delay, s", "w20", "num"], ["Level", "w14", "num"]], movements, (flow) => [
      this.link(flow, placeOf(flow).replace("-to-", " → ")),
      perHour(flow),
      flow.properties.controlDelay === undefined ? "–" : number(flow.properties.controlDelay),
      flow.properties.levelOfService,
    ]);
    fill(queueTable, [["Queue", "w30"], ["vehicles", "w20", "num"], ["longest, m", "w20", "num"]], queues, (flow) => [
      this.link(flow, placeOf(flow).replace(/-queue$/, "")),
      flow.properties.queueVehicles === undefined ? "–" : number(flow.properties.queueVehicles, 1),
      number(flow.properties.longestQueue),
    ]);
    gateTable.hidden = gates.length === 0 && movements.length + queues.length > 0;
    empty(gateTable, gates.length + movements.length + queues.length, t("Nothing is counted here yet."));
  }

  showCrowd() {
    const flows = this.scene.ofType("CrowdFlowObserved"), table = this.crowd.firstChild;
    rows(table, [["Place", "w30"], ["people/h", "w20", "num"], ["km/h", "w20", "num"], ["", ""]].map(([title, ...rest]) => [t(title), ...rest]), flows, ({ id }) => id, (flow) => [
      this.link(flow),
      number(hourly(flow.properties, flow.properties.peopleCount) ?? flow.properties.peopleCount ?? 0),
      flow.properties.averageCrowdSpeed === undefined ? "–" : number(flow.properties.averageCrowdSpeed, 1),
      this.spark(this.curveOf("CrowdFlowObserved", flow.id, "peopleCount")),
    ]);
    empty(table, flows.length, t("No one is counted here yet."));
  }

  showParking() {
    const groups = this.scene.ofType("OnStreetParking", "OffStreetParking");
    const shown = groups.length ? groups : this.scene.ofType("ParkingGroup");
    keyed(this.parking.firstChild, shown, ({ id }) => id, (thing) => el("div", { class: "parking" }, el("button", { type: "button", class: "textlike", click: () => this.onSelect(thing.id) }), el("span", { class: "num" }), el("div", { class: "bar-of" }, el("i"))), (node, thing) => {
      const { availableSpotNumber: free, totalSpotNumber: total } = thing.properties;
      say(node.children[0], nameOf(thing));
      say(node.children[1], free === undefined ? "–" : total === undefined ? `${free} ${t("free")}` : `${free} ${t("free")} ${t("of")} ${total}`);
      node.children[2].hidden = !(total > 0) || free === undefined;
      node.children[2].firstChild.style.width = `${total > 0 ? ((total - free) / total) * 100 : 0}%`;
    });
    this.empties.get(this.parking).hidden = shown.length > 0;
  }

  showMeasures() {
    const shown = MEASURES.flatMap(([type, attribute, words, unit, digits, limit]) =>
      this.scene.ofType(type).filter(({ properties }) => typeof properties[attribute] === "number").map((thing) => ({ thing, type, attribute, words, unit, digits, limit })));
    keyed(this.air.firstChild, shown, ({ thing, attribute }) => `${thing.id} ${attribute}`, ({ thing }) => el("div", { class: "measure" }, el("button", { type: "button", class: "textlike", click: () => this.onSelect(thing.id) }), el("b"), el("span", { class: "muted" }), el("span", { class: "spark-of" })), (node, { thing, type, attribute, words, unit, digits, limit }) => {
      const value = scaled(attribute, thing.properties[attribute]);
      say(node.children[0], t(words));
      node.children[0].title = `${nameOf(thing)} · ${ago(this.moment() - thing.at)}`;
      say(node.children[1], number(value, digits));
      say(node.children[2], unit);
      node.classList.toggle("above", limit !== null && value > limit);
      this.spark(this.curveOf(type, thing.id, attribute), { zero: false })(node.children[3]);
    });
    this.empties.get(this.air).hidden = shown.length > 0;
  }

  async showFleet() {
    if (!this.isStaff()) return;
    let fleet;
    try {
      fleet = await get("/control-room/fleet");
    } catch {
      // The banner says that the data room is away.
      return;
    }
    this.stations = fleet.sources;
    const table = this.fleet.firstChild, total = (kinds) => Object.values(kinds).reduce((a, b) => a + b, 0);
    rows(table, [["Station", "w30"], ["State", "w24"], ["Delay", "w20", "num"], ["Records", "", "num"]].map(([title, ...rest]) => [t(title), ...rest]), fleet.sources, ({ site, station }) => `${site}/${station}`, (source) => {
      const silence = fleet.now - source.heard, ahead = -source.least_age_ms > CLOCK_AHEAD_MS;
      return [
        this.link({ id: `coverage:${source.site}:${source.station}`, name: `${source.station}` }),
        (cell) => {
          if (!cell.firstChild) cell.append(el("span"));
          const [problem] = source.problems;
          cell.firstChild.className = `state ${silence > SILENT_MS ? "failed" : ahead || problem ? "connecting" : "up"}`;
          const words = silence > SILENT_MS ? `${t("silent")} ${ago(silence)}` : ahead ? t("clock ahead") : problem ? `${problem.subject}: ${problem.problem.replaceAll("-", " ")}` : t("well");
          say(cell.firstChild, words);
          cell.title = source.problems.map(({ subject, detail }) => `${subject}: ${detail}`).join("\n");
        },
        `${number(source.least_age_ms)} ms`,
        number(total(source.kinds)),
      ];
    });
    empty(table, fleet.sources.length, t("No station has been heard."));
    const refused = Object.values(fleet.refused).reduce((a, b) => a + b, 0);
    const words = [`${number(fleet.stored)} ${t("stored")}`, fleet.duplicates && `${number(fleet.duplicates)} ${t("duplicates removed")}`, refused && `${number(refused)} ${t("refused")}`, fleet.undecodable && `${number(fleet.undecodable)} ${t("not decodable")}`];
    say(this.fleet.previousElementSibling.lastElementChild, words.filter(Boolean).join(" · "));
  }

  link(thing, name = nameOf(thing)) {
    return (cell) => {
      if (!cell.firstChild) cell.append(el("button", { type: "button", class: "textlike", click: () => this.onSelect(thing.id) }));
      say(cell.firstChild, name);
      cell.firstChild.title = thing.id;
    };
  }

  spark(points, options) {
    return (cell) => {
      if (cell.points === points) return;
      cell.points = points;
      cell.replaceChildren(points ? curve([{ points }], { width: 96, height: 30, ...options }) : "");
    };
  }

  curveOf(type, id, attribute) {
    return this.curves.get(type)?.get(id)?.[attribute]?.points;
  }

  /** Fetches the curves up to the moment shown, one kind after the other. */
  async refresh() {
    const until = Math.floor(this.moment() / 60_000) * 60_000 + 60_000;
    if (this.busy || (this.fetchedUntil === until && performance.now() - this.fetchedAt < REFRESH_MS)) return;
    [this.busy, this.fetchedUntil, this.fetchedAt] = [true, until, performance.now()];
    const present = new Set([...this.scene.things.values()].map(({ properties }) => properties.type));
    try {
      for (const type of ["TrafficFlowObserved", "CrowdFlowObserved", "AirQualityObserved", "NoiseLevelObserved", "WeatherObserved"]) {
        if (!present.has(type)) continue;
        const { entities } = await get("/control-room/series", { type, from: until - HOURS * HOUR, until, points: POINTS });
        this.curves.set(type, new Map(entities.map(({ id, attributes }) => [id, attributes])));
      }
      await this.showFleet();
    } catch {
      // The banner says that the data room is away; the figures stay.
    }
    this.busy = false;
  }
}
