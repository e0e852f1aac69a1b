// One thing on the map in words.

import { el } from "./dom.js";
import { pairs } from "./figures.js";
import { facts } from "./scene.js";
import { ago, dateTime, number, t } from "./words.js";

/** A road user. */
export function describeUser(user, time) {
  const { speed_kmh, heading, major_m, minor_m, age_s, length_m, width_m, confidence, station, message, lon, lat } = facts(user);
  const last = time - user.places.at(-1).t;
  return [pairs([
    [t("Speed"), speed_kmh === null ? t("not known") : speed_kmh < 1 ? t("standing") : `${number(speed_kmh)} km/h`],
    [t("Heading"), heading === null ? t("not known") : `${number(heading)}°`],
    [t("Position"), `${lat.toFixed(6)}, ${lon.toFixed(6)}`],
    [t("Accuracy (95 %)"), major_m === null ? t("not known") : `± ${number(major_m, 1)} × ${number(minor_m ?? major_m, 1)} m`],
    [t("Class"), confidence === null ? t(user.look.label) : `${t(user.look.label)}, ${number(confidence * 100)} % ${t("of the votes")}`],
    ...(length_m === null ? [] : [[t("Size"), `${number(length_m, 1)} × ${width_m === null ? "?" : number(width_m, 1)} m`]]),
    ...(age_s === null ? [] : [[t("Seen for"), ago(age_s * 1000)]]),
    [t("Last seen"), last < 1000 ? t("just now") : `${ago(last)} ${t("ago")}`],
    [t("Station"), String(station)],
    ...(message ? [[t("Message"), message]] : []),
  ])];
}

/** Anything that stands: its title, and its attributes as they were said. */
export function describeThing(thing, time) {
  if (thing.rings) {
    return [`${t("Station")} ${thing.station}`, [pairs([[t("Sees"), `${thing.rings.length} ${t("regions")}`], [t("Position"), thing.place ? `${thing.place[1].toFixed(6)}, ${thing.place[0].toFixed(6)}` : t("not known")]])]];
  }
  const hidden = new Set(["type", "source", "dataProvider", "observedAt", "validUntil", "category", "startPoint", "endPoint"]);
  const list = Object.entries(thing.properties).filter(([name, value]) => !hidden.has(name) && value !== null);
  const text = (value) => (typeof value === "object" ? JSON.stringify(value) : /^\d{4}-\d\d-\d\dT[^/]*$/.test(value) ? dateTime(new Date(value)) : String(value));
  return [`${thing.properties.type.replace(/Observed$/, "")} ${thing.properties.name ?? thing.id.split(":").slice(5).join(":")}`, [
    pairs([...list.map(([name, value]) => [name, text(value)]), [t("Station"), String(thing.station)], [t("Last seen"), `${ago(Math.max(0, time - thing.at))} ${t("ago")}`]]),
    el("p", { class: "empty small", text: thing.id }),
  ]];
}
