// The same places are marked in both images, first in RGB, then in thermal, for `ainet calibrate`.

import { Connection, showState } from "./connection.js";

const CAMERAS = ["rgb", "thermal"];
const ENOUGH = 4; // places that an alignment needs at least
const MOST = 100;
const ZOOM = 5; // of the small picture around the cross
const COLOURS = ["#00e0ff", "#ffb547", "#ff60d0", "#3ddc97", "#c9a6ff", "#ffe66b"];

const element = (id) => document.getElementById(id);

// One camera's image: how large it is, what it shows, and where the cross is (image pixels).
const images = Object.fromEntries(
  CAMERAS.map((name) => [name, { canvas: element(name), picture: null, size: null, cross: null }]),
);
let marks = []; // [x, y] in image pixels: RGB, thermal, RGB, thermal, ...
let sent = false;

const connection = new Connection(onMessage, (state, reason) =>
  showState(connection, state, reason, sent),
);

function onMessage(header, picture) {
  const image = images[header.view];
  if (picture) {
    image.picture = picture;
    const { thermal_width: width, thermal_height: height } = header.values;
    image.size =
      header.view === "rgb" ? [header.frame.width, header.frame.height] : [+width, +height];
    image.cross = image.cross || image.size.map((side) => (side - 1) / 2);
  }
  const missing = CAMERAS.find((name) => !images[name].picture);
  if (missing && header.frame) connection.send({ view: missing });
  show();
}

// Whose turn it is.
const current = () => CAMERAS[marks.length % 2];
const pairs = () => Math.floor(marks.length / 2);

// A homography counts from the centre of the top left pixel, a canvas from its corner.
function place(image) {
  const [width, height] = image.size;
  const { clientWidth, clientHeight } = image.canvas;
  const scale = Math.min(clientWidth / width, clientHeight / height);
  return {
    scale,
    left: (clientWidth - width * scale) / 2 + 0.5 * scale,
    top: (clientHeight - height * scale) / 2 + 0.5 * scale,
  };
}

function onCanvas(image, [x, y]) {
  const at = place(image);
  return [at.left + x * at.scale, at.top + y * at.scale];
}

function show() {
  for (const [index, name] of CAMERAS.entries()) {
    element(`${name}_figure`).setAttribute("aria-current", String(!sent && current() === name));
    draw(images[name], marks.filter((_, number) => number % 2 === index));
  }
  const name = current() === "rgb" ? "RGB" : "thermal";
  const next = `Mark place ${pairs() + 1} in the ${name} image`;
  const count = pairs() < ENOUGH ? `${ENOUGH} at least, better 8, spread out` : `${pairs()} marked`;
  element("task").textContent = sent
    ? "Sent: the command goes on. This page can be closed."
    : `${next} (${count}). Arrows move the cross, Enter marks.`;
  element("undo").disabled = sent || !marks.length;
  element("done").disabled = sent || pairs() < ENOUGH || marks.length % 2 === 1;
}

function draw(image, places) {
  const { canvas, picture } = image;
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(canvas.clientWidth * ratio);
  canvas.height = Math.round(canvas.clientHeight * ratio);
  if (!picture) return;
  const drawing = canvas.getContext("2d");
  drawing.setTransform(ratio, 0, 0, ratio, 0, 0);
  const [left, top] = onCanvas(image, [-0.5, -0.5]);
  const { scale } = place(image);
  drawing.drawImage(picture, left, top, image.size[0] * scale, image.size[1] * scale);
  places.forEach((mark, number) => {
    const [x, y] = onCanvas(image, mark);
    ring(drawing, x, y, COLOURS[number % COLOURS.length], String(number + 1));
  });
  if (!sent && images[current()] === image) {
    const [x, y] = onCanvas(image, image.cross);
    cross(drawing, x, y, 12);
    loupe(drawing, image, x);
  }
}

function ring(drawing, x, y, colour, number) {
  for (const [style, width] of [["#0b0e13", 5], [colour, 2.5]]) {
    drawing.strokeStyle = style;
    drawing.lineWidth = width;
    drawing.beginPath();
    drawing.arc(x, y, 8, 0, 2 * Math.PI);
    drawing.stroke();
  }
  drawing.font = "700 15px system-ui, sans-serif";
  drawing.lineWidth = 4;
  drawing.strokeStyle = "#0b0e13";
  drawing.strokeText(number, x + 11, y - 7);
  drawing.fillStyle = colour;
  drawing.fillText(number, x + 11, y - 7);
}

