// Small pictures of road users, made once for a class, a size and a heading.

import { outline } from "./classes.js";
import { TURN } from "./plane.js";

/** Below this many pixels a metre road users are small shapes without letters. */
export const LETTERS_FROM = 2.4;
const MAX_SPRITES = 1500;

export class Sprites {
  constructor() {
    this.made = new Map();
  }

  /** Forgets all, as when colours have changed. */
  clear() {
    this.made.clear();
  }

  /** The picture of a class with its front to a heading, or without a front; `half` its width in the canvas's pixels. */
  of(name, look, heading, { view, ratio, colour }) {
    const letters = view.scale >= LETTERS_FROM, body = look.shape === "body";
    const least = letters ? (body ? [20, 14] : [15, 15]) : body ? [12, 7] : [8, 8];
    const length = Math.round(Math.max(look.length * view.scale, least[0])), width = Math.round(Math.max(look.width * view.scale, least[1]));
    const key = `${name},${heading},${length},${width}`;
    let sprite = this.made.get(key);
    if (!sprite) {
      // The nose and the outline reach out a little.
      const half = Math.ceil((Math.hypot(length, width) / 2 + (letters ? 7 : 4)) * ratio);
      const picture = new OffscreenCanvas(2 * half, 2 * half), c = picture.getContext("2d");
      c.translate(half, half);
      c.scale(ratio, ratio);
      if (heading !== null) c.rotate((heading - 90) * TURN);
      c.beginPath();
      outline(c, look.shape, length, width, heading !== null);
      [c.fillStyle, c.strokeStyle, c.lineWidth] = [look.colour, colour.halo, letters ? 1.5 : 1];
      c.fill();
      c.stroke();
      if (this.made.size > MAX_SPRITES) this.clear();
      this.made.set(key, (sprite = { picture, half, radius: Math.max(length, width) / 2 }));
    }
    return sprite;
  }
}
