// The operator's page: shows what comes, draws the box, sends what the operator wants.

import { Connection, askForToken } from "./connection.js";
import { BOX, COLOURS, drawRectangle, fitCanvas, placed, stroke, tag } from "./painting.js";
import { Rectangle } from "./rectangle.js";

const WINDOW = 30; // seconds of history
const QUIET = 3000; // milliseconds without a word from a node, which speaks every second
const GONE = 10000;

const TONES = {
  tracking: "good",
  recovered: "good",
  uncertain: "warn",
  lost: "bad",
  error: "bad",
};

const element = (id) => document.getElementById(id);
const canvas = element("picture");
const context = canvas.getContext("2d");
const chart = element("history");

const page = {
  header: null, // of the newest message
  picture: null, // ImageBitmap of the newest picture
  silent: false, // the view's camera sends nothing
  view: "rgb",
  connected: false,
  heard: performance.now(), // when the last message came
  goneSince: 0,
  scores: [], // {time (ms), score, tone}
  drawn: [], // when pictures were drawn, ms
  lastBox: null, // {box, time, target_id}, to show where a lost target was
  number: 0, // of the newest frame
  frameAt: performance.now(), // when it came
};
const rectangle = new Rectangle(canvas, {
  place,
  isWelcome: () => takes("target"),
  box: () => page.header.frame.box,
  adjusts: false, // it moves
  onChange: draw,
  onSet: (box) => connection.send({ target: box }) && hint("Target set", 1500),
  hint,
});

const connection = new Connection(onMessage, onState);

// What comes.

function onMessage(header, picture) {
  page.heard = performance.now();
  if (header.number < page.number || !page.header) startAnew(header);
  if (header.number !== page.number) page.frameAt = page.heard;
  page.header = header;
  page.number = header.number;
  const frame = header.frame;
  if (picture) {
    if (page.picture) page.picture.close();
    page.picture = picture;
    page.drawn.push(page.heard);
  }
  if (header.picture !== "same") page.silent = header.picture === "none";
  if (frame && frame.box) {
    page.lastBox = { box: frame.box, time: page.heard, target: frame.target_id };
  }
  for (const [ago, score, state] of header.scores) {
    page.scores.push({ time: page.heard - 1000 * ago, score, tone: TONES[state] || "idle" });
  }
  const old = page.heard - 1000 * (WINDOW + 1);
  while (page.scores.length && page.scores[0].time < old) page.scores.shift();
  while (page.drawn.length && page.drawn[0] < page.heard - 2000) page.drawn.shift();
  showWords();
  draw();
}

// Another node, or the same one started again: nothing of the old one is shown as if it were new.
function startAnew(header) {
  page.scores = [];
  page.lastBox = null;
  document.title = header.title;
  element("title").textContent = header.title;
  for (const button of document.querySelectorAll("[data-order]")) {
    button.hidden = !header.takes.includes(button.dataset.order);
  }
}

function onState(state, reason) {
  page.connected = state === "open";
  if (state === "open") {
    page.header = null;
    page.number = 0;
    page.heard = performance.now();
    page.goneSince = 0;
    connection.send({ view: page.view });
  } else {
    page.goneSince = page.goneSince || performance.now();
    page.reason = reason;
    showUnknown();
    rectangle.cancel();
  }
  document.body.classList.toggle("gone", !page.connected);
  if (state === "token") askForToken(connection, reason);
  showConnection();
  draw();
}

// Words and figures.

function showWords() {
  const { values, frame } = page.header;
  const state = values.state || "–";
  const word = state.replace(/^paused, /, "");
  const tone = state.startsWith("paused") ? "warn" : TONES[word] || "idle";
  setWords("state", state);
  element("state_card").dataset.tone = tone;
  setWords("trouble", values.trouble || "");
  element("trouble").hidden = !values.trouble;
  const follows = frame && frame.target_id > 0 && word !== "no target";
  setWords("score", follows ? frame.score.toFixed(2) : "–");
  setWords("latency", unit(values.latency_ms, "ms"));
  setWords("latency_95", unit(values.latency_95_ms, "ms"));
  setWords("rate", unit(values.frames_per_s, "/s"));
  setWords("pairs", values.pairs_received || "–");
  setWords("skipped", values.pairs_skipped || "–");
  setWords("failed", values.pairs_failed || "–");
  setWords("unpaired", both(values.rgb_unpaired, values.thermal_unpaired));
  setWords("lost", both(values.rgb_lost, values.thermal_lost));
  const facts = [values.preset, values.device, values.backend, cameras(values.cameras)];
  setWords("facts", facts.filter(Boolean).join(" · "));
  element("drops_card").hidden = !values.lifecycle;
  setWords("enable_word", values.enabled === "false" ? "Resume" : "Pause");
  element("enable").setAttribute("aria-pressed", String(values.enabled === "false"));
  showBanner();
  showConnection();
}