function cross(drawing, x, y, arm) {
  for (const [style, width] of [["#0b0e13", 4], ["#ffffff", 1.5]]) {
    drawing.strokeStyle = style;
    drawing.lineWidth = width;
    drawing.beginPath();
    drawing.moveTo(x - arm, y);
    drawing.lineTo(x + arm, y);
    drawing.moveTo(x, y - arm);
    drawing.lineTo(x, y + arm);
    drawing.stroke();
  }
}

// The surroundings of the cross, large, in the corner that it is not in.
function loupe(drawing, image, x) {
  const { canvas, picture } = image;
  const side = Math.min(150, canvas.clientWidth / 3, canvas.clientHeight / 3);
  const left = x < canvas.clientWidth / 2 ? canvas.clientWidth - side - 8 : 8;
  const [across, down] = [picture.width / image.size[0], picture.height / image.size[1]];
  const seen = side / place(image).scale / ZOOM; // image pixels
  const [cx, cy] = image.cross.map((value) => value + 0.5);
  drawing.fillStyle = "#000";
  drawing.fillRect(left, 8, side, side);
  drawing.imageSmoothingEnabled = false;
  const part = [(cx - seen / 2) * across, (cy - seen / 2) * down, seen * across, seen * down];
  drawing.drawImage(picture, ...part, left, 8, side, side);
  drawing.imageSmoothingEnabled = true;
  drawing.strokeStyle = "#ffffff";
  drawing.lineWidth = 2;
  drawing.strokeRect(left, 8, side, side);
  cross(drawing, left + side / 2, 8 + side / 2, side / 6);
}

function point(image, event) {
  const bounds = image.canvas.getBoundingClientRect();
  const at = place(image);
  const raw = [
    (event.clientX - bounds.left - at.left) / at.scale,
    (event.clientY - bounds.top - at.top) / at.scale,
  ];
  image.cross = raw.map((value, axis) => Math.min(Math.max(value, 0), image.size[axis] - 1));
}

function mark() {
  if (sent || marks.length >= 2 * MOST) return;
  marks.push([...images[current()].cross]);
  images[current()].canvas.focus({ preventScroll: true });
  show();
}

function undo() {
  if (sent || !marks.length) return;
  marks.pop();
  images[current()].canvas.focus({ preventScroll: true });
  show();
}

function done() {
  if (element("done").disabled) return;
  const rows = [];
  for (let number = 0; number + 1 < marks.length; number += 2) {
    const [[rx, ry], [tx, ty]] = [marks[number], marks[number + 1]];
    rows.push([tx, ty, rx, ry].map((value) => Math.round(value * 100) / 100));
  }
  sent = connection.send({ mark: rows });
  show();
}

for (const name of CAMERAS) {
  const image = images[name];
  const follow = (event) => {
    if (!image.picture || current() !== name || sent) return;
    point(image, event);
    show();
  };
  image.canvas.addEventListener("pointermove", follow);
  image.canvas.addEventListener("pointerdown", follow);
  image.canvas.addEventListener("pointerup", (event) => {
    if (!image.picture || current() !== name || sent || event.button !== 0) return;
    follow(event);
    mark();
  });
}
element("undo").addEventListener("click", undo);
element("done").addEventListener("click", done);
window.addEventListener("resize", show);

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

document.addEventListener("keydown", (event) => {
  const image = images[current()];
  if (event.altKey || event.metaKey || event.target instanceof HTMLInputElement) return;
  if (STEPS[event.key] && image.picture) {
    const step = event.shiftKey ? 10 : 1;
    image.cross = image.cross.map((value, axis) =>
      Math.min(Math.max(value + step * STEPS[event.key][axis], 0), image.size[axis] - 1),
    );
    show();
  } else if (event.key === "Enter" && event.target instanceof HTMLCanvasElement) {
    if (image.picture) mark();
  } else if (event.key.toLowerCase() === "u" || event.key === "Backspace") {
    undo();
  } else if (event.key.toLowerCase() === "d") {
    done();
  } else {
    return;
  }
  event.preventDefault();
});
