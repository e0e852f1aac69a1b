// The world that the page draws: road users with where they were at which time, things that stand, coverage, alarms. Fed
// with texts, live ones or those of a past time; asked for the moment to draw.

import { classOf } from "./classes.js";
import { turn } from "./plane.js";

/** The order of a road user's row (`row` in scene.rs). */
const COLUMNS = ["id", "class", "lon", "lat", "heading", "speed_kmh", "major_m", "minor_m", "orientation", "age_s", "seen", "length_m", "width_m", "confidence", "station", "message"];
const AT = Object.fromEntries(COLUMNS.map((name, at) => [name, at]));
/** Classes of entities as those that are drawn. */
const CLASSES = {
  car: "car", anyVehicle: "car", other: "car", van: "van", lorry: "truck", trailer: "truck", agriculturalVehicle: "truck", bus: "bus",
  tram: "tram", bicycle: "bicycle", moped: "motorcycle", motorcycle: "motorcycle", "e-scooter": "e-scooter", pedestrian: "person",
  group: "person", animal: "animal",
};
const M_PER_DEG = 111195.08;
/** Two places of a road user further apart in time than this are not joined by a line. */
const GAP_MS = 3000;
/** Where road users were stays known for so long before the moment drawn. */
const TRAIL_MS = 6000;

/** Metres east and north of an origin. */
export class Frame {
  constructor([lon, lat]) {
    [this.lon, this.lat, this.perLon] = [lon, lat, M_PER_DEG * Math.cos((lat * Math.PI) / 180)];
  }

  metres([lon, lat]) {
    return [(lon - this.lon) * this.perLon, (lat - this.lat) * M_PER_DEG];
  }

  degrees([e, n]) {
    return [this.lon + e / this.perLon, this.lat + n / M_PER_DEG];
  }
}

export class Scene {
  constructor(frame) {
    this.frame = frame;
    this.clear();
  }

  clear() {
    this.users = new Map();
    this.things = new Map();
    this.coverage = new Map();
    this.alarms = new Map();
    [this.at, this.settled, this.revision] = [0, false, 0];
  }

  /** Takes a text in. `keep` keeps every place of a road user, for playing forwards; otherwise only the newest. */
  take(text, keep = false) {
    if (text.whole && !keep) {
      const known = new Set(text.users.map((row) => row[AT.id]));
      for (const id of this.users.keys()) if (!known.has(id)) this.users.delete(id);
      this.things.clear();
      this.coverage.clear();
      this.alarms.clear();
    }
    for (const row of text.users) this.takeUser(row, text.at);
    for (const thing of text.things) this.things.set(thing.id, this.placed(thing));
    for (const { id, rings, ...rest } of text.coverage) {
      this.coverage.set(id, { ...rest, id, at_m: rest.place && this.frame.metres(rest.place), rings: rings.map((ring) => ring.map((p) => this.frame.metres(p))) });
    }
    for (const alarm of text.alarms) this.alarms.set(alarm.id, { ...alarm, at_m: alarm.position && this.frame.metres(alarm.position) });
    for (const id of text.gone) {
      const user = this.users.get(id);
      if (user) user.gone = text.at;
      this.things.delete(id);
      this.coverage.delete(id);
    }
    this.at = Math.max(this.at, text.at);
    this.revision++;
  }

  takeUser(row, at) {
    const id = row[AT.id], [e, n] = this.frame.metres([row[AT.lon], row[AT.lat]]);
    // A station's clock that is far off would put its road users at the wrong moment.
    const seen = Math.abs(row[AT.seen] - at) < GAP_MS ? row[AT.seen] : at;
    const user = this.users.get(id) ?? { id, places: [] };
    user.gone = null;
    user.row = row;
    user.kind = CLASSES[row[AT.class]] ?? "obstacle";
    user.look = classOf(user.kind);
    const last = user.places.at(-1);
    if (!last || seen > last.t) user.places.push({ t: seen, e, n, heading: row[AT.heading], speed: row[AT.speed_kmh] });
    this.users.set(id, user);
  }

  placed(thing) {
    const { type, coordinates } = thing.geometry;
    const points = type === "Point" ? [coordinates] : type === "Polygon" ? coordinates[0] : coordinates;
    return { ...thing, points: points.map((p) => this.frame.metres(p)) };
  }

  /** Forgets what was long before `time`; call it now and then. */
  forget(time) {
    for (const [id, user] of this.users) {
      while (user.places.length > 2 && user.places[1].t < time - TRAIL_MS) user.places.shift();
      if (user.places.at(-1).t < time - 2 * GAP_MS) this.users.delete(id);
    }
  }

  /** The road users that are there at `time`, each with where it is, `old_s` after it was last seen. */
  usersAt(time) {
    const present = [];
    this.settled = true;
    for (const user of this.users.values()) {
      const { places } = user;
      let after = places.length - 1;
      while (after > 0 && places[after - 1].t >= time) after--;
      const b = places[after], a = after > 0 ? places[after - 1] : b;
      if (b.t >= time && after === 0 && b.t - time > GAP_MS) continue;
      user.old_s = Math.max(0, (time - b.t) / 1000);
      if (user.old_s * 1000 > GAP_MS) continue;
      if (b.t > time) this.settled = false;
      const share = b.t > a.t && b.t - a.t <= GAP_MS ? Math.min(Math.max((time - a.t) / (b.t - a.t), 0), 1) : 1;
      user.e = a.e + (b.e - a.e) * share;
      user.n = a.n + (b.n - a.n) * share;
      user.heading = turn(a.heading, b.heading, share);
      user.speed = b.speed;
      present.push(user);
    }
    return present;
  }

  /** Where a road user was before `time`, oldest first. */
  trail(user, time) {
    return user.places.filter(({ t }) => t <= time && t >= time - TRAIL_MS).map(({ e, n }) => [e, n]);
  }

  ofType(...types) {
    return [...this.things.values()].filter((thing) => types.includes(thing.properties.type));
  }
}

/** What is known of a road user by name. */
export function facts(user) {
  return Object.fromEntries(COLUMNS.map((name, at) => [name, user.row[at]]));
}
