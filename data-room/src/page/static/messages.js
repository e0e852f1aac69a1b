// Messages of the stations as they came, and one of them decoded.

import { get } from "./api.js";
import { el, say } from "./dom.js";
import { pairs, pretty } from "./figures.js";
import { dateTime, number, t, timeOfDay } from "./words.js";

const KINDS = ["all", "cam", "denm", "cpm", "vam", "spatem", "mapem", "ivim", "poim", "service", "observation"];
const SHOWN = 60;

export class Messages {
  constructor(root, { moment, isPast }) {
    Object.assign(this, { moment, isPast, kind: "all" });
    this.tabs = el("div", { class: "switch wrap", role: "group", "aria-label": t("Message") }, ...KINDS.map((kind) => el("button", { type: "button", text: kind === "all" ? t("all") : kind.length > 6 ? kind : kind.toUpperCase(), "data-kind": kind, click: () => this.choose(kind) })));
    this.list = el("ol", { class: "messages" });
    this.words = el("p", { class: "empty" });
    this.older = el("button", { type: "button", class: "textlink", text: t("Older"), hidden: true, click: () => this.fetch(this.next) });
    this.main = el("section", { class: "panel" }, this.tabs, this.list, this.words, this.older, el("p", { class: "empty small", text: t("Reading messages of single road users leaves an entry in the audit log.") }));
    this.one = el("section", { class: "panel", hidden: true });
    root.append(this.main, this.one);
    this.choose("all");
  }

  choose(kind) {
    this.kind = kind;
    for (const button of this.tabs.children) button.setAttribute("aria-pressed", String(button.dataset.kind === kind));
    return this.fetch();
  }

  async fetch(after) {
    say(this.words, t("Fetching."));
    try {
      const query = { kind: this.kind === "all" ? undefined : this.kind, until: Math.round(this.moment()), limit: SHOWN, after };
      const { messages, next } = await get("/control-room/messages", query);
      if (!after) this.list.replaceChildren();
      this.list.append(...messages.map((message) => this.line(message)));
      this.next = next;
      this.older.hidden = !next;
      say(this.words, this.list.children.length ? "" : t("No messages here."));
    } catch (error) {
      say(this.words, `${t("Not to be had:")} ${error.message}`);
    }
  }

  line({ arrival, kind, station, entity, measured, size_bytes }) {
    return el("li", {}, el("button", { type: "button", "data-arrival": arrival, title: `${station} · ${entity}`, click: () => this.open(arrival) },
      el("span", { text: timeOfDay(measured, true) }), el("span", { class: `kind ${kind}`, text: kind.length > 6 ? kind.slice(0, 5) : kind.toUpperCase() }),
      el("span", { class: "why", text: `${station} · ${entity}` }), el("span", { class: "num muted", text: `${number(size_bytes)} B` })));
  }

  async open(arrival) {
    this.main.hidden = true;
    this.one.hidden = false;
    const back = el("button", { type: "button", class: "textlink", text: `← ${t("Back to the list")}`, click: () => this.close() });
    this.one.replaceChildren(back, el("p", { class: "empty", text: t("Fetching.") }));
    back.focus();
    try {
      const { summary: s, topic, position, hex, json, sequence } = await get(`/control-room/messages/${arrival}`);
      this.one.replaceChildren(
        back,
        el("h2", { text: `${s.kind.toUpperCase()} · ${t("Station")} ${s.station}` }),
        pairs([
          [t("Measured"), `${dateTime(s.measured)}.${String(s.measured % 1000).padStart(3, "0")}`],
          [t("Received"), `${number(s.received - s.measured)} ms`],
          [t("Entity"), s.entity],
          [t("Number"), String(sequence)],
          [t("Position"), position ? `${position[1].toFixed(6)}, ${position[0].toFixed(6)}` : t("not known")],
          [t("Topic"), topic],
          ...(s.personal ? [["", t("personal data")]] : []),
        ]),
        el("h3", { text: t("Decoded") }),
        json === null ? el("p", { class: "empty", text: t("It does not decode.") }) : el("pre", { class: "code" }, ...pretty(json)),
        el("h3", { text: `${t("Bytes")} (${number(s.size_bytes)})` }),
        el("pre", { class: "code", text: hex.replace(/(..)(?=.)/g, "$1 ") }),
      );
    } catch (error) {
      this.one.replaceChildren(back, el("p", { class: "empty", text: `${t("Not to be had:")} ${error.message}` }));
    }
  }

  close() {
    this.main.hidden = false;
    this.one.hidden = true;
  }
}
