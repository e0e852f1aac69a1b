// Elements and figures. Text from outside only ever becomes a text node.

const SVG = "http://www.w3.org/2000/svg";

/** An element with properties and children; strings become text. */
export function el(tag, properties = {}, ...children) {
  return fill(document.createElement(tag), properties, children);
}

/** The same for SVG. */
export function svg(tag, properties = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), properties, children);
}

function fill(node, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === "function") node.addEventListener(name, value);
    else if (name === "text") node.textContent = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

export const byId = (id) => document.getElementById(id);

/** Sets text only where it differs: no layout for nothing, and screen readers stay quiet. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Keeps one child of `parent` per item, reused by key, in order; focus and scroll survive. */
export function keyed(parent, items, keyOf, make, update) {
  const old = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  let before = parent.firstElementChild;
  for (const item of items) {
    const key = String(keyOf(item));
    let node = old.get(key);
    if (node) old.delete(key);
    else {
      node = make(item);
      node.dataset.key = key;
    }
    if (node === before) before = before.nextElementSibling;
    else parent.insertBefore(node, before);
    update?.(node, item);
  }
  for (const gone of old.values()) gone.remove();
}

/** A table body whose rows are arrays of texts or nodes' builders; cells are updated in place. */
export function rows(table, head, items, keyOf, cells, decorate) {
  if (!table.tBodies.length) {
    const columns = head.map(([, width, kind]) => [width, kind]);
    table.append(el("colgroup", {}, ...columns.map(([width]) => el("col", { class: width }))));
    table.append(el("thead", {}, el("tr", {}, ...head.map(([title, , kind]) => el("th", { class: kind, scope: "col", text: title })))));
    table.append(el("tbody"));
  }
  keyed(
    table.tBodies[0],
    items,
    keyOf,
    () => el("tr", {}, ...head.map(([, , kind]) => el("td", { class: kind }))),
    (row, item) => {
      cells(item).forEach((cell, i) => {
        if (typeof cell === "string") say(row.cells[i], cell);
        else cell(row.cells[i]);
      });
      decorate?.(row, item);
    },
  );
}

/** Three significant digits with a unit that fits. */
export function duration(us) {
  if (us >= 1e6) return `${digits(us / 1e6)} s`;
  if (us >= 1e3) return `${digits(us / 1e3)} ms`;
  return `${digits(us)} µs`;
}

export function digits(value) {
  const size = Math.abs(value);
  return value.toFixed(size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2);
}

/** Seconds as people say them. */
export function age(s) {
  if (s < 1) return "now";
  if (s < 60) return `${Math.floor(s)} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 172800) return `${Math.floor(s / 3600)} h`;
  return `${Math.floor(s / 86400)} d`;
}

export const count = (n) => n.toLocaleString("en-GB");
export const kmh = (mps) => `${Math.round(mps * 3.6)} km/h`;

/** Time of day of the node, UTC: the same for every reader. */
export function clock(ms, fraction = 0) {
  return new Date(ms).toISOString().slice(11, fraction ? 20 + fraction : 19);
}