// What was true before the connection broke may not be true any more.
function showUnknown() {
  setWords("state", "not connected");
  element("state_card").dataset.tone = "bad";
  element("trouble").hidden = true;
  element("banner").hidden = true;
  element("stage").dataset.tone = "";
}

// What must not be overlooked, across the picture.
function showBanner() {
  if (!page.connected || !page.header) return;
  const { values } = page.header;
  const state = values.state || "";
  const still = performance.now() - page.frameAt;
  let [text, tone] = ["", "warn"];
  if (state.startsWith("paused")) {
    text = "PAUSED · the picture stands still";
  } else if (values.lifecycle && still > QUIET) {
    text = `NO PICTURES for ${age(page.frameAt)}`;
  } else if (state === "lost") {
    text = "LOST";
    tone = "bad";
    if (page.lastBox) text += ` · last seen ${age(page.lastBox.time)} ago`;
  } else if (state === "uncertain") {
    text = "UNCERTAIN";
  }
  const banner = element("banner");
  banner.hidden = !text;
  setWords("banner", text);
  banner.dataset.tone = tone;
  element("stage").dataset.tone = text ? tone : "";
}

function showConnection() {
  const pill = element("connection");
  const quiet = performance.now() - page.heard;
  const speaks = page.header && page.header.values.lifecycle;
  let [tone, text] = ["good", "live"];
  if (!page.connected) {
    [tone, text] = ["bad", "not connected"];
  } else if (speaks && quiet > QUIET) {
    [tone, text] = ["warn", `silent for ${Math.round(quiet / 1000)} s`];
  }
  pill.dataset.tone = tone;
  if (pill.textContent !== text) pill.textContent = text;
  for (const button of document.querySelectorAll("footer button")) {
    button.disabled = !page.connected;
  }
  showVeil();
}

function showVeil() {
  let title = "";
  let text = "";
  if (!page.connected && page.header && !page.header.values.lifecycle) {
    title = "The command has ended"; // a recording's: there is no node to wait for
    text = "this page can be closed";
  } else if (!page.connected && page.goneSince) {
    title = "No connection to the tracker";
    text = page.reason || `gone for ${age(page.goneSince)}; trying again`;
  } else if (page.header && isIdle(page.header.values.lifecycle)) {
    title = `The tracker is ${page.header.values.lifecycle}`;
    text = page.header.values.trouble || "";
  } else if (page.header && !page.header.frame) {
    title = "Waiting for the first picture";
    text = page.header.values.state || "";
  } else if (page.header && page.silent) {
    title = page.view === "thermal" ? "No thermal image" : "No RGB image";
    text = "that camera is silent; choose another view";
  }
  element("veil").hidden = !title;
  setWords("veil_title", title);
  setWords("veil_text", text);
}

// A node that is not active shows nothing new; a recording has no lifecycle.
function isIdle(lifecycle) {
  return Boolean(lifecycle) && lifecycle !== "active";
}

function setWords(id, text) {
  const target = element(id);
  if (target.textContent !== text) target.textContent = text;
}

function unit(value, name) {
  return value ? `${value} ${name}` : "–";
}

function both(rgb, thermal) {
  return rgb === undefined ? "–" : `${rgb} RGB, ${thermal} th.`;
}

function cameras(names) {
  const known = { "rgb,thermal": "both cameras", rgb: "RGB alone", thermal: "thermal alone" };
  return known[names] || "";
}

