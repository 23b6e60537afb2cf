// A rectangle on a picture, drawn with a finger, a pen, a mouse or the keys.

import { onCanvas } from "./painting.js";

const SMALLEST = 4; // image pixels: less is a click, not a rectangle
const NEAR = 16; // CSS pixels around a corner of the box that is there
const DIRECTIONS = {
  ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
};

export class Rectangle {
  // owner:
  //   place(): where the image lies on the canvas, see painting.js; null without one.
  //   isWelcome(): may one be drawn now?
  //   box(): the box that is there, where the keys begin; null without one.
  //   adjusts: whether its corners can be dragged.
  //   onChange(): draw it. onSet(box): x, y, w, h in image pixels. hint(text, milliseconds).
  constructor(canvas, owner) {
    this.canvas = canvas;
    this.owner = owner;
    this.corners = null; // x0, y0, x1, y1 in image pixels, while one is drawn
    this.pointer = null; // id of the pointer that draws; null: the keys do
    canvas.addEventListener("pointerdown", (event) => this.onDown(event));
    canvas.addEventListener("pointermove", (event) => this.onMove(event));
    canvas.addEventListener("pointerup", (event) => {
      if (event.pointerId === this.pointer && this.corners) this.set();
    });
    canvas.addEventListener("pointercancel", () => this.cancel());
  }

  // x, y, w, h; null while none is drawn.
  get box() {
    if (!this.corners) return null;
    const [x0, y0, x1, y1] = this.corners;
    return [Math.min(x0, x1), Math.min(y0, y1), Math.abs(x1 - x0), Math.abs(y1 - y0)];
  }

  cancel() {
    this.corners = null;
    this.pointer = null;
    this.owner.hint("");
    this.owner.onChange();
  }

  set() {
    const box = this.box;
    this.cancel();
    if (box[2] < SMALLEST || box[3] < SMALLEST) {
      this.owner.hint("Drag a rectangle around the target", 3000);
    } else {
      this.owner.onSet(box.map((value) => Math.round(value * 100) / 100));
    }
  }

  startByKeys() {
    const at = this.owner.place();
    if (!at || !this.owner.isWelcome()) return;
    const [w, h] = [at.width / 6, at.height / 4];
    const box = this.owner.box() || [(at.width - w) / 2, (at.height - h) / 2, w, h];
    this.corners = [box[0], box[1], box[0] + box[2], box[1] + box[3]];
    this.canvas.focus({ preventScroll: true });
    this.owner.hint("Arrows move, Shift + arrows size, Enter sets, Esc drops");
    this.owner.onChange();
  }

  // Returns whether the key was meant for it.
  onKey(event) {
    const byKeys = this.corners && this.pointer === null;
    if (event.key === "Escape" && this.corners) {
      this.cancel();
    } else if (event.key === "Enter" && event.target === this.canvas) {
      if (byKeys) this.set();
      else this.startByKeys();
    } else if (byKeys && DIRECTIONS[event.key]) {
      this.moveByKeys(event);
    } else {
      return false;
    }
    return true;
  }

  moveByKeys(event) {
    const { width, height } = this.owner.place();
    const step = event.ctrlKey ? 1 : Math.max(1, Math.round(width / 80));
    const [dx, dy] = DIRECTIONS[event.key].map((value) => value * step);
    const [x0, y0, x1, y1] = this.corners;
    const next = event.shiftKey
      ? [x0, y0, x1 + dx, y1 + dy]
      : [x0 + dx, y0 + dy, x1 + dx, y1 + dy];
    const inside = next[0] >= 0 && next[1] >= 0 && next[2] <= width && next[3] <= height;
    const large = next[2] - next[0] >= SMALLEST && next[3] - next[1] >= SMALLEST;
    if (inside && large) this.corners = next;
    const box = this.box.map(Math.round);
    this.owner.hint(`Box at ${box[0]}, ${box[1]}, size ${box[2]} × ${box[3]}. Enter sets, Esc drops`);
    this.owner.onChange();
  }

  onDown(event) {
    if (event.button !== 0 || !this.owner.isWelcome() || !this.owner.place()) return;
    if (this.pointer !== null) {
      this.cancel(); // a second finger
      return;
    }
    this.canvas.focus({ preventScroll: true });
    this.canvas.setPointerCapture(event.pointerId);
    this.pointer = event.pointerId;
    const [x, y] = this.inImage(event);
    this.corners = [...(this.oppositeOf(event) || [x, y]), x, y];
    event.preventDefault();
    this.owner.onChange();
  }

  onMove(event) {
    if (event.pointerId !== this.pointer || !this.corners || !this.owner.place()) return;
    [this.corners[2], this.corners[3]] = this.inImage(event);
    this.owner.onChange();
  }

  // The corner that stays when the pointer is on another one of the box that is there.
  oppositeOf(event) {
    const box = this.owner.adjusts && this.owner.box();
    if (!box) return null;
    const [left, top, width, height] = onCanvas(this.owner.place(), box);
    const bounds = this.canvas.getBoundingClientRect();
    for (const [right, down] of [[0, 0], [1, 0], [0, 1], [1, 1]]) {
      const across = event.clientX - bounds.left - left - right * width;
      const along = event.clientY - bounds.top - top - down * height;
      if (Math.hypot(across, along) <= NEAR) {
        return [box[0] + (1 - right) * box[2], box[1] + (1 - down) * box[3]];
      }
    }
    return null;
  }

  inImage(event) {
    const at = this.owner.place();
    const bounds = this.canvas.getBoundingClientRect();
    const clamp = (value, most) => Math.min(Math.max(value, 0), most);
    return [
      clamp((event.clientX - bounds.left - at.left) / at.scale, at.width),
      clamp((event.clientY - bounds.top - at.top) / at.scale, at.height),
    ];
  }
}
