// Two periods side by side: the same measurement, the same length, two beginnings.

import { get } from "./api.js";
import { curve, summary } from "./charts.js";
import { el, rows, say } from "./dom.js";
import { nameOf, scaled } from "./panels.js";
import { number, t } from "./words.js";

const HOUR = 3_600_000;
const WHAT = [
  ["Vehicles", "TrafficFlowObserved", "intensity", 0], ["Mean speed", "TrafficFlowObserved", "averageVehicleSpeed", 1], ["Occupancy", "TrafficFlowObserved", "occupancy", 3],
  ["Free spaces", "OnStreetParking", "availableSpotNumber", 0], ["People", "CrowdFlowObserved", "peopleCount", 0], ["Nitrogen dioxide", "AirQualityObserved", "no2", 0],
  ["PM10", "AirQualityObserved", "pm10", 0], ["Sound level", "NoiseLevelObserved", "LAeq", 1], ["Temperature", "WeatherObserved", "temperature", 1], ["Humidity", "WeatherObserved", "relativeHumidity", 0],
];
const LENGTHS = [["15 minutes", HOUR / 4], ["1 hour", HOUR], ["6 hours", 6 * HOUR], ["1 day", 24 * HOUR], ["1 week", 168 * HOUR]];
const POINTS = 60;

export class Compare {
  constructor(root, { moment, onSelect }) {
    this.onSelect = onSelect;
    const select = (id, list) => el("select", { id }, ...list.map(([words], i) => el("option", { value: i, text: t(words) })));
    const field = (words, input) => el("label", { class: "field" }, el("span", { text: t(words) }), input);
    const begin = (id, at) => el("input", { id, type: "datetime-local", value: local(at) });
    const now = moment();
    this.what = select("compare-what", WHAT);
    this.length = select("compare-length", LENGTHS);
    this.length.value = 1;
    [this.a, this.b] = [begin("compare-a", now - HOUR), begin("compare-b", now - 25 * HOUR)];
    this.words = el("p", { class: "empty" });
    this.chart = el("div", { class: "compare-chart" });
    this.table = el("table");
    root.append(el("section", { class: "panel" },
      el("div", { class: "fields" }, field("What", this.what), field("Length", this.length), field("Period A", this.a), field("Period B", this.b)),
      el("p", { class: "keys-of" }, el("span", { class: "swatch a" }), `${t("Period A")} `, el("span", { class: "swatch b" }), t("Period B")),
      this.chart, this.table, this.words));
    for (const input of [this.what, this.length, this.a, this.b]) input.addEventListener("change", () => this.show());
    this.show();
  }

  async show() {
    const [, type, attribute, digits] = WHAT[this.what.value], length = LENGTHS[this.length.value][1];
    const order = (this.order = Symbol());
    say(this.words, t("Fetching."));
    let a, b;
    try {
      [a, b] = await Promise.all([this.a, this.b].map(({ value }) => {
        const from = new Date(value).getTime();
        return get("/control-room/series", { type, from, until: from + length, points: POINTS });
      }));
    } catch (error) {
      return say(this.words, `${t("Not to be had:")} ${error.message}`);
    }
    if (order !== this.order) return;
    const of = ({ entities }) => new Map(entities.filter(({ attributes }) => attributes[attribute]).map((entity) => [entity.id, entity]));
    const [inA, inB] = [of(a), of(b)], ids = [...new Set([...inA.keys(), ...inB.keys()])];
    const places = ids.map((id) => {
      const points = [inA, inB].map((side) => side.get(id)?.attributes[attribute].points.map((p) => p && [scaled(attribute, p[0]), scaled(attribute, p[1]), scaled(attribute, p[2]), p[3]]) ?? []);
      return { id, name: nameOf(inA.get(id) ?? inB.get(id)), points, sums: points.map(summary) };
    });
    const all = [0, 1].map((side) => merge(places.map(({ points }) => points[side])));
    const rowsOf = [{ id: "", name: t("All places"), points: all, sums: all.map(summary) }, ...places];
    this.chart.replaceChildren(...(places.length ? [curve([{ points: all[1], className: "b" }, { points: all[0], className: "a" }], { height: 150, zero: type !== "WeatherObserved", from: a.from, step_ms: a.step_ms })] : []));
    const show = (sum) => (sum ? number(sum.mean, digits) : "–");
    rows(this.table, [["Place", "w30"], ["A", "w20", "num"], ["B", "w20", "num"], ["Difference", "", "num"]].map(([title, ...rest]) => [t(title), ...rest]), places.length ? rowsOf : [], ({ id }) => id, ({ id, name, sums: [x, y] }) => [
      (cell) => {
        if (!cell.firstChild) cell.append(id ? el("button", { type: "button", class: "textlike", click: () => this.onSelect(id) }) : el("b"));
        say(cell.firstChild, name);
      },
      show(x), show(y),
      x && y ? `${x.mean >= y.mean ? "+" : "−"}${number(Math.abs(x.mean - y.mean), digits)}${y.mean ? ` (${x.mean >= y.mean ? "+" : "−"}${number(Math.abs((x.mean / y.mean - 1) * 100))} %)` : ""}` : t("no measurement"),
    ]);
    this.table.hidden = !places.length;
    say(this.words, places.length ? "" : t("Nothing was measured in either period."));
  }
}

/** The mean over places, step by step. */
function merge(lists) {
  return Array.from({ length: POINTS }, (_, i) => {
    const known = lists.map((points) => points[i]).filter(Boolean);
    if (!known.length) return null;
    const mean = known.reduce((sum, [value]) => sum + value, 0) / known.length;
    return [mean, Math.min(...known.map((p) => p[1])), Math.max(...known.map((p) => p[2])), known.reduce((sum, p) => sum + p[3], 0)];
  });
}

const local = (at) => new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