function age(time) {
  const seconds = (performance.now() - time) / 1000;
  return seconds < 10 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds)} s`;
}

// The picture, its box and the rectangle that is drawn.

function place() {
  const frame = page.header && page.header.frame;
  return frame ? placed(canvas, frame) : null;
}

function draw() {
  const [width, height] = fitCanvas(canvas);
  context.clearRect(0, 0, width, height);
  const at = place();
  if (!at) return;
  context.globalAlpha = page.connected ? 1 : 0.35;
  if (page.picture && !page.silent) {
    const size = [at.width * at.scale, at.height * at.scale];
    context.drawImage(page.picture, at.left, at.top, ...size);
  }
  const frame = page.header.frame;
  if (frame.box) {
    const sure = TONES[frame.state] !== "warn";
    stroke(canvas, at, frame.box, sure ? BOX : COLOURS.warn, sure ? [] : [10, 6]);
    tag(canvas, at, frame.box, frame.score.toFixed(2), sure ? BOX : COLOURS.warn);
  } else if (frame.state === "lost" && page.lastBox) {
    stroke(canvas, at, page.lastBox.box, COLOURS.bad, [4, 6]);
  }
  context.globalAlpha = 1;
  if (rectangle.box) drawRectangle(canvas, at, rectangle.box);
}

function drawHistory() {
  const [width, height] = fitCanvas(chart);
  const drawing = chart.getContext("2d");
  drawing.clearRect(0, 0, width, height);
  const bottom = height - 3;
  const y = (score) => bottom - score * (height - 6);
  drawing.font = "11px system-ui, sans-serif";
  for (const level of [0, 0.5, 1]) {
    drawing.fillStyle = "rgba(255, 255, 255, 0.16)";
    drawing.fillRect(24, y(level), width - 24, 1);
    drawing.fillStyle = "#aab4c3";
    drawing.fillText(String(level), 2, Math.min(Math.max(y(level) + 4, 10), height - 1));
  }
  const now = page.connected ? performance.now() : page.goneSince;
  const x = (time) => width - ((now - time) / 1000 / WINDOW) * (width - 24);
  drawing.lineWidth = 2;
  drawing.lineJoin = "round";
  let before = null;
  for (const score of page.scores) {
    if (x(score.time) < 24) continue;
    if (before && score.time - before.time < 1000) {
      drawing.strokeStyle = COLOURS[score.tone];
      drawing.beginPath();
      drawing.moveTo(x(before.time), y(before.score));
      drawing.lineTo(x(score.time), y(score.score));
      drawing.stroke();
    }
    before = score;
  }
}

function takes(order) {
  return page.connected && page.header !== null && page.header.takes.includes(order);
}

// Buttons and keys.

function choose(view) {
  page.view = view;
  for (const button of element("views").children) {
    button.setAttribute("aria-pressed", String(button.dataset.view === view));
  }
  connection.send({ view });
}

function reset() {
  if (takes("reset") && connection.send({ reset: true })) hint("Target forgotten", 1500);
}

function pause() {
  if (!takes("enable")) return;
  connection.send({ enable: page.header.values.enabled === "false" });
}

for (const button of element("views").children) {
  button.addEventListener("click", () => choose(button.dataset.view));
}
element("draw").addEventListener("click", () => rectangle.startByKeys());
element("enable").addEventListener("click", pause);
element("reset").addEventListener("click", reset);

const KEYS = {
  1: () => choose("rgb"),
  2: () => choose("thermal"),
  3: () => choose("blend"),
  b: () => rectangle.startByKeys(),
  p: pause,
  r: reset,
};

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.metaKey || event.target instanceof HTMLInputElement) return;
  if (!rectangle.onKey(event)) {
    const order = !event.ctrlKey && !event.repeat && KEYS[event.key.toLowerCase()];
    if (!order) return;
    order();
  }
  event.preventDefault();
});

let hintTimer = 0;

function hint(text, milliseconds = 0) {
  clearTimeout(hintTimer);
  setWords("hint", text);
  if (milliseconds) hintTimer = setTimeout(() => setWords("hint", ""), milliseconds);
}

// Time passes also when nothing comes.

setInterval(() => {
  drawHistory();
  showBanner();
  showConnection();
  const recent = page.drawn.filter((time) => time > performance.now() - 2000).length;
  setWords("pictures", page.connected ? `${(recent / 2).toFixed(1)} /s` : "–");
  const speaks = page.header && page.header.values.lifecycle;
  if (page.connected && speaks && performance.now() - page.heard > GONE) {
    connection.restart("the tracker says nothing");
  }
}, 200);
window.addEventListener("resize", draw);
window.addEventListener("online", () => connection.isOpen || connection.retry(0));
