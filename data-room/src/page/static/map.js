// The map: the site's own ground, what stations see and do not see, signals, sensors, warnings, and thousands of road users.
//
// Two canvases: the ground below is drawn again only when the view, the scheme or the coverage changes; what moves is above.
// Road users are drawn from small pictures made once per class and scale.

import { kmh } from "./dom.js";
import { Plane, TURN, clamp } from "./plane.js";
import { LETTERS_FROM, Sprites } from "./sprites.js";
import { t } from "./words.js";

const GROUND = [
  // kind, colour, line width in metres (0: an area)
  ["green", "green", 0], ["water", "water", 0], ["pavement", "pavement", 0], ["parking", "parking", 0], ["carriageway", "carriageway", 0],
  ["cycleway", "cycleway", 0], ["junction", "carriageway", 0], ["rail", "rail", 0], ["crossing", "crossing", 0], ["building", "building", 0],
  ["tree", "tree", 0], ["lane-line", "lane-line", 0.15], ["lane", "carriageway", 3.2],
];
const COLOURS = [...new Set(GROUND.map(([, colour]) => colour)), "cover", "blind", "good", "warn", "muted", "surface", "zone-line", "stop", "go"];
const LABELS_FROM = 4;
/** Pictures of road users are made for headings so far apart, degrees. */
const TURN_STEP = 6;
const SENSORS = { AirQualityObserved: "A", NoiseLevelObserved: "N", WeatherObserved: "W", ParkingGroup: "P", OnStreetParking: "P", OffStreetParking: "P", CrowdFlowObserved: "F", TrafficFlowObserved: "T", Streetlight: "L" };
const SIGNALS = {
  "stop-and-remain": "stop", "stop-then-proceed": "stop", "pre-movement": "change", "permissive-clearance": "change", "protected-clearance": "change",
  "caution-conflicting-traffic": "change", "permissive-movement-allowed": "go", "protected-movement-allowed": "go",
};

export class CityMap extends Plane {
  constructor(canvas, onSelect) {
    super(canvas, { colours: COLOURS, scales: [0.02, 60], onSelect });
    this.below = canvas.parentElement.insertBefore(document.createElement("canvas"), canvas);
    this.below.setAttribute("aria-hidden", "true");
    this.layers = { users: true, signals: true, sensors: true, coverage: true, blind: false, flows: false, warnings: false };
    this.features = [];
    this.paths = new Map();
    this.sprites = new Sprites();
    this.shown = [];
    this.selected = null;
    this.time = () => 0;
    this.fitPoints = [];
  }

  /** The site map: GeoJSON features in metres. */
  setGround(features, frame) {
    const lines = new Map();
    this.fitPoints = [];
    for (const { geometry, properties } of features) {
      const path = lines.get(properties.kind) ?? new Path2D();
      lines.set(properties.kind, path);
      const area = geometry.type.endsWith("Polygon");
      for (const line of parts(geometry)) {
        const points = line.map((p) => frame.metres(p));
        points.forEach(([e, n], i) => path[i ? "lineTo" : "moveTo"](e, n));
        if (area) path.closePath();
        if (["carriageway", "junction", "lane"].includes(properties.kind)) this.fitPoints.push(...points);
      }
    }
    this.paths = lines;
    this.changed = true;
    if (!this.moved) this.fit();
  }

  /** A picture under everything; `frame` says where degrees are in metres. */
  setBackground(background, frame) {
    Object.assign(this, { background, frame });
    this.changed = true;
  }

  setScene(scene) {
    this.scene = scene;
    this.changed = true;
  }

  setLayer(name, on) {
    this.layers[name] = on;
    this.changed = true;
  }

  readColours() {
    super.readColours();
    [this.changed, this.momentDrawn] = [true, null];
    this.sprites?.clear();
  }

  resize() {
    super.resize();
    [this.below.width, this.below.height] = [this.canvas.width, this.canvas.height];
    this.changed = true;
  }

  fit() {
    const points = [...this.fitPoints];
    for (const { rings } of this.scene?.coverage.values() ?? []) points.push(...rings.flat());
    for (const thing of this.scene?.things.values() ?? []) points.push(...thing.points);
    this.fitted = this.fitTo(points, [40, 60], 12);
    this.changed = true;
  }

  select(id) {
    this.selected = id;
  }

