// `ainet correct`: frame by frame, the tracker's boxes are put right. The command writes each change.

import { Connection, showState } from "./connection.js";
import { BOX, COLOURS, drawRectangle, fitCanvas, placed, stroke, tag } from "./painting.js";
import { Rectangle } from "./rectangle.js";

const STATES = {
  tracked: ["#5d6878", "as tracked"],
  corrected: [BOX, "corrected"],
  unknown: ["#2a323f", "not known"],
  absent: [COLOURS.bad, "not there"],
};

const element = (id) => document.getElementById(id);
const canvas = element("picture");
const strip = element("strip");

let shown = null; // the newest header with a frame
let picture = null; // ImageBitmap, null where the view's camera has none
let view = "rgb";
let wanted = null; // index that is to be shown, while another is
let askedAt = 0; // number of the frame that was seen when another was asked for; 0: none is
let ended = false;

const connection = new Connection(onMessage, onState);
const rectangle = new Rectangle(canvas, {
  place,
  isWelcome: () => connection.isOpen && picture !== null,
  box: () => shown.frame.box,
  adjusts: true,
  onChange: draw,
  onSet: (box) => correct(box),
  hint,
});

function onMessage(header, fresh) {
  document.title = `${header.title}: correct the boxes`;
  element("title").textContent = header.title;
  if (header.picture !== "same") picture = fresh;
  if (!header.frame) return;
  shown = header;
  if (header.number > askedAt) askedAt = 0; // another may have come: by undo, by a second page
  if (wanted === header.frame.index) wanted = null;
  ask();
  show();
}

function onState(state, reason) {
  showState(connection, state, state === "token" ? reason : "", ended); // the veil says why
  askedAt = 0;
  if (state === "open") {
    ended = false;
    connection.send({ view });
  }
  if (state === "gone") rectangle.cancel();
  const gone = state === "gone";
  element("veil").hidden = !gone;
  element("veil_title").textContent = ended ? "Done" : "The command has ended";
  element("veil_text").textContent = "Every change was written. This page can be closed.";
  for (const button of document.querySelectorAll("footer button")) button.disabled = gone;
  draw();
}

// Frames.

const states = () => shown.values.states.split(",");
const suspicious = () => (shown.values.suspicious || "").split(",").filter(Boolean).map(Number);
const current = () => (wanted === null ? shown.frame.index : wanted);

// One question at a time: the last one is answered, not all on the way.
function go(index) {
  if (!shown || ended) return;
  wanted = Math.min(Math.max(index, 0), states().length - 1);
  if (rectangle.box) rectangle.cancel();
  ask();
  drawStrip();
}

function ask() {
  if (wanted === null || askedAt || wanted === shown.frame.index) return;
  if (connection.send({ go: wanted })) askedAt = shown.number;
}

function goToSuspicious() {
  const all = shown ? suspicious() : [];
  if (!all.length) return hint("No box leaps or changes its size suddenly", 2500);
  const next = all.find((index) => index > current());
  return go(next === undefined ? all[0] : next);
}

// What is ordered is meant for the frame that is seen.
function correct(box) {
  if (shown) connection.send({ correct: [shown.frame.index, box] });
}

function undo() {
  wanted = null; // it turns to the frame whose correction it takes back
  connection.send({ undo: true });
}

function done() {
  ended = connection.send({ done: true });
}

// Words, the picture and the strip.

function show() {
  const all = states();
  const { index } = shown.frame;
  const [, words] = STATES[all[index]];
  element("position").textContent = `Frame ${index + 1} of ${all.length}: ${words}`;
  const count = (state) => all.filter((each) => each === state).length;
  const found = [
    `${count("corrected")} corrected`, `${count("absent")} not there`,
    `${count("unknown")} not known`, `${suspicious().length} leaps to look at`,
  ];
  element("counts").textContent = found.join(" · ");
  const { trouble } = shown.values;
  element("banner").hidden = !trouble;
  element("banner").dataset.tone = "warn";
  element("banner").textContent = trouble;
  strip.setAttribute("aria-valuemax", String(all.length));
  strip.setAttribute("aria-valuenow", String(index + 1));
  strip.setAttribute("aria-valuetext", element("position").textContent);
  draw();
}

function place() {
  return shown ? placed(canvas, shown.frame) : null;
}

