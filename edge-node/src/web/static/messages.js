// The list of published messages, and one message decoded with what caused it.

import { byId, clock, count, duration, el, keyed, rows } from "./dom.js";
import { pairs, pretty } from "./figures.js";

const KEEP = 200, SHOWN = 60;
const KINDS = ["all", "cam", "cpm", "denm"];

export class Messages {
  constructor(onOpen) {
    this.onOpen = onOpen;
    this.list = [];
    this.newest = 0;
    this.kind = "all";
    this.open = null;
    for (const kind of KINDS) {
      byId("kinds").append(el("button", {
        type: "button", text: kind === "all" ? "all" : kind.toUpperCase(), "data-kind": kind, "aria-pressed": String(kind === "all"),
        click: () => this.filter(kind),
      }));
    }
  }

  filter(kind) {
    this.kind = kind;
    for (const button of byId("kinds").children) button.setAttribute("aria-pressed", String(button.dataset.kind === kind));
    this.show();
  }

  /** Fetches what is newer than what is known, one request at a time. */
  async follow(newest) {
    if (this.busy || newest === this.newest) return;
    this.busy = true;
    try {
      // A node that was started again counts from 1.
      if (newest < this.newest) [this.list, this.newest] = [[], 0];
      const answer = await fetch(`/api/messages?after=${this.newest}&limit=${KEEP}`);
      if (answer.ok) {
        const { messages, newest: last } = await answer.json();
        this.list = [...messages, ...this.list].slice(0, KEEP);
        this.newest = last;
        this.show();
      }
    } catch {
      // The banner already says that the node is gone.
    }
    setTimeout(() => (this.busy = false), 500);
  }

  show() {
    const list = byId("messages"), shown = this.list.filter(({ kind }) => this.kind === "all" || kind === this.kind).slice(0, SHOWN);
    // Whoever reads further down keeps the line.
    const before = list.scrollTop > 4 ? list.scrollHeight - list.scrollTop : 0;
    keyed(list, shown, ({ number }) => number, (message) => this.line(message), (node, { id }) => {
      if (id === this.open) node.firstChild.setAttribute("aria-current", "true");
      else node.firstChild.removeAttribute("aria-current");
    });
    if (before) list.scrollTop = list.scrollHeight - before;
  }

  line({ id, kind, generated_at_ms, size_bytes, rule, objects }) {
    rule = rule.replace(/^[A-Z]+: /, "");
    const why = objects.length ? `${rule} · ${objects.length === 1 ? "object" : "objects"} ${objects.join(", ")}` : rule;
    return el("li", {}, el("button", { type: "button", title: `${id}: ${why}`, click: () => this.onOpen(id) },
      el("span", { text: clock(generated_at_ms, 3) }),
      el("span", { class: `kind ${kind}`, text: kind.toUpperCase() }),
      el("span", { class: "why", text: why }),
      el("span", { class: "num muted", text: `${count(size_bytes)} B` })));
  }

  mark(id) {
    this.open = id;
    this.show();
  }

  /** Messages that speak of an object, newest first. */
  of(object) {
    return this.list.filter(({ objects }) => objects.includes(object));
  }

  /** The decoded message as nodes. */
  async decode(id, sourceName, onObject) {
    const answer = await fetch(`/api/messages/${encodeURIComponent(id)}`);
    if (!answer.ok) return [el("p", { class: "empty", text: answer.status === 404 ? "This message is no longer among the last 200." : await answer.text() })];
    const { summary, position, uper_hex, json, provenance } = await answer.json();
    const latency = summary.captured_at_ms === null ? "nothing observed is in it" : `${duration((summary.generated_at_ms - summary.captured_at_ms) * 1000)} after its newest frame`;
    return [
      pairs([
        ["Made", `${clock(summary.generated_at_ms, 3)} UTC, ${latency}`],
        ["Position", `${position.lat_deg.toFixed(6)}, ${position.lon_deg.toFixed(6)}`],
        ["Size", `${count(summary.size_bytes)} bytes UPER`],
      ]),
      el("h3", { text: "Why it was sent" }),
      el("p", { text: provenance.rule || "No rule is recorded." }),
      provenance.objects.length ? causesOf(provenance.objects, sourceName, onObject) : null,
      el("h3", { text: "Decoded" }),
      json === undefined ? el("p", { class: "empty", text: "Its JSON image is not valid JSON." }) : el("pre", { class: "code" }, ...pretty(json)),
      el("h3", { text: "UPER bytes" }),
      el("pre", { class: "code", text: uper_hex.replace(/(..)(?=.)/g, "$1 ") }),
    ].filter(Boolean);
  }
}

/** One line per object; its events and the frame's time are in the line's title. */
function causesOf(causes, sourceName, onObject) {
  const table = el("table", { class: "why-table" });
  const event = ({ source, seq }) => `${sourceName(source)} #${seq}`;
  const sights = causes.flatMap(({ object_id, sights }) => sights.map((sight) => ({ object_id, ...sight })));
  rows(
    table,
    [["Object", "w20"], ["Track", ""], ["Frame", "w14", "num"], ["Detection", "w20", "num"]],
    sights,
    (cause) => sights.indexOf(cause),
    (cause) => [
      (cell) => cell.append(el("button", { type: "button", class: "textlink", text: String(cause.object_id), click: () => onObject(cause.object_id) })),
      `${cause.track_id} of ${sourceName(cause.camera)}`,
      String(cause.frame),
      cause.detection === null ? "carried" : `no. ${cause.detection}`,
    ],
    (row, { bounding_box: b, ...cause }) => {
      const box = [b.x1_px, b.y1_px, b.x2_px, b.y2_px].map(Math.round).join(", ");
      row.title = `box ${box} px; taken ${clock(cause.captured_at / 1e6, 3)} UTC; events ${event(cause.first_event)} to ${event(cause.last_event)}`;
    },
  );
  return table;
}
