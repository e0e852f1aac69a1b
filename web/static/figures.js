// Small things that every page shows: badges, pairs of terms, decoded messages, words where there is nothing.

import { classOf } from "./classes.js";
import { el } from "./dom.js";

/** The letter badge of a class. */
export function badge(name) {
  const kind = classOf(name);
  const node = el("span", { class: kind.shape === "body" || kind.shape === "square" ? "badge" : "badge round", text: kind.letter, "aria-hidden": "true" });
  node.style.background = kind.colour;
  node.style.color = kind.ink;
  return node;
}

export function pairs(list) {
  return el("dl", { class: "pairs" }, ...list.flatMap(([term, value]) => [el("dt", { text: term }), el("dd", { text: value })]));
}

/** JSON as text nodes, keys set apart; short arrays and objects stay on one line. */
export function pretty(value, indent = "") {
  if (value === null || typeof value !== "object") return [JSON.stringify(value)];
  const flat = JSON.stringify(value);
  const list = Array.isArray(value), entries = Object.entries(value), [open, close] = list ? "[]" : "{}";
  if (!entries.length) return [open + close];
  const simple = flat.length + indent.length < 52 && entries.every(([, v]) => v === null || typeof v !== "object");
  const inner = simple ? "" : `${indent}  `, separator = simple ? ", " : ",\n";
  const parts = [open, simple ? " " : "\n"];
  entries.forEach(([key, child], i) => {
    if (i) parts.push(separator);
    parts.push(inner);
    if (!list) parts.push(el("span", { class: "k", text: key }), ": ");
    parts.push(...pretty(child, `${indent}  `));
  });
  parts.push(simple ? " " : `\n${indent}`, close);
  return parts;
}

/** Shows `words` in place of a table without rows. */
export function empty(table, length, words) {
  table.hidden = !length;
  let note = table.nextElementSibling;
  if (!note) table.after((note = el("p", { class: "empty", text: words })));
  note.hidden = Boolean(length);
}
