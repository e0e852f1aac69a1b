// What stands on the right: the overview, messages, cameras, two periods compared.

import { Compare } from "./compare.js";
import { byId, el } from "./dom.js";
import { Messages } from "./messages.js";
import { Overview } from "./panels.js";
import { t } from "./words.js";

const TABS = [["Overview", Overview], ["Messages", Messages], ["Cameras", null], ["Compare", Compare]];

export class Tabs {
  constructor(context) {
    Object.assign(this, { context, bodies: [] });
    byId("tabs").append(...TABS.map(([words], i) => el("button", { type: "button", role: "tab", id: `tab-${i}`, "aria-controls": "tab-body", text: t(words), click: () => this.open(i) })));
    byId("tabs").addEventListener("keydown", ({ key }) => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[key];
      if (!by) return;
      this.open((this.at + by + TABS.length) % TABS.length);
      byId(`tab-${this.at}`).focus();
    });
    this.open(0);
  }

  open(at) {
    this.at = at;
    [...byId("tabs").children].forEach((tab, i) => {
      tab.setAttribute("aria-selected", String(i === at));
      tab.tabIndex = i === at ? 0 : -1;
    });
    byId("tab-body").setAttribute("aria-labelledby", `tab-${at}`);
    if (!this.bodies[at]) {
      const root = byId("tab-body").appendChild(el("div")), Content = TABS[at][1];
      this.bodies[at] = { root, content: Content ? new Content(root, this.context) : this.cameras(root) };
    }
    this.bodies.forEach((body, i) => body && (body.root.hidden = i !== at));
  }

  show(scene, users) {
    this.bodies[0]?.content.show(scene, users);
    this.bodies[2]?.content.show(scene);
  }

  /** Cameras, of which only anonymised streams may leave a node. */
  cameras(root) {
    const list = el("ul", { class: "camera-list" });
    root.append(el("section", { class: "panel" },
      el("p", { class: "notice", text: t("No station sends an anonymised video stream.") }),
      el("p", { class: "muted", text: t("Raw pictures never leave a node. A node may be set to send an anonymised stream; none does. What its cameras see is on the map as road users and coverage.") }),
      el("h3", { text: t("Cameras of the stations") }), list));
    return {
      show: (scene) => {
        const stations = [...scene.coverage.values()];
        if (list.dataset.shown === stations.map(({ id }) => id).join()) return;
        list.dataset.shown = stations.map(({ id }) => id).join();
        list.replaceChildren(...stations.map(({ id, station, rings }) => el("li", {}, `${t("Station")} ${station} · ${rings.length} ${t("regions")} `, el("button", { type: "button", class: "textlink", text: t("Show on the map"), click: () => this.context.onSelect(id) }))));
      },
    };
  }
}
