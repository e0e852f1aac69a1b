// A canvas that shows a plane: drag moves it, the wheel zooms it, a click is a place on it.

/** A press that moves further than this is a drag, pixels. */
const DRAG_PX = 4;

export class View {
  /** `upwards`: the second axis points up, as on a map. `draw(context, toScreen, scale)` draws the content. */
  constructor(canvas, { upwards, draw, click }) {
    Object.assign(this, { canvas, draw, click, sign: upwards ? -1 : 1, x: 0, y: 0, scale: 1 });
    this.context = canvas.getContext("2d");
    new ResizeObserver(() => this.resize()).observe(canvas);
    this.listen();
  }

  /** Shows a box of the plane. */
  fit([left, low, right, high]) {
    this.box = [left, low, right, high];
    const { clientWidth: width, clientHeight: height } = this.canvas;
    this.scale = 0.94 * Math.min(width / (right - left), height / (high - low));
    [this.x, this.y] = [(left + right) / 2, (low + high) / 2];
    this.redraw();
  }

  toScreen = ([x, y]) => [
    this.canvas.clientWidth / 2 + (x - this.x) * this.scale,
    this.canvas.clientHeight / 2 + this.sign * (y - this.y) * this.scale,
  ];

  toPlane([x, y]) {
    return [
      this.x + (x - this.canvas.clientWidth / 2) / this.scale,
      this.y + (this.sign * (y - this.canvas.clientHeight / 2)) / this.scale,
    ];
  }

  redraw() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = null;
      const ratio = devicePixelRatio, { clientWidth: width, clientHeight: height } = this.canvas;
      this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
      this.context.clearRect(0, 0, width, height);
      this.draw(this.context, this.toScreen, this.scale);
    });
  }

  resize() {
    this.canvas.width = this.canvas.clientWidth * devicePixelRatio;
    this.canvas.height = this.canvas.clientHeight * devicePixelRatio;
    if (this.box && !this.moved) this.fit(this.box);
    else this.redraw();
  }

  listen() {
    let pressed = null;
    const at = (event) => [event.offsetX, event.offsetY];
    this.canvas.addEventListener("pointerdown", (event) => {
      pressed = { from: at(event), last: at(event), dragged: false };
      this.canvas.setPointerCapture(event.pointerId);
    });
    this.canvas.addEventListener("pointermove", (event) => {
      if (!pressed) return;
      const here = at(event);
      pressed.dragged ||= Math.hypot(here[0] - pressed.from[0], here[1] - pressed.from[1]) > DRAG_PX;
      if (pressed.dragged) {
        this.x -= (here[0] - pressed.last[0]) / this.scale;
        this.y -= (this.sign * (here[1] - pressed.last[1])) / this.scale;
        this.moved = true;
        this.redraw();
      }
      pressed.last = here;
    });
    this.canvas.addEventListener("pointerup", (event) => {
      if (pressed && !pressed.dragged) this.click(this.toPlane(at(event)), at(event));
      pressed = null;
    });
    this.canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      const before = this.toPlane(at(event));
      this.scale *= Math.exp(-event.deltaY * 0.0015);
      const after = this.toPlane(at(event));
      this.x += before[0] - after[0];
      this.y += before[1] - after[1];
      this.moved = true;
      this.redraw();
    }, { passive: false });
  }
}

/** A line through places of the plane. */
export function trace(context, toScreen, points) {
  context.beginPath();
  points.forEach((point, i) => context[i ? "lineTo" : "moveTo"](...toScreen(point)));
}
