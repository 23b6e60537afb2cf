// A rectangle on a picture, drawn with a finger, a pen, a mouse or the keys.

import { onCanvas } from "./painting.js";

const SMALLEST = 4; // image pixels: less is a click, not a rectangle
const NEAR = 16; // CSS pixels around a side of the box that is there; less of a small box
const DIRECTIONS = {
  ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
};

export class Rectangle {
  // owner:
  //   place(): where the image lies on the canvas, see painting.js; null without one.
  //   isWelcome(): may one be drawn now?
  //   box(): the box that is there, where the keys begin; null without one.
  //   adjusts: whether that box can be dragged by its sides, its corners or inside.
  //   onChange(): draw it. onSet(box): x, y, w, h in image pixels. hint(text, milliseconds).
  constructor(canvas, owner) {
    this.canvas = canvas;
    this.owner = owner;
    this.corners = null; // x0, y0, x1, y1 in image pixels, while one is drawn
    this.pointer = null; // id of the pointer that draws; null: the keys do
    this.grip = null; // what the pointer drags, see gripAt
    canvas.addEventListener("pointerdown", (event) => this.onDown(event));
    canvas.addEventListener("pointermove", (event) => this.onMove(event));
    canvas.addEventListener("pointerup", (event) => {
      if (event.pointerId === this.pointer && this.corners) this.release();
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
    this.grip = null;
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

  // A click on the box that is there changes nothing.
  release() {
    if (this.grip.moved || !this.grip.adjusts) this.set();
    else this.cancel();
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
    this.grip = this.gripAt(event);
    this.corners = [...this.grip.corners];
    event.preventDefault();
    this.owner.onChange();
  }

  onMove(event) {
    if (!this.owner.place()) return;
    if (this.pointer === null) this.canvas.style.cursor = this.gripAt(event).cursor;
    if (event.pointerId !== this.pointer || !this.corners) return;
    this.drag(this.inImage(event));
    this.owner.onChange();
  }

  drag([x, y]) {
    const { from, corners, sides } = this.grip;
    const { width, height } = this.owner.place();
    let [dx, dy] = [x - from[0], y - from[1]];
    if (sides.every(Boolean)) {
      dx = clamp(dx, -corners[0], width - corners[2]);
      dy = clamp(dy, -corners[1], height - corners[3]);
    }
    this.grip.moved = this.grip.moved || dx !== 0 || dy !== 0;
    this.corners = corners.map((value, side) =>
      sides[side] ? clamp(value + (side % 2 ? dy : dx), 0, side % 2 ? height : width) : value,
    );
  }

  // What a pointer that goes down here drags: from is where, in image pixels; of corners (x0, y0,
  // x1, y1) those whose sides are true move along. Away from the box, and while the keys draw, that
  // is the last corner of a new rectangle.
  gripAt(event) {
    const from = this.inImage(event);
    const box = this.owner.adjusts && !this.corners && !event.shiftKey && this.owner.box();
    const sides = box ? this.sidesAt(event, box) : [];
    if (!sides.some(Boolean)) {
      const corners = [...from, ...from];
      return { from, corners, sides: [false, false, true, true], cursor: "", adjusts: false };
    }
    const [x, y, w, h] = box;
    const corners = [x, y, x + w, y + h];
    return { from, corners, sides, cursor: cursorOf(sides), adjusts: true, moved: false };
  }

  // Which sides of the box (left, top, right, bottom) are under the pointer; all of them inside it.
  sidesAt(event, box) {
    const [left, top, width, height] = onCanvas(this.owner.place(), box);
    const bounds = this.canvas.getBoundingClientRect();
    const [across, along] = [event.clientX - bounds.left - left, event.clientY - bounds.top - top];
    const near = clamp(Math.min(width, height) / 4, 4, NEAR);
    const isBeside =
      across < -near || along < -near || across > width + near || along > height + near;
    if (isBeside) return [];
    const sides = [across, along, width - across, height - along].map((away) => away <= near);
    return sides.some(Boolean) ? sides : [true, true, true, true];
  }

  inImage(event) {
    const at = this.owner.place();
    const bounds = this.canvas.getBoundingClientRect();
    return [
      clamp((event.clientX - bounds.left - at.left) / at.scale, 0, at.width),
      clamp((event.clientY - bounds.top - at.top) / at.scale, 0, at.height),
    ];
  }
}

const clamp = (value, least, most) => Math.min(Math.max(value, least), most);

function cursorOf([left, top, right, bottom]) {
  if (left && top && right && bottom) return "move";
  if ((left && top) || (right && bottom)) return "nwse-resize";
  if ((right && top) || (left && bottom)) return "nesw-resize";
  return left || right ? "ew-resize" : "ns-resize";
}
