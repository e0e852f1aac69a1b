// A canvas in metres east and north of an origin: panning and zooming by pointer, touch, wheel and keyboard, and what belongs
// on any map. Who extends it draws (`draw`), says what is where (`hit`), what to show at first (`fit`) and what comes next
// by keyboard (`step`).

export const TURN = Math.PI / 180;
/** Radius of a two-dimensional 95 % ellipse in standard deviations. */
export const SIGMA_95 = Math.sqrt(5.991);
const COLOURS = ["ground", "zone-line", "text", "halo", "bad", "accent"];
export const LABEL_FONT = "500 12px system-ui, sans-serif";

export class Plane {
  /** `colours` names further variables of the style sheet; `scales` are the least and most pixels a metre. */
  constructor(canvas, { colours = [], scales = [0.3, 120], onSelect }) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.onSelect = onSelect;
    this.scales = scales;
    this.names = [...COLOURS, ...colours];
    this.view = { e: 0, n: 0, scale: 6 };
    [this.width, this.height] = [0, 0];
    this.dirty = true;
    this.readColours();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.readColours());
    this.listen();
    const frame = () => {
      this.draw();
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(() => {
      new ResizeObserver(() => this.resize()).observe(canvas);
      frame();
    });
  }

  /** Shows all of `points`, with `margin` pixels around; whether it could. */
  fitTo(points, [marginX, marginY], most = 60) {
    const box = points.reduce(
      ([w, s, e, n], [x, y]) => [Math.min(w, x), Math.min(s, y), Math.max(e, x), Math.max(n, y)],
      points.length ? [Infinity, Infinity, -Infinity, -Infinity] : [-30, -30, 30, 30],
    );
    const [width, height] = [this.width || 800, this.height || 600];
    const scale = Math.min((width - marginX) / (box[2] - box[0] + 6), (height - marginY) / (box[3] - box[1] + 6));
    this.view = { e: (box[0] + box[2]) / 2, n: (box[1] + box[3]) / 2, scale: clamp(scale, this.scales[0], most) };
    [this.moved, this.dirty] = [false, true];
    return points.length > 0 && this.width > 0;
  }

  centre(e, n) {
    Object.assign(this.view, { e, n });
    [this.moved, this.dirty] = [true, true];
  }

  /** Scales by `factor` around a canvas point, the middle by default. */
  zoom(factor, x = this.width / 2, y = this.height / 2) {
    const [e, n] = this.toGround(x, y);
    const scale = clamp(this.view.scale * factor, ...this.scales);
    const [dx, dy] = [x - this.width / 2, y - this.height / 2];
    this.view = { e: e - dx / scale, n: n + dy / scale, scale };
    [this.moved, this.dirty] = [true, true];
  }

  pan(dx, dy) {
    this.view.e -= dx / this.view.scale;
    this.view.n += dy / this.view.scale;
    [this.moved, this.dirty] = [true, true];
  }

  toGround(x, y) {
    const { e, n, scale } = this.view;
    return [e + (x - this.width / 2) / scale, n - (y - this.height / 2) / scale];
  }

  toScreen(e, n) {
    const { view } = this;
    return [this.width / 2 + (e - view.e) * view.scale, this.height / 2 - (n - view.n) * view.scale];
  }

  /** Colours as the canvas takes them: what a variable of the style sheet comes to under the present scheme. */
  readColours() {
    const probe = document.body.appendChild(document.createElement("i"));
    this.colour = Object.fromEntries(this.names.map((name) => {
      probe.style.color = `var(--${name})`;
      return [name, getComputedStyle(probe).color];
    }));
    probe.remove();
    this.dirty = true;
  }

  resize() {
    const ratio = Math.min(devicePixelRatio || 1, 2);
    [this.width, this.height] = [this.canvas.clientWidth, this.canvas.clientHeight];
    this.canvas.width = Math.round(this.width * ratio);
    this.canvas.height = Math.round(this.height * ratio);
    this.ratio = ratio;
    this.dirty = true;
    if (!this.moved) this.fit();
  }

  listen() {
    const { canvas } = this, fingers = new Map();
    let travelled = 0;
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      fingers.set(event.pointerId, [event.offsetX, event.offsetY]);
      if (fingers.size === 1) travelled = 0;
      canvas.classList.add("dragging");
    });
    canvas.addEventListener("pointermove", (event) => {
      const last = fingers.get(event.pointerId);
      if (!last) return;
      const here = [event.offsetX, event.offsetY], others = [...fingers].filter(([id]) => id !== event.pointerId);
      travelled += Math.hypot(here[0] - last[0], here[1] - last[1]);
      if (others.length) {
        const other = others[0][1];
        const spread = (point) => Math.hypot(point[0] - other[0], point[1] - other[1]);
        if (spread(last) > 0) this.zoom(spread(here) / spread(last), (here[0] + other[0]) / 2, (here[1] + other[1]) / 2);
        this.pan((here[0] - last[0]) / 2, (here[1] - last[1]) / 2);
      } else if (travelled > 4) this.pan(here[0] - last[0], here[1] - last[1]);
      fingers.set(event.pointerId, here);
    });
    const lift = (event) => {
      const tapped = fingers.delete(event.pointerId) && !fingers.size && travelled <= 4 && event.type === "pointerup";
      if (!fingers.size) canvas.classList.remove("dragging");
      if (tapped) this.onSelect(this.hit(event.offsetX, event.offsetY));
    };
    canvas.addEventListener("pointerup", lift);
    canvas.addEventListener("pointercancel", lift);
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), event.offsetX, event.offsetY);
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => {
      const step = 60;
      const actions = {
        ArrowLeft: () => this.pan(step, 0), ArrowRight: () => this.pan(-step, 0),
        ArrowUp: () => this.pan(0, step), ArrowDown: () => this.pan(0, -step),
        "+": () => this.zoom(1.25), "=": () => this.zoom(1.25), "-": () => this.zoom(0.8), 0: () => this.fit(),
        n: () => this.step(1), p: () => this.step(-1),
      };
      const action = !event.ctrlKey && !event.metaKey && !event.altKey && actions[event.key];
      if (!action) return;
      event.preventDefault();
      action();
    });
  }

  drawGrid(c, width, height) {
    const step = niceStep(90 / this.view.scale);
    const [west, north] = this.toGround(0, 0), [east, south] = this.toGround(width, height);
    c.strokeStyle = this.colour["zone-line"];
    c.globalAlpha = 0.35;
    c.lineWidth = 1;
    c.beginPath();
    for (let e = Math.ceil(west / step) * step; e <= east; e += step) {
      const x = Math.round(this.toScreen(e, 0)[0]) + 0.5;
      c.moveTo(x, 0);
      c.lineTo(x, height);
    }
    for (let n = Math.ceil(south / step) * step; n <= north; n += step) {
      const y = Math.round(this.toScreen(0, n)[1]) + 0.5;
      c.moveTo(0, y);
      c.lineTo(width, y);
    }
    c.stroke();
    c.globalAlpha = 1;
  }

  drawScale(c, height) {
    const metres = niceStep(110 / this.view.scale), length = metres * this.view.scale, [x, y] = [16, height - 20];
    c.strokeStyle = this.colour.text;
    c.lineWidth = 1.5;
    c.beginPath();
    c.moveTo(x, y - 5);
    c.lineTo(x, y);
    c.lineTo(x + length, y);
    c.lineTo(x + length, y - 5);
    c.stroke();
    this.write(c, metres >= 1000 ? `${metres / 1000} km` : `${metres} m`, x + 6, y - 10, this.colour.text);
  }

  drawNorth(c, width) {
    const [x, y] = [width - 28, 30];
    c.fillStyle = this.colour.text;
    c.beginPath();
    c.moveTo(x, y - 14);
    c.lineTo(x + 6, y + 4);
    c.lineTo(x, y);
    c.lineTo(x - 6, y + 4);
    c.fill();
    c.font = "600 11px system-ui, sans-serif";
    c.textAlign = "center";
    c.textBaseline = "alphabetic";
    c.fillText("N", x, y + 17);
  }

  /** Text with a halo, readable on any ground. */
  write(c, text, x, y, colour) {
    c.font = LABEL_FONT;
    c.textAlign = "left";
    c.textBaseline = "middle";
    c.lineJoin = "round";
    c.lineWidth = 3;
    c.strokeStyle = this.colour.halo;
    c.strokeText(text, x, y);
    c.fillStyle = colour;
    c.fillText(text, x, y);
  }
}

export function niceStep(atLeast) {
  const power = 10 ** Math.floor(Math.log10(atLeast));
  return [1, 2, 5, 10].find((n) => n * power >= atLeast) * power;
}

/** `share` of the shorter way from one heading to another, degrees; `null` where there is none. */
export function turn(from, to, share) {
  if (to === null || from === null) return to;
  return from + ((((to - from) % 360) + 540) % 360 - 180) * share;
}

export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
