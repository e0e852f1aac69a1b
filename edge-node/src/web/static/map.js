// The map: zones, trails, uncertainty, objects and warnings on one canvas, in metres east and north of the site origin.

import { classOf, outline } from "./classes.js";
import { kmh } from "./dom.js";
import { LABEL_FONT, Plane, SIGMA_95, TURN, clamp, turn } from "./plane.js";

/** How far behind the newest snapshot the picture runs, so that there is mostly one on either side to interpolate. */
const DELAY_MS = 140;
const KEEP = 16;

export class MapView extends Plane {
  constructor(canvas, onSelect) {
    super(canvas, { colours: ["carriageway", "pavement", "crossing", "parking"], onSelect });
    this.fitted = false;
    this.site = { zones: [], cameras: [], station_m: [0, 0] };
    this.buffer = [];
    this.drawn = [];
    this.selected = null;
    this.stale = false;
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
  }

  setSite(site) {
    this.site = site;
    this.dirty = true;
    if (!this.moved) this.fit();
  }

  /** Takes a snapshot that arrived now. Repeats of the last one are heartbeats and change nothing. */
  push(snapshot) {
    const at = performance.now(), newest = this.buffer.at(-1);
    if (newest && snapshot.time_ms === newest.time_ms) return;
    const offset = at - snapshot.time_ms;
    // The node's clock jumps when a recording starts again.
    if (!newest || Math.abs(offset - this.offset) > 2000) {
      this.buffer = [];
      this.offset = offset;
    }
    this.offset += (offset - this.offset) * 0.1;
    const objects = new Map(snapshot.objects.map((object) => [object.id, object]));
    this.buffer.push({ time_ms: snapshot.time_ms, at, objects, events: snapshot.events });
    if (this.buffer.length > KEEP) this.buffer.shift();
    this.dirty = true;
    if (!this.fitted && !this.moved) this.fit();
  }

  setStale(stale) {
    if (stale !== this.stale) [this.stale, this.dirty] = [stale, true];
  }

  select(id) {
    [this.selected, this.dirty] = [id, true];
  }

  /** Shows the zones and every object. */
  fit() {
    const points = this.site.zones.flatMap((zone) => zone.polygon_m);
    for (const object of this.buffer.at(-1)?.objects.values() ?? []) points.push([object.e_m, object.n_m]);
    if (points.length) points.push(this.site.station_m);
    this.fitted = this.fitTo(points, [60, 90]);
  }

  step(by) {
    const ids = this.drawn.map((object) => object.id).sort((a, b) => a - b);
    if (!ids.length) return;
    const at = ids.indexOf(this.selected);
    this.onSelect(ids[at < 0 ? (by > 0 ? 0 : ids.length - 1) : (at + by + ids.length) % ids.length]);
  }

  /** Whether an object is drawn in the right half. */
  isRight(id) {
    return this.drawn.some((object) => object.id === id && object.x > this.canvas.clientWidth / 2);
  }

  hit(x, y) {
    let best = null, reach = 16;
    for (const object of this.drawn) {
      const distance = Math.hypot(object.x - x, object.y - y) - (object.radius ?? 0);
      if (distance < reach) [best, reach] = [object.id, distance];
    }
    return best;
  }

  /** Objects at the drawing instant: between two snapshots, never beyond the newest. */
  interpolate() {
    const { buffer } = this, newest = buffer.at(-1);
    if (!newest) return [];
    const now = performance.now(), time = now - this.offset - DELAY_MS;
    let after = this.still.matches ? -1 : buffer.findIndex((snapshot) => snapshot.time_ms >= time);
    this.settled = after < 0;
    if (after < 0) after = buffer.length - 1;
    const b = buffer[after], a = this.settled ? b : (buffer[after - 1] ?? b);
    const share = a === b ? 1 : clamp((time - a.time_ms) / (b.time_ms - a.time_ms), 0, 1);
    const silent_s = Math.max(0, (now - newest.at) / 1000 - 0.3);
    return [...b.objects.values()].map((object) => {
      const from = a.objects.get(object.id) ?? object;
      return {
        ...object,
        e: from.e_m + (object.e_m - from.e_m) * share,
        n: from.n_m + (object.n_m - from.n_m) * share,
        heading: turn(from.heading_deg, object.heading_deg, share),
        trail: from.trail_m,
        old_s: object.since_update_s + silent_s,
      };
    });
  }

