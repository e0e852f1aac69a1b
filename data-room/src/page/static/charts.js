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
    const line = points.map((point, i) => (point ? `${points[i - 1] ? "L" : "M"}${x(i).toFixed(1)},${y(point[0]).toFixed(1)}` : "")).join("");
    // A point without neighbours would have no line.
    const alone = points.map((point, i) => (point && !points[i - 1] && !points[i + 1] ? `M${(x(i) - 1).toFixed(1)},${y(point[0]).toFixed(1)}h2` : "")).join("");
    nodes.push(svg("path", { class: `curve ${className ?? ""}`, d: line + alone }));
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
