// The list of alarms, and one alarm with what was done about it and what can be done.

import { post } from "./api.js";
import { byId, el, keyed, say } from "./dom.js";
import { pairs } from "./figures.js";
import { ago, dateTime, t, timeOfDay } from "./words.js";

const RANK = { critical: 0, high: 1, medium: 2, low: 3 };
const STATES = { raised: 0, acknowledged: 1, assigned: 2, closed: 3 };
/** Words of rules and causes, where they come as codes or in English. */
const TITLES = [
  [/^Station (\d+) is silent$/, "Station {} is silent"],
  [/^Signals of intersection (.+) have failed$/, "Signals of intersection {} have failed"],
  [/^Records are not stored: (.+)$/, "Records are not stored: {}"],
  [/^Nitrogen dioxide at (\d+ µg\/m³, above \d+)$/, "Nitrogen dioxide at {}"],
  [/^PM10 at (\d+ µg\/m³, above \d+)$/, "PM10 at {}"],
];

/** What is the matter, in the reader's language. */
export function titleOf({ title }) {
  for (const [pattern, words] of TITLES) {
    const found = pattern.exec(title);
    if (found) return t(words).replace("{}", found[1]);
  }
  return t(title);
}

export class Alarms {
  constructor({ onOpen, mayOperate }) {
    Object.assign(this, { onOpen, mayOperate, which: "open", list: [], open: null });
    for (const button of document.querySelectorAll("[data-alarms]")) {
      button.addEventListener("click", () => {
        this.which = button.dataset.alarms;
        for (const other of document.querySelectorAll("[data-alarms]")) other.setAttribute("aria-pressed", String(other === button));
        this.show(this.list, this.time, this.isPast);
      });
    }
  }

  show(list, time, isPast) {
    Object.assign(this, { list, time, isPast });
    const shown = list
      .filter(({ state }) => this.which === "all" || state !== "closed")
      .sort((a, b) => STATES[a.state] - STATES[b.state] || RANK[a.severity] - RANK[b.severity] || b.raised_ms - a.raised_ms);
    keyed(byId("alarms"), shown, ({ id }) => id, (alarm) => this.line(alarm), (node, alarm) => this.updateLine(node, alarm));
    const raised = list.filter(({ state }) => state === "raised").length;
    say(byId("alarms-count"), raised ? String(raised) : "");
    byId("alarms-count").title = `${raised} ${t("not acknowledged")}`;
    byId("alarms-empty").hidden = shown.length > 0;
  }

  line({ id }) {
    return el("li", {}, el("button", { type: "button", class: "alarm", click: () => this.onOpen(id) },
      el("span", { class: "severity", "aria-hidden": "true" }), el("b"), el("span", { class: "age" }), el("span", { class: "sub" })));
  }

  updateLine(node, alarm) {
    const button = node.firstChild, [severity, title, age, sub] = button.children;
    button.className = `alarm ${alarm.severity} ${alarm.state}`;
    button.setAttribute("aria-current", String(alarm.id === this.open));
    say(severity, { critical: "‼", high: "!", medium: "▲", low: "•" }[alarm.severity]);
    say(title, titleOf(alarm));
    say(age, ago(this.time - alarm.raised_ms));
    const who = alarm.state === "assigned" ? `${t("assigned")}: ${alarm.assignee}` : t(alarm.state);
    say(sub, [who, alarm.ongoing ? null : t("cause over"), alarm.site || null].filter(Boolean).join(" · "));
    button.title = `${t(alarm.severity)} · ${titleOf(alarm)}`;
  }

  mark(id) {
    this.open = id;
    this.show(this.list, this.time, this.isPast);
  }

  /** One alarm as nodes. `changed` gets the alarm after an action. */
  details(alarm, changed) {
    const facts = pairs([
      [t("State"), alarm.state === "assigned" ? `${t("assigned")}: ${alarm.assignee}` : t(alarm.state)],
      [t("Severity"), t(alarm.severity)],
      [t("Cause"), alarm.ongoing ? t("goes on") : t("is over")],
      [t("Since"), dateTime(alarm.raised_ms)],
      [t("About"), alarm.subject],
    ]);
    const words = el("p", { class: "refused", role: "alert" });
    const act = async (body) => {
      try {
        changed(await post(`/control-room/alarms/${encodeURIComponent(alarm.id)}`, { version: alarm.version, ...body }));
      } catch (error) {
        say(words, error.status === 409 ? t("Somebody else has changed it meanwhile. This is how it stands now.") : error.message);
      }
    };
    const history = el("ol", { class: "history", "aria-label": t("Audit trail") }, ...alarm.history.map((entry) =>
      el("li", {}, el("time", { text: timeOfDay(entry.at_ms, true), title: dateTime(entry.at_ms) }), el("b", { text: t(`${entry.action}:did`) }), el("span", { class: "muted", text: entry.by === "rule" ? t("by rule") : entry.by }),
        entry.words && entry.action !== "raise" ? el("p", { text: entry.words }) : null)));
    return [facts, this.controls(alarm, act), words, el("h3", { text: t("Audit trail") }), history].filter(Boolean);
  }

  controls(alarm, act) {
    if (this.isPast) return el("p", { class: "empty", text: t("You are looking at the past: alarms can be changed in the live picture.") });
    if (!this.mayOperate()) return el("p", { class: "empty", text: t("Your token may not change alarms.") });
    const field = (label, button, body, id) => {
      const input = el("input", { id, type: "text", maxlength: "1000", "aria-label": label, placeholder: label });
      const send = (event) => {
        event.preventDefault();
        if (input.value.trim()) act(body(input.value));
      };
      return el("form", { class: "act", submit: send }, input, el("button", { type: "submit", text: button }));
    };
    const open = alarm.state !== "closed", seen = open && alarm.state !== "raised";
    return el("div", { class: "acts" },
      alarm.state === "raised" ? el("button", { type: "button", class: "primary", id: "acknowledge", text: t("Acknowledge"), click: () => act({ action: "acknowledge" }) }) : null,
      seen ? field(t("Person or team"), t("Assign"), (to) => ({ action: "assign", to }), "assign") : null,
      field(t("Note"), t("Add"), (words) => ({ action: "note", words }), "note"),
      seen ? el("button", { type: "button", id: "close-alarm", text: t("Close alarm"), click: () => act({ action: "close" }) }) : null);
  }
}
