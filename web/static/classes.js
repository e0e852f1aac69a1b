// The classes of road users: a colour of Okabe and Ito's palette, and a letter and a shape, so that no one has to tell
// them by colour. Sizes are metres, for drawing only.

const BLUE = "#0072b2", SKY = "#56b4e9", GREEN = "#009e73", ORANGE = "#e69f00", RED = "#d55e00", PURPLE = "#cc79a7",
  YELLOW = "#f0e442", GREY = "#8c959d";

const CLASSES = {
  person: ["Person", "P", RED, "disc", 0.7, 0.7],
  bicycle: ["Bicycle", "B", ORANGE, "lozenge", 1.9, 0.9],
  motorcycle: ["Motorcycle", "M", PURPLE, "lozenge", 2.2, 1],
  "e-scooter": ["E-scooter", "S", YELLOW, "lozenge", 1.3, 0.8],
  car: ["Car", "C", BLUE, "body", 4.4, 1.8],
  van: ["Van", "V", SKY, "body", 5.4, 2],
  truck: ["Truck", "T", GREEN, "body", 9, 2.5],
  bus: ["Bus", "U", YELLOW, "body", 12, 2.55],
  tram: ["Tram", "R", PURPLE, "body", 28, 2.6],
  animal: ["Animal", "A", ORANGE, "disc", 0.9, 0.9],
  obstacle: ["Obstacle", "X", GREY, "square", 1, 1],
};

export function classOf(name) {
  const [label, letter, colour, shape, length, width] = CLASSES[name] ?? CLASSES.obstacle;
  return { label, letter, colour, shape, length, width, ink: ink(colour) };
}

export const classOrder = Object.keys(CLASSES);

/** Black or white, whichever reads better on `colour`. */
function ink(colour) {
  const [r, g, b] = [1, 3, 5].map((at) => (parseInt(colour.slice(at, at + 2), 16) / 255) ** 2.2);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.2 ? "#000" : "#fff";
}

/** Outline of a shape whose front is +x; without a direction it has no nose. */
export function outline(c, shape, length, width, oriented) {
  const [l, w] = [length / 2, width / 2];
  if (shape === "disc") return c.arc(0, 0, l, 0, Math.PI * 2);
  if (shape === "square" || !oriented) {
    const side = Math.max(w, 8);
    return c.roundRect(-side, -side, 2 * side, 2 * side, shape === "square" ? 0 : 4);
  }
  if (shape === "lozenge") {
    c.moveTo(l + 5, 0);
    c.quadraticCurveTo(l * 0.4, -w * 1.15, -l, -w * 0.6);
    c.lineTo(-l, w * 0.6);
    return c.quadraticCurveTo(l * 0.4, w * 1.15, l + 5, 0);
  }
  const nose = Math.min(w, 7);
  c.moveTo(-l, -w);
  c.lineTo(l - nose * 0.4, -w);
  c.lineTo(l + nose * 0.6, 0);
  c.lineTo(l - nose * 0.4, w);
  c.lineTo(-l, w);
  c.closePath();
}