function draw() {
  const context = canvas.getContext("2d");
  const [width, height] = fitCanvas(canvas);
  context.clearRect(0, 0, width, height);
  const at = place();
  if (!at) return;
  if (picture) context.drawImage(picture, at.left, at.top, at.width * at.scale, at.height * at.scale);
  const { box, state } = shown.frame;
  if (box && !rectangle.box) {
    const colour = state === "corrected" ? BOX : COLOURS.warn;
    stroke(canvas, at, box, colour, []);
    tag(canvas, at, box, STATES[state][1], colour);
    handles(at, box, colour);
  }
  if (rectangle.box) drawRectangle(canvas, at, rectangle.box);
  drawStrip();
}

function handles(at, [x, y, w, h], colour) {
  const context = canvas.getContext("2d");
  for (const [cx, cy] of [[x, y], [x + w, y], [x, y + h], [x + w, y + h]]) {
    const [px, py] = [at.left + cx * at.scale, at.top + cy * at.scale];
    context.fillStyle = "#0b0e13";
    context.fillRect(px - 5, py - 5, 10, 10);
    context.fillStyle = colour;
    context.fillRect(px - 3, py - 3, 6, 6);
  }
}

function drawStrip() {
  if (!shown) return;
  const context = strip.getContext("2d");
  const [width, height] = fitCanvas(strip);
  context.clearRect(0, 0, width, height);
  const all = states();
  const cell = width / all.length;
  const gap = cell > 4 ? 1 : 0;
  all.forEach((state, index) => {
    [context.fillStyle] = STATES[state];
    context.fillRect(index * cell, 10, cell - gap, height - 14);
  });
  context.fillStyle = COLOURS.warn;
  for (const index of suspicious()) {
    context.beginPath();
    const middle = (index + 0.5) * cell;
    context.moveTo(middle - 5, 0);
    context.lineTo(middle + 5, 0);
    context.lineTo(middle, 8);
    context.fill();
  }
  const [left, wide] = [current() * cell, Math.max(cell - gap, 4)];
  context.strokeStyle = "#ffffff";
  context.lineWidth = 2;
  context.strokeRect(left - 1, 9, wide + 2, height - 12);
}

// Buttons and keys.

function choose(name) {
  view = name;
  for (const button of element("views").children) {
    button.setAttribute("aria-pressed", String(button.dataset.view === view));
  }
  connection.send({ view });
}

const ORDERS = {
  previous: () => go(current() - 1),
  next: () => go(current() + 1),
  suspicious: goToSuspicious,
  draw: () => rectangle.startByKeys(),
  absent: () => correct("absent"),
  unknown: () => correct("unknown"),
  fill: () => shown && connection.send({ fill: shown.frame.index }),
  undo,
  done,
};
for (const [id, order] of Object.entries(ORDERS)) element(id).addEventListener("click", order);
for (const button of element("views").children) {
  button.addEventListener("click", () => choose(button.dataset.view));
}

const KEYS = {
  1: () => choose("rgb"),
  2: () => choose("thermal"),
  3: () => choose("blend"),
  n: ORDERS.suspicious, b: ORDERS.draw, x: ORDERS.absent, q: ORDERS.unknown,
  f: ORDERS.fill, u: ORDERS.undo, d: done,
};
const TURNS = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 };

function onKey(event) {
  if (rectangle.onKey(event)) return true;
  if (!shown || event.ctrlKey) return false;
  if (TURNS[event.key]) {
    go(current() + TURNS[event.key] * (event.shiftKey ? 10 : 1));
  } else if (event.key === "Home" || event.key === "End") {
    go(event.key === "Home" ? 0 : states().length - 1);
  } else if (!event.repeat && KEYS[event.key.toLowerCase()]) {
    KEYS[event.key.toLowerCase()]();
  } else {
    return false;
  }
  return true;
}

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.metaKey || event.target instanceof HTMLInputElement) return;
  if (onKey(event)) event.preventDefault();
});

function turnTo(event) {
  if (!shown || !(event.buttons & 1)) return;
  const bounds = strip.getBoundingClientRect();
  go(Math.floor(((event.clientX - bounds.left) / bounds.width) * states().length));
}

strip.addEventListener("pointerdown", (event) => {
  strip.setPointerCapture(event.pointerId);
  turnTo(event);
});
strip.addEventListener("pointermove", turnTo);
window.addEventListener("resize", draw);

let hintTimer = 0;

function hint(text, milliseconds = 0) {
  clearTimeout(hintTimer);
  element("hint").textContent = text;
  if (milliseconds) hintTimer = setTimeout(() => hint(""), milliseconds);
}