  hit(x, y) {
    let best = null, reach = 14;
    for (const mark of this.marks ?? []) {
      const distance = Math.hypot(mark.x - x, mark.y - y) - mark.radius;
      if (distance < reach) [best, reach] = [mark.id, distance];
    }
    return best;
  }

  step(by) {
    const ids = (this.marks ?? []).filter(({ isUser }) => isUser).map(({ id }) => id).sort();
    if (!ids.length) return;
    const at = ids.indexOf(this.selected);
    this.onSelect(ids[at < 0 ? (by > 0 ? 0 : ids.length - 1) : (at + by + ids.length) % ids.length]);
  }

  placeOf(id) {
    return this.marks?.find((mark) => mark.id === id);
  }

  draw() {
    if (!this.width || !this.scene) return;
    const view = `${this.view.e},${this.view.n},${this.view.scale}`;
    const ground = `${view};${this.layers.coverage},${this.layers.blind};${this.scene.coverage.size}`;
    if (this.changed || ground !== this.groundDrawn) {
      this.drawGround();
      [this.changed, this.groundDrawn] = [false, ground];
    }
    const moment = `${this.time()};${this.scene.revision};${view};${this.selected};${JSON.stringify(this.layers)}`;
    if (moment === this.momentDrawn) return;
    this.momentDrawn = moment;
    this.drawMoving();
    this.frames = (this.frames ?? 0) + 1;
  }

  // --- what stands -------------------------------------------------------------------------------------------------

  inMetres(c) {
    const { e, n, scale } = this.view, k = this.ratio * scale;
    c.setTransform(k, 0, 0, -k, this.ratio * this.width / 2 - e * k, this.ratio * this.height / 2 + n * k);
  }

  drawGround() {
    const c = this.below.getContext("2d");
    c.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    c.fillStyle = this.colour.ground;
    c.fillRect(0, 0, this.width, this.height);
    this.inMetres(c);
    if (this.background) this.drawBackground(c);
    for (const [kind, colour, width_m] of GROUND) {
      const path = this.paths.get(kind);
      // Green would hide what the background shows of it.
      if (!path || (this.background && kind === "green") || (width_m && width_m < 1 && this.view.scale < 1.5)) continue;
      if (width_m) {
        [c.strokeStyle, c.lineWidth, c.lineCap] = [this.colour[colour], Math.max(width_m, 1 / this.view.scale), "butt"];
        c.stroke(path);
      } else {
        c.fillStyle = this.colour[colour];
        c.fill(path);
      }
    }
    this.drawLanes(c);
    if (this.layers.coverage) this.drawCoverage(c);
    if (this.layers.blind) this.drawBlind(c);
  }

  drawBackground(c) {
    const { frame } = this, corners = [this.toGround(0, this.height), this.toGround(this.width, 0)].map((p) => frame.degrees(p));
    for (const { image, west, south, east, north } of this.background.inSight(corners.flat(), this.view.scale * this.ratio, frame.lat)) {
      const [[e, n], [right, top]] = [frame.metres([west, south]), frame.metres([east, north])];
      c.save();
      // Pictures have their first row at the top.
      c.translate(e, top);
      c.scale(1, -1);
      c.drawImage(image, 0, 0, right - e, top - n);
      c.restore();
    }
  }

  /** Lanes that stations tell of, where the site has no map of its own. */
  drawLanes(c) {
    if (this.paths.has("carriageway")) return;
    for (const { properties, points } of this.scene.ofType("RoadSegment")) {
      c.strokeStyle = this.colour[properties.laneType === "crosswalk" ? "crossing" : properties.laneType === "bikeLane" ? "cycleway" : "carriageway"];
      c.lineWidth = Math.max(properties.width ?? 3, 1 / this.view.scale);
      c.beginPath();
      points.forEach(([e, n], i) => c[i ? "lineTo" : "moveTo"](e, n));
      c.stroke();
    }
  }

  coveragePath() {
    const path = new Path2D();
    for (const { rings } of this.scene.coverage.values()) {
      for (const ring of rings) {
        // One direction for all, so that overlapping regions do not cancel each other.
        const way = area(ring) < 0 ? [...ring].reverse() : ring;
        way.forEach(([e, n], i) => path[i ? "lineTo" : "moveTo"](e, n));
        path.closePath();
      }
    }
    return path;
  }

