// The camera picture with the boxes of the very frame that it shows. Where pictures may not be seen, the boxes alone.

import { classOf } from "./classes.js";
import { byId, clock, el, keyed, say } from "./dom.js";

/** How long a picture waits for the boxes of its frame. */
const PATIENCE_MS = 600;
const KEEP_FRAMES = 200;

export class CameraView {
  constructor(onSelect) {
    this.canvas = byId("camera");
    this.context = this.canvas.getContext("2d");
    this.frames = new Map();
    this.camera = null;
    this.selected = null;
    this.pictures = true;
    this.waiting = null;
    this.canvas.addEventListener("click", (event) => onSelect(this.hit(event)));
    new ResizeObserver(() => this.draw()).observe(this.canvas);
  }

  setSite({ node, site, camera_view }) {
    const name = (id) => node.sources.find((source) => source.id === id)?.name ?? `camera ${id}`;
    const cameras = site.cameras.map(({ camera }) => ({ id: camera, name: name(camera) }));
    this.off = camera_view === "off";
    keyed(byId("camera-tabs"), cameras, (c) => c.id,
      (c) => el("button", { type: "button", text: c.name, click: () => this.show(c.id) }));
    for (const tab of byId("camera-tabs").children) tab.setAttribute("aria-pressed", String(tab.dataset.key === String(this.camera)));
    if (!cameras.length) this.words("This node has no camera.");
    else if (!cameras.some((c) => c.id === this.camera)) this.show(cameras[0].id);
  }

  show(camera) {
    this.camera = camera;
    [this.picture, this.shown, this.waiting] = [null, null, null];
    for (const tab of byId("camera-tabs").children) tab.setAttribute("aria-pressed", String(tab.dataset.key === String(camera)));
    this.pictures = !this.off;
    if (this.off) this.words("Camera pictures are switched off on this node. Shown are the boxes alone.");
    else this.words("Waiting for a picture.");
    this.draw();
    this.fetchLoop(camera);
  }

  select(id) {
    this.selected = id;
    this.draw();
  }

  /** Takes the boxes of the frames that came with one live text. */
  push(frames) {
    for (const frame of frames) {
      const key = `${frame.camera}/${frame.frame}`;
      this.frames.delete(key);
      this.frames.set(key, frame);
      if (frame.camera === this.camera) this.newest = frame;
    }
    while (this.frames.size > KEEP_FRAMES) this.frames.delete(this.frames.keys().next().value);
    if (this.waiting && this.frames.has(`${this.camera}/${this.waiting.frame}`)) this.present();
    else if (!this.pictures && this.newest?.camera === this.camera) {
      this.shown = this.newest;
      this.draw();
    }
  }

