// The time line: alarms along the hours, the moment shown, and how to get to another.

import { byId, el, say } from "./dom.js";
import { SPEEDS } from "./clock.js";
import { dateTime, t, timeOfDay } from "./words.js";

const SPANS = [["15 min", 15], ["1 h", 60], ["6 h", 360], ["24 h", 1440]];
const MINUTE = 60_000;
const TICKS = [1, 5, 15, 60, 180].map((minutes) => minutes * MINUTE);

export class Timeline {
  constructor(clock, alarmsOf) {
    Object.assign(this, { clock, alarmsOf, span: 60 * MINUTE, canvas: byId("strip"), oldest: null });
    this.context = this.canvas.getContext("2d");
    this.buttons(byId("speeds"), SPEEDS.map((speed) => [`${speed}×`, speed]), () => clock.speed, (speed) => clock.setSpeed(speed));
    this.buttons(byId("spans"), SPANS, () => this.span / MINUTE, (minutes) => {
      this.span = minutes * MINUTE;
      this.update();
    });
    byId("back").addEventListener("click", () => this.by(-MINUTE));
    byId("forward").addEventListener("click", () => this.by(MINUTE));
    byId("play").addEventListener("click", () => this.playOrPause());
    byId("live").addEventListener("click", () => clock.goLive());
    byId("moment").addEventListener("change", ({ target }) => {
      const moment = new Date(target.value).getTime();
      if (Number.isFinite(moment)) clock.goTo(moment);
    });
    this.canvas.addEventListener("pointerdown", (event) => {
      this.canvas.setPointerCapture(event.pointerId);
      this.scrub(event);
    });
    this.canvas.addEventListener("pointermove", (event) => {
      this.hover = event.offsetX;
      if (event.buttons) this.scrub(event);
    });
    this.canvas.addEventListener("pointerleave", () => (this.hover = null));
    this.canvas.addEventListener("keydown", (event) => {
      const steps = { ArrowLeft: -10_000, ArrowRight: 10_000, PageUp: -MINUTE, PageDown: MINUTE, Home: -this.span };
      if (event.key === "End") clock.goLive();
      else if (steps[event.key]) this.by(steps[event.key]);
      else return;
      event.preventDefault();
    });
    clock.addEventListener("changed", () => this.update());
    setInterval(() => this.draw(), 250);
    new ResizeObserver(() => this.draw()).observe(this.canvas);
    this.update();
  }

  buttons(parent, list, current, choose) {
    for (const [label, value] of list) parent.append(el("button", { type: "button", text: label, "data-value": value, click: () => choose(value) }));
    parent.refresh = () => {
      for (const button of parent.children) button.setAttribute("aria-pressed", String(Number(button.dataset.value) === current()));
    };
  }

  by(ms) {
    return this.clock.goTo(this.clock.time() + ms);
  }

  playOrPause() {
    this.clock.setPlaying(this.clock.mode === "live" || !this.clock.playing);
  }

  scrub(event) {
    this.clock.goTo(this.start() + (event.offsetX / this.canvas.clientWidth) * this.span);
  }

  /** The left end: the span ends now, or has the moment shown in its middle when that is earlier. */
  start() {
    const now = this.clock.now(), end = this.clock.mode === "live" ? now : Math.max(Math.min(now, this.clock.time() + this.span / 2), this.clock.time());
    return end - this.span;
  }

  update() {
    for (const id of ["speeds", "spans"]) byId(id).refresh();
    const { clock } = this, live = clock.mode === "live";
    byId("live").setAttribute("aria-pressed", String(live));
    say(byId("play"), live || clock.playing ? "❚❚" : "▶");
    byId("forward").disabled = live;
    byId("speeds").hidden = live;
    document.body.classList.toggle("past", !live);
    this.draw();
  }

  draw() {
    const { canvas, context: c, clock } = this, ratio = Math.min(devicePixelRatio || 1, 2);
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!width) return;
    if (canvas.width !== Math.round(width * ratio)) [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    const style = getComputedStyle(canvas), start = this.start(), now = clock.now(), time = clock.time();
    const xOf = (at) => ((at - start) / this.span) * width;
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    c.clearRect(0, 0, width, height);
    const top = 6, low = height - 16;
    const from = Math.max(xOf(this.oldest ?? start), 0), until = Math.min(xOf(now), width);
    c.fillStyle = style.outlineColor;
    // What is known, and how far it goes.
    c.globalAlpha = 0.14;
    c.fillRect(from, top, Math.max(until - from, 0), low - top);
    c.globalAlpha = 0.8;
    c.fillRect(from, low - 2, Math.max(until - from, 0), 2);
    c.globalAlpha = 1;
    [c.fillStyle, c.strokeStyle, c.lineWidth, c.font, c.textBaseline] = [style.color, style.color, 1, "11px system-ui, sans-serif", "alphabetic"];
    const step = TICKS.find((ms) => (ms / this.span) * width > 58) ?? TICKS.at(-1);
    c.globalAlpha = 0.75;
    c.textAlign = "center";
    for (let at = Math.ceil(start / step) * step; at < start + this.span; at += step) {
      const x = Math.round(xOf(at)) + 0.5;
      c.fillRect(x - 0.5, low, 1, 4);
      if (x > 18 && x < width - 18) c.fillText(timeOfDay(at, false), x, height - 2);
    }
    c.globalAlpha = 1;
    for (const alarm of this.alarmsOf()) {
      const x = xOf(alarm.raised_ms), end = alarm.state === "closed" || !alarm.ongoing ? alarm.changed_ms : Math.min(now, time + this.span);
      if (xOf(end) < 0 || x > width) continue;
      c.fillStyle = style.caretColor;
      c.globalAlpha = 0.25;
      c.fillRect(Math.max(x, 0), top + 3, Math.max(Math.min(xOf(end), width) - Math.max(x, 0), 2), low - top - 6);
      c.globalAlpha = 1;
      if (x < 0) continue;
      c.beginPath();
      [[0, top], [5, top + 9], [-5, top + 9]].forEach(([dx, y], i) => c[i ? "lineTo" : "moveTo"](x + dx, y));
      c.fill();
    }
    const x = Math.min(Math.max(xOf(time), 1), width - 1);
    c.fillStyle = style.borderTopColor;
    c.fillRect(x - 1, 2, 2, low);
    c.beginPath();
    c.arc(x, 4, 4, 0, Math.PI * 2);
    c.fill();
    if (this.hover != null) {
      const at = start + (this.hover / width) * this.span, words = timeOfDay(at, true);
      c.fillStyle = style.color;
      c.textAlign = this.hover > width - 70 ? "right" : "left";
      c.fillText(words, this.hover + (this.hover > width - 70 ? -5 : 5), top + 12);
      c.fillRect(this.hover, top, 1, low - top);
    }
    canvas.setAttribute("aria-valuetext", dateTime(time));
    canvas.setAttribute("aria-valuenow", String(Math.round(time / 1000)));
    const field = byId("moment");
    if (document.activeElement !== field) field.value = localValue(time);
    say(byId("when"), clock.mode === "live" ? dateTime(now) : `${t("Past")} · ${dateTime(time)}`);
  }
}

/** As `<input type="datetime-local">` wants it. */
function localValue(at) {
  const date = new Date(at - new Date(at).getTimezoneOffset() * MINUTE);
  return date.toISOString().slice(0, 19);
}