  drawCoverage(c) {
    const path = this.coveragePath();
    c.fillStyle = this.colour.cover;
    c.globalAlpha = 0.1;
    c.fill(path);
    c.globalAlpha = 0.7;
    c.strokeStyle = this.colour.cover;
    c.lineWidth = 1.2 / this.view.scale;
    c.setLineDash([5 / this.view.scale, 4 / this.view.scale]);
    c.stroke(path);
    c.setLineDash([]);
    c.globalAlpha = 1;
  }

  /** Road that no station sees, hatched. */
  drawBlind(c) {
    const road = new Path2D();
    for (const kind of ["carriageway", "junction", "crossing", "cycleway"]) if (this.paths.has(kind)) road.addPath(this.paths.get(kind));
    const sheet = new OffscreenCanvas(this.below.width, this.below.height), s = sheet.getContext("2d");
    this.inMetres(s);
    s.fill(road);
    s.globalCompositeOperation = "source-in";
    s.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    s.strokeStyle = this.colour.blind;
    s.lineWidth = 1.6;
    const lines = new Path2D();
    for (let x = -this.height; x < this.width; x += 7) {
      lines.moveTo(x, this.height);
      lines.lineTo(x + this.height, 0);
    }
    s.stroke(lines);
    s.globalCompositeOperation = "destination-out";
    this.inMetres(s);
    s.fill(this.coveragePath());
    c.save();
    c.setTransform(1, 0, 0, 1, 0, 0);
    c.drawImage(sheet, 0, 0);
    c.restore();
  }

  // --- what moves --------------------------------------------------------------------------------------------------

  drawMoving() {
    const { context: c } = this, time = this.time();
    c.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    c.clearRect(0, 0, this.width, this.height);
    this.marks = [];
    if (this.layers.flows) this.drawFlows(c);
    if (this.layers.sensors) this.drawSensors(c);
    if (this.layers.signals) this.drawSignals(c);
    if (this.layers.users) this.drawUsers(c, time);
    this.drawAlarms(c);
    this.drawScale(c, this.height);
    this.drawNorth(c, this.width);
    if (this.layers.warnings) for (const { id, points } of this.scene.ofType("Alert")) this.drawTriangle(c, id, points[0], "!", false);
  }

  mark(id, x, y, radius, isUser = false) {
    this.marks.push({ id, x, y, radius, isUser });
  }

  inSight(x, y, margin = 20) {
    return x > -margin && y > -margin && x < this.width + margin && y < this.height + margin;
  }

  drawUsers(c, time) {
    const users = this.scene.usersAt(time), { scale } = this.view;
    this.shown = users;
    let chosen = null;
    const near = [];
    for (const user of users) {
      [user.x, user.y] = this.toScreen(user.e, user.n);
      if (!this.inSight(user.x, user.y)) continue;
      near.push(user);
      if (user.id === this.selected) chosen = user;
    }
    if (chosen) this.drawTrail(c, chosen, time);
    // Uncertainty where it is larger than the road user's own picture.
    for (const user of near) {
      const major = user.row[6];
      if (major && major * scale > 6) this.drawEllipse(c, user, major, user.row[7] ?? major, user.row[8] ?? 0);
    }
    // Seen from afar there are thousands: each is a picture that is turned already, put on whole pixels, which costs least.
    const { ratio } = this, afar = scale < LETTERS_FROM;
    c.setTransform(1, 0, 0, 1, 0, 0);
    for (const user of near) {
      const turned = user.heading === null ? null : afar ? Math.round(user.heading / TURN_STEP) * TURN_STEP % 360 : user.heading;
      const { picture, half, radius } = this.sprites.of(user.kind, user.look, afar ? turned : turned === null ? null : 90, this);
      const alpha = clamp(1.1 - user.old_s * 0.35, 0.25, 1);
      if (c.globalAlpha !== alpha) c.globalAlpha = alpha;
      if (afar) c.drawImage(picture, Math.round(user.x * ratio - half), Math.round(user.y * ratio - half));
      else {
        const [sin, cos] = turned === null ? [0, 1] : [Math.sin((turned - 90) * TURN), Math.cos((turned - 90) * TURN)];
        c.setTransform(cos, sin, -sin, cos, user.x * ratio, user.y * ratio);
        c.drawImage(picture, -half, -half);
      }
      this.mark(user.id, user.x, user.y, radius, true);
    }
    c.globalAlpha = 1;
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (scale >= LETTERS_FROM) this.drawLetters(c, near);
    if (scale >= LABELS_FROM) this.drawLabels(c, near);
    if (chosen) this.ring(c, chosen.x, chosen.y, 17);
  }