  draw() {
    const newest = this.buffer.at(-1);
    const fading = newest && performance.now() - newest.at < 6000 && performance.now() - newest.at > 300;
    if (!this.dirty && this.settled !== false && !fading) return;
    this.dirty = false;
    const { context: c, canvas } = this, [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!width || !this.ratio) return;
    c.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    c.fillStyle = this.colour.ground;
    c.fillRect(0, 0, width, height);
    this.drawZones(c);
    this.drawGrid(c, width, height);
    this.drawStation(c);
    const objects = this.interpolate();
    for (const object of objects) {
      [object.x, object.y] = this.toScreen(object.e, object.n);
      object.kind = classOf(object.class);
      object.alpha = this.stale ? 0.3 : clamp(1.15 - object.old_s * 0.5, 0.25, 1);
    }
    this.drawn = objects;
    for (const object of objects) this.drawTrail(c, object);
    for (const object of objects) this.drawEllipse(c, object);
    for (const object of objects) this.drawObject(c, object);
    for (const event of newest?.events ?? []) this.drawEvent(c, event);
    const taken = objects.map(({ x, y }) => ({ x: x - 7, y, width: 14 }));
    for (const event of newest?.events ?? []) {
      const [x, y] = this.toScreen(event.e_m, event.n_m);
      taken.push({ x: x - 13, y: y - 22, width: 26 }, { x: x - 13, y: y - 32, width: 26 });
    }
    for (const object of objects.sort((a, b) => (b.id === this.selected) - (a.id === this.selected))) this.drawLabel(c, object, taken);
    this.drawScale(c, height);
    this.drawNorth(c, width);
  }

  drawZones(c) {
    const order = ["pavement", "parking", "carriageway", "crossing"];
    const zones = [...this.site.zones].sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
    for (const zone of zones) {
      if (!zone.polygon_m.length) continue;
      c.beginPath();
      zone.polygon_m.forEach(([e, n], i) => c[i ? "lineTo" : "moveTo"](...this.toScreen(e, n)));
      c.closePath();
      c.fillStyle = this.colour[zone.kind] ?? this.colour.pavement;
      c.globalAlpha = zone.kind === "crossing" ? 0.65 : 1;
      c.fill();
      c.globalAlpha = 1;
      c.strokeStyle = this.colour["zone-line"];
      c.lineWidth = 1;
      c.setLineDash(zone.kind === "crossing" ? [4, 3] : []);
      c.stroke();
      c.setLineDash([]);
    }
  }

  drawStation(c) {
    for (const { position_m } of this.site.cameras) {
      if (!position_m) continue;
      const [x, y] = this.toScreen(...position_m);
      c.fillStyle = this.colour.text;
      c.fillRect(x - 5, y - 3, 7, 6);
      c.beginPath();
      c.moveTo(x + 2, y);
      c.lineTo(x + 6, y - 3);
      c.lineTo(x + 6, y + 3);
      c.fill();
    }
    const [x, y] = this.toScreen(...this.site.station_m);
    c.strokeStyle = this.colour.accent;
    c.lineWidth = 1.5;
    for (const radius of [4, 8]) {
      c.beginPath();
      c.arc(x, y, radius, 0, Math.PI * 2);
      c.stroke();
    }
  }

  drawTrail(c, object) {
    const points = [...object.trail.map(([e, n]) => this.toScreen(e, n)), [object.x, object.y]];
    c.strokeStyle = object.kind.colour;
    c.lineWidth = object.id === this.selected ? 3 : 2;
    c.lineCap = "butt";
    // Four pieces, each stronger than the one before: a fading line without a gradient for every segment.
    const pieces = 4, size = (points.length - 1) / pieces;
    for (let piece = 0; piece < pieces; piece++) {
      const [from, to] = [Math.floor(piece * size), Math.floor((piece + 1) * size)];
      if (to <= from) continue;
      c.globalAlpha = object.alpha * (0.12 + 0.16 * piece) * (object.id === this.selected ? 1.6 : 1);
      c.beginPath();
      points.slice(from, to + 1).forEach(([x, y], i) => c[i ? "lineTo" : "moveTo"](x, y));
      c.stroke();
    }
    c.globalAlpha = 1;
  }

