// Small curves: one or two series over time, gaps left open, a limit where there is one.

import { svg } from "./dom.js";
import { number, timeOfDay } from "./words.js";

/** `series` are `{ points, className }` with points `[mean, least, greatest, count]` or null; `limit` draws a line. */
export function curve(series, { width = 360, height = 64, zero = true, limit = null, from, step_ms } = {}) {
  const means = series.flatMap(({ points }) => points.filter(Boolean).map(([mean]) => mean));
  const least = Math.min(...means, zero ? 0 : Infinity, limit ?? Infinity), greatest = Math.max(...means, limit ?? -Infinity, least + 1e-9);
  const low = zero ? least : least - (greatest - least) * 0.15, high = greatest + (greatest - low) * 0.08;
  const most = Math.max(...series.map(({ points }) => points.length), 2);
  const x = (i) => ((i + 0.5) / most) * width, y = (value) => height - 14 - ((value - low) / (high - low)) * (height - 20);
  const nodes = [svg("path", { class: "axis", d: `M0,${height - 13.5}H${width}` })];
  if (limit !== null) nodes.push(svg("path", { class: "limit", d: `M0,${y(limit).toFixed(1)}H${width}` }));
  for (const { points, className } of series) {
    nodes.push(svg("path", { class: `curve ${className ?? ""}`, d: lineOf(points, x, y) }));
  }
  const label = (text, at, anchor) => {
    const node = svg("text", { x: at, y: height - 2, class: "label", "text-anchor": anchor });
    node.textContent = text;
    return node;
  };
  if (from !== undefined) nodes.push(label(timeOfDay(from), 0, "start"), label(timeOfDay(from + step_ms * most), width, "end"));
  const words = means.length ? `${number(Math.min(...means), 1)} – ${number(Math.max(...means), 1)}` : "";
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "chart", role: "img", "aria-label": words }, ...nodes);
}

/** Joins what was said at the usual pace; where something is missing, the line is. */
function lineOf(points, x, y) {
  const known = points.flatMap((point, i) => (point ? [i] : []));
  const steps = known.slice(1).map((at, i) => at - known[i]).sort((a, b) => a - b);
  const usual = (steps[steps.length >> 1] ?? 1) * 1.6;
  return known.map((at, i) => {
    const place = `${x(at).toFixed(1)},${y(points[at][0]).toFixed(1)}`, joined = i > 0 && at - known[i - 1] <= usual;
    // A point without neighbours is a short line.
    return joined ? `L${place}` : known[i + 1] - at <= usual ? `M${place}` : `M${place}h2`;
  }).join("");
}

/** Mean of the points of a curve, weighted by their counts; null where there is none. */
export function summary(points) {
  const known = points.filter(Boolean);
  if (!known.length) return null;
  const count = known.reduce((sum, [, , , n]) => sum + n, 0);
  return {
    mean: known.reduce((sum, [mean, , , n]) => sum + mean * n, 0) / count,
    least: Math.min(...known.map(([, least]) => least)),
    greatest: Math.max(...known.map(([, , greatest]) => greatest)),
    count,
  };
}