  drawLetters(c, users) {
    c.font = "700 11px system-ui, sans-serif";
    [c.textAlign, c.textBaseline] = ["center", "middle"];
    for (const user of users) {
      c.globalAlpha = clamp(1.1 - user.old_s * 0.35, 0.25, 1);
      c.fillStyle = user.look.ink;
      c.fillText(user.look.letter, user.x, user.y + 0.5);
    }
    c.globalAlpha = 1;
  }

  drawLabels(c, users) {
    const taken = [];
    for (const user of users) {
      if (user.speed === null || user.speed < 1) continue;
      const place = { x: user.x + 13, y: user.y - 13 };
      if (taken.some((other) => Math.abs(other.x - place.x) < 48 && Math.abs(other.y - place.y) < 14)) continue;
      taken.push(place);
      this.write(c, kmh(user.speed / 3.6), place.x, place.y, this.colour.text);
    }
  }

  drawEllipse(c, { x, y, look }, major, minor, orientation) {
    c.beginPath();
    c.ellipse(x, y, major * this.view.scale, minor * this.view.scale, (orientation - 90) * TURN, 0, Math.PI * 2);
    [c.fillStyle, c.strokeStyle, c.lineWidth] = [look.colour, look.colour, 1];
    c.globalAlpha = 0.08;
    c.fill();
    c.globalAlpha = 0.5;
    c.stroke();
    c.globalAlpha = 1;
  }

  drawTrail(c, user, time) {
    const points = [...this.scene.trail(user, time), [user.e, user.n]];
    [c.strokeStyle, c.lineWidth, c.globalAlpha] = [user.look.colour, 3, 0.45];
    c.beginPath();
    points.forEach((p, i) => c[i ? "lineTo" : "moveTo"](...this.toScreen(...p)));
    c.stroke();
    c.globalAlpha = 1;
  }

  ring(c, x, y, radius) {
    [c.strokeStyle, c.lineWidth] = [this.colour.text, 1.8];
    c.beginPath();
    c.arc(x, y, radius, 0, Math.PI * 2);
    c.stroke();
  }

  /** Red bar, amber lozenge, green arrow: told by shape as by colour. */
  drawSignals(c) {
    if (this.view.scale < 0.9) return;
    for (const signal of this.scene.ofType("TrafficSignal")) {
      const [x, y] = this.toScreen(...signal.points[0]);
      if (!this.inSight(x, y)) continue;
      const shows = SIGNALS[signal.properties.state] ?? "dark", size = this.view.scale < 2 ? 4 : 6;
      c.beginPath();
      c.roundRect(x - size - 1.5, y - size - 1.5, 2 * size + 3, 2 * size + 3, 3);
      c.fillStyle = "#14191d";
      c.fill();
      c.beginPath();
      if (shows === "stop") c.rect(x - size + 1, y - size / 3, 2 * size - 2, size / 1.5);
      else if (shows === "change") {
        [[0, -size], [size, 0], [0, size], [-size, 0]].forEach(([dx, dy], i) => c[i ? "lineTo" : "moveTo"](x + dx, y + dy));
      } else if (shows === "go") {
        [[0, -size], [size, size * 0.7], [-size, size * 0.7]].forEach(([dx, dy], i) => c[i ? "lineTo" : "moveTo"](x + dx, y + dy));
      } else c.arc(x, y, 1.5, 0, Math.PI * 2);
      c.fillStyle = { stop: "#ff5a3c", change: "#f0c000", go: "#2fd6a5", dark: "#8a939c" }[shows];
      c.fill();
      if (signal.id === this.selected) this.ring(c, x, y, size + 7);
      this.mark(signal.id, x, y, size + 2);
    }
  }

