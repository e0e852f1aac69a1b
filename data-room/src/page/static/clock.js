// Which moment the page shows: now, or a moment of the past that stands or plays on. The past comes from the data room in
// batches of the same texts as the live picture.

import { get } from "./api.js";

/** How far the live picture runs behind the newest text, so that there is mostly a place on either side to draw between. */
const DELAY_MS = 1000;
/** Time of one batch, and between its texts. */
const BATCH_MS = 30_000, STEP_MS = 500;
export const SPEEDS = [1, 2, 5, 10];

export class PageClock extends EventTarget {
  /** `live` and `past` are scenes; `show` is told which of them to draw. */
  constructor(live, past, show) {
    super();
    Object.assign(this, { live, past, show, mode: "live", speed: 1, playing: false, offset: null, from: 0, until: 0, fetching: null });
  }

  /** A live text came: its time tells the server's clock. */
  heard(at) {
    const offset = at - performance.now();
    this.offset = this.offset === null || Math.abs(offset - this.offset) > 3000 ? offset : this.offset + (offset - this.offset) * 0.1;
  }

  /** The server's time now. */
  now() {
    return performance.now() + (this.offset ?? Date.now() - performance.now());
  }

  /** The moment to draw, milliseconds of Unix time. */
  time() {
    if (this.mode === "live") return this.now() - DELAY_MS;
    if (!this.playing) return this.moment;
    const moment = Math.min(this.moment + (performance.now() - this.since) * this.speed, this.until);
    if (moment >= this.until - BATCH_MS / 3) this.fetchOn();
    return moment;
  }

  goLive() {
    this.mode = "live";
    this.playing = false;
    this.show(this.live);
    this.changed();
  }

  /** Shows the world as it was at `moment`. */
  async goTo(moment) {
    moment = Math.round(moment);
    if (moment >= this.now() - 2 * DELAY_MS) return this.goLive();
    const playing = this.playing;
    const first = this.mode === "live";
    Object.assign(this, { mode: "past", moment, since: performance.now() });
    if (first) this.past.clear();
    // Whoever drags along the time line asks for many moments and wants the last.
    const order = (this.order = Symbol());
    this.changed();
    await new Promise((resolve) => setTimeout(resolve, 60));
    if (order !== this.order) return;
    try {
      const texts = await get("/control-room/scenes", { from: moment, until: moment + (playing ? BATCH_MS : 0), step: STEP_MS });
      if (order !== this.order || this.mode !== "past") return;
      this.past.clear();
      for (const text of texts) this.past.take(text, true);
      Object.assign(this, { until: texts.at(-1).at, since: performance.now(), moment, fetching: null });
      this.show(this.past);
      this.dispatchEvent(new Event("shown"));
    } catch (error) {
      this.dispatchEvent(new CustomEvent("trouble", { detail: error }));
    }
  }

  setPlaying(playing) {
    if (this.mode === "live") return this.goTo(this.now() - 60_000).then(() => this.setPlaying(playing));
    this.moment = this.time();
    Object.assign(this, { playing, since: performance.now() });
    this.changed();
    if (playing && this.until <= this.moment) this.goTo(this.moment);
  }

  setSpeed(speed) {
    if (this.mode === "past") [this.moment, this.since] = [this.time(), performance.now()];
    this.speed = speed;
    this.changed();
  }

  /** Fetches what comes next, once. */
  fetchOn() {
    if (this.fetching === this.until) return;
    const from = (this.fetching = this.until), order = this.order;
    if (from >= this.now() - 2 * DELAY_MS) return this.goLive();
    get("/control-room/scenes", { from, until: Math.min(from + BATCH_MS, Math.round(this.now())), step: STEP_MS })
      .then((texts) => {
        if (order !== this.order || this.mode !== "past") return;
        for (const text of texts) this.past.take(text, true);
        const moment = this.time();
        Object.assign(this, { until: texts.at(-1).at, moment, since: performance.now() });
        this.past.forget(moment - 2000);
      })
      .catch((error) => {
        this.fetching = null;
        this.playing = false;
        this.dispatchEvent(new CustomEvent("trouble", { detail: error }));
      });
  }

  changed() {
    this.dispatchEvent(new Event("changed"));
  }
}