  drawEllipse(c, object) {
    const { major_m, minor_m, heading_deg } = object.ellipse, scale = this.view.scale * SIGMA_95;
    c.beginPath();
    c.ellipse(object.x, object.y, Math.max(major_m * scale, 1), Math.max(minor_m * scale, 1), (heading_deg - 90) * TURN, 0, Math.PI * 2);
    c.strokeStyle = object.kind.colour;
    c.fillStyle = object.kind.colour;
    c.globalAlpha = object.alpha * 0.1;
    c.fill();
    c.globalAlpha = object.alpha * 0.6;
    c.lineWidth = 1;
    c.stroke();
    c.globalAlpha = 1;
  }

  drawObject(c, object) {
    const { kind } = object, oriented = object.heading !== null;
    const length = Math.max(kind.length * this.view.scale, kind.shape === "body" ? 20 : 16);
    const width = Math.max(kind.width * this.view.scale, kind.shape === "body" ? 14 : 15);
    object.radius = Math.max(length, width) / 2;
    c.save();
    c.translate(object.x, object.y);
    c.globalAlpha = object.alpha;
    c.save();
    if (oriented) c.rotate((object.heading - 90) * TURN);
    c.beginPath();
    outline(c, kind.shape, length, width, oriented);
    c.fillStyle = kind.colour;
    c.fill();
    c.setLineDash(object.state === "coasting" ? [3, 3] : []);
    c.strokeStyle = object.state === "coasting" ? this.colour.text : this.colour.halo;
    c.lineWidth = 1.5;
    c.stroke();
    c.restore();
    if (object.id === this.selected) {
      c.beginPath();
      c.arc(0, 0, object.radius + 6, 0, Math.PI * 2);
      c.strokeStyle = this.colour.text;
      c.lineWidth = 1.5;
      c.stroke();
    }
    c.fillStyle = kind.ink;
    c.font = "700 11px system-ui, sans-serif";
    c.textAlign = "center";
    c.textBaseline = "middle";
    c.fillText(kind.letter, 0, 0.5);
    c.restore();
  }

  /** The label goes to the first corner where it covers no other; where there is none, it is left out. */
  drawLabel(c, object, taken) {
    const text = `${object.id} · ${object.stationary_s === null ? kmh(object.speed_mps) : "standing"}`;
    c.font = LABEL_FONT;
    const width = c.measureText(text).width, aside = object.radius * 0.7 + 6, above = object.radius * 0.5 + 6;
    const corners = [[aside, -above], [aside, above], [-aside - width, -above], [-aside - width, above]];
    const places = corners.map(([dx, dy]) => [object.x + dx, object.y + dy]);
    const free = places.find(([x, y]) => x >= 0 && x + width <= this.canvas.clientWidth && !taken.some((other) => Math.abs(other.y - y) < 15 && x < other.x + other.width + 4 && other.x < x + width + 4));
    const place = free ?? (object.id === this.selected ? places[0] : null);
    if (!place) return;
    taken.push({ x: place[0], y: place[1], width });
    c.globalAlpha = Math.max(object.alpha, 0.5);
    this.write(c, text, place[0], place[1], this.colour.text);
    c.globalAlpha = 1;
  }

  drawEvent(c, event) {
    const [x, ground] = this.toScreen(event.e_m, event.n_m), y = ground - 26;
    c.strokeStyle = this.colour.bad;
    c.lineWidth = 1.5;
    c.beginPath();
    c.moveTo(x, ground);
    c.lineTo(x, y + 9);
    c.stroke();
    c.beginPath();
    c.moveTo(x, y - 12);
    c.lineTo(x + 13, y + 10);
    c.lineTo(x - 13, y + 10);
    c.closePath();
    c.fillStyle = "#fff";
    c.lineJoin = "round";
    c.lineWidth = 3;
    c.strokeStyle = "#d55e00";
    c.fill();
    c.stroke();
    c.fillStyle = "#000";
    c.font = "700 13px system-ui, sans-serif";
    c.textAlign = "center";
    c.textBaseline = "middle";
    c.fillText("!", x, y + 3);
  }
}