  drawSensors(c) {
    for (const station of this.scene.coverage.values()) {
      if (!station.at_m) continue;
      const [x, y] = this.toScreen(...station.at_m);
      [c.strokeStyle, c.lineWidth] = [this.colour.accent, 1.8];
      for (const radius of [3.5, 7.5]) {
        c.beginPath();
        c.arc(x, y, radius, 0, Math.PI * 2);
        c.stroke();
      }
      if (station.id === this.selected) this.ring(c, x, y, 13);
      this.mark(station.id, x, y, 8);
    }
    if (this.view.scale < 0.5) return;
    [c.textAlign, c.textBaseline, c.font] = ["center", "middle", "700 10px system-ui, sans-serif"];
    const taken = [];
    // On a public screen counts are lines, and people want to know where to park.
    const types = this.layers.flows ? Object.keys(SENSORS).filter((type) => SENSORS[type] === "P") : Object.keys(SENSORS);
    for (const thing of this.scene.ofType(...types)) {
      const [e, n] = middle(thing.points);
      let [x, y] = this.toScreen(e, n);
      // Sensors on one mast stand side by side.
      while (taken.some((other) => Math.hypot(other[0] - x, other[1] - y) < 14)) x += 16;
      taken.push([x, y]);
      c.beginPath();
      c.roundRect(x - 7, y - 7, 14, 14, 4);
      [c.fillStyle, c.strokeStyle, c.lineWidth] = [this.colour.surface, this.colour.muted, 1.2];
      c.fill();
      c.stroke();
      c.fillStyle = this.colour.text;
      c.fillText(SENSORS[thing.properties.type], x, y + 0.5);
      if (thing.id === this.selected) this.ring(c, x, y, 13);
      this.mark(thing.id, x, y, 7);
    }
  }

  drawAlarms(c) {
    for (const alarm of this.scene.alarms.values()) {
      if (alarm.at_m && alarm.state !== "closed") this.drawTriangle(c, alarm.id, alarm.at_m, alarm.ongoing ? "!" : "✓", alarm.state !== "raised");
    }
  }

  /** A warning triangle over its place; `calm` when somebody has seen it. */
  drawTriangle(c, id, place, sign, calm) {
    const [x, ground] = this.toScreen(...place), y = ground - 24;
    [c.strokeStyle, c.lineWidth, c.lineJoin] = [this.colour.bad, 1.5, "round"];
    c.beginPath();
    c.moveTo(x, ground);
    c.lineTo(x, y + 9);
    c.stroke();
    c.beginPath();
    [[0, -12], [13, 10], [-13, 10]].forEach(([dx, dy], i) => c[i ? "lineTo" : "moveTo"](x + dx, y + dy));
    c.closePath();
    [c.fillStyle, c.lineWidth] = [calm ? this.colour.surface : this.colour.bad, 2.5];
    c.fill();
    c.stroke();
    [c.fillStyle, c.font, c.textAlign, c.textBaseline] = [calm ? this.colour.bad : this.colour.surface, "700 13px system-ui, sans-serif", "center", "middle"];
    c.fillText(sign, x, y + 3);
    if (id === this.selected) this.ring(c, x, y + 2, 20);
    this.mark(id, x, y, 13);
  }

  /** Where traffic is counted, by its pace; slow is dashed as well. */
  drawFlows(c) {
    [c.lineWidth, c.lineCap] = [7, "round"];
    for (const { points, properties } of this.scene.ofType("TrafficFlowObserved")) {
      const slow = isSlow(properties);
      c.strokeStyle = slow ? this.colour.warn : this.colour.good;
      c.setLineDash(slow ? [2, 11] : []);
      c.beginPath();
      points.forEach((p, i) => c[i ? "lineTo" : "moveTo"](...this.toScreen(...p)));
      c.stroke();
    }
    c.setLineDash([]);
  }

  /** How many of what are there, for those who cannot see the map. */
  describe() {
    const counts = new Map();
    for (const { look } of this.shown) counts.set(look.label, (counts.get(look.label) ?? 0) + 1);
    return [...counts].map(([label, n]) => `${n} ${t(label)}`).join(", ");
  }
}

/** Whether traffic crawls: as its counter says, else by its speed, km/h. */
export const isSlow = ({ congested, averageVehicleSpeed: speed }) => congested || (speed !== undefined && speed < 15);

function parts({ type, coordinates }) {
  if (type === "Polygon" || type === "MultiLineString") return coordinates;
  if (type === "MultiPolygon") return coordinates.flat();
  return type === "LineString" ? [coordinates] : [];
}

const area = (ring) => ring.reduce((sum, [x, y], i) => sum + x * ring[(i + 1) % ring.length][1] - ring[(i + 1) % ring.length][0] * y, 0) / 2;
const middle = (points) => points[Math.floor(points.length / 2)];