  async fetchLoop(camera) {
    let last = "", pause = 0;
    while (this.camera === camera && this.pictures) {
      if (pause) await new Promise((resolve) => setTimeout(resolve, pause));
      if (document.hidden) await new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }));
      pause = 2000;
      try {
        const answer = await fetch(`/api/cameras/${camera}/frame.jpg${last}`);
        if (this.camera !== camera) return;
        if (answer.status === 403) {
          this.pictures = false;
          this.words(`${(await answer.text()).trim()} Shown are the boxes alone.`);
        } else if (answer.status === 200) {
          const frame = Number(answer.headers.get("masa-frame"));
          const image = await createImageBitmap(await answer.blob());
          if (this.camera !== camera) return;
          last = `?after=${frame}`;
          pause = 0;
          if (this.waiting) this.present();
          const waiting = { frame, image, captured_at_ms: Number(answer.headers.get("masa-captured-at-ms")) };
          this.waiting = waiting;
          if (this.frames.has(`${camera}/${frame}`)) this.present();
          else setTimeout(() => this.waiting === waiting && this.present(), PATIENCE_MS);
        } else {
          if (answer.status === 204) pause = 1;
          this.words(answer.status === 204 ? "No new picture from this camera." : (await answer.text()).trim());
        }
      } catch {
        this.words("The picture cannot be fetched.");
      }
    }
  }

  present() {
    this.picture?.image.close();
    this.picture = this.waiting;
    this.waiting = null;
    this.shown = this.frames.get(`${this.camera}/${this.picture.frame}`) ?? null;
    this.words("");
    const note = `frame ${this.picture.frame} · ${clock(this.picture.captured_at_ms, 2)}`;
    say(byId("camera-note"), this.shown ? note : `${note} · not tracked`);
    this.draw();
  }

  words(text) {
    say(byId("camera-words"), text);
    byId("camera-words").hidden = !text;
    if (!this.picture) say(byId("camera-note"), "");
  }

  /** Scale and offset that fit the frame into the canvas. */
  fit() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const size = this.shown
      ? [this.shown.width_px, this.shown.height_px]
      : this.picture ? [this.picture.image.width, this.picture.image.height] : [width, height];
    const scale = Math.min(width / size[0], height / size[1]);
    return { scale, size, x: (width - size[0] * scale) / 2, y: (height - size[1] * scale) / 2 };
  }

  hit(event) {
    const { scale, x, y } = this.fit(), [px, py] = [(event.offsetX - x) / scale, (event.offsetY - y) / scale];
    const inside = (this.shown?.boxes ?? []).filter(({ box_px: [l, t, r, b] }) => px >= l && px <= r && py >= t && py <= b);
    const area = ({ box_px: [l, t, r, b] }) => (r - l) * (b - t);
    return inside.sort((a, b) => area(a) - area(b))[0]?.object ?? null;
  }

  draw() {
    const { canvas, context: c } = this, ratio = Math.min(devicePixelRatio || 1, 2);
    const [width, height] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)];
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    c.fillStyle = "#0b0e10";
    c.fillRect(0, 0, width, height);
    const { scale, size, x, y } = this.fit();
    if (this.picture) c.drawImage(this.picture.image, x, y, size[0] * scale, size[1] * scale);
    else if (this.shown) {
      c.strokeStyle = "#3a434b";
      c.strokeRect(x + 0.5, y + 0.5, size[0] * scale - 1, size[1] * scale - 1);
    }
    const boxes = (this.shown?.boxes ?? []).map(({ box_px: [l, t, r, b], ...sight }) => ({
      ...sight, kind: classOf(sight.class), left: x + l * scale, top: y + t * scale, right: x + r * scale, bottom: y + b * scale,
    }));
    for (const box of boxes) this.drawBox(c, box);
    const taken = [];
    for (const box of boxes) this.drawLabel(c, box, taken, canvas.clientWidth, canvas.clientHeight);
  }

  drawBox(c, { object, kind, state, left, top, right, bottom }) {
    c.setLineDash(state === "coasting" ? [4, 3] : []);
    c.lineWidth = object === this.selected ? 3 : 1.5;
    // A dark line below the coloured one keeps it visible on any picture.
    for (const [colour, extra] of [["rgb(0 0 0 / .55)", 2], [kind.colour, 0]]) {
      c.strokeStyle = colour;
      c.lineWidth += extra;
      c.strokeRect(left, top, right - left, bottom - top);
      c.lineWidth -= extra;
    }
    c.setLineDash([]);
  }

  /** The label stands above or below its box, inside the picture, where it covers no other. */
  drawLabel(c, { object, track, kind, left, top, bottom }, taken, wide, high) {
    const text = `${kind.letter} ${object} · T${track}`, height = 15;
    c.font = "600 11px system-ui, sans-serif";
    c.textAlign = "left";
    c.textBaseline = "middle";
    const width = c.measureText(text).width + 8, at = Math.max(0, Math.min(left - 1, wide - width));
    const clear = (y) => y >= 0 && y + height <= high && !taken.some((o) => Math.abs(o.y - y) < height && at < o.at + o.width && o.at < at + width);
    const y = [top - height, bottom, top - 2 * height, bottom + height].find(clear) ?? Math.max(0, top - height);
    taken.push({ at, y, width });
    c.fillStyle = kind.colour;
    c.fillRect(at, y, width, height);
    c.fillStyle = kind.ink;
    c.fillText(text, at + 4, y + height / 2 + 0.5);
  }
}
