// What both pictures with boxes draw.

export const BOX = "#00e0ff";
export const COLOURS = { good: "#3ddc97", warn: "#ffb547", bad: "#ff5c6c", idle: "#8d99ab" };

// As many pixels as the screen has; returns what the canvas measures in CSS pixels.
export function fitCanvas(target) {
  const ratio = window.devicePixelRatio || 1;
  const [width, height] = [target.clientWidth, target.clientHeight];
  const [wanted, tall] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (target.width !== wanted || target.height !== tall) {
    target.width = wanted;
    target.height = tall;
  }
  const drawing = target.getContext("2d");
  drawing.setTransform(ratio, 0, 0, ratio, 0, 0);
  return [width, height];
}

// Where an image lies on a canvas: left, top, and canvas pixels for an image pixel.
export function placed(canvas, { width, height }) {
  const scale = Math.min(canvas.clientWidth / width, canvas.clientHeight / height);
  const left = (canvas.clientWidth - width * scale) / 2;
  const top = (canvas.clientHeight - height * scale) / 2;
  return { left, top, scale, width, height };
}

export function onCanvas(at, [x, y, w, h]) {
  return [at.left + x * at.scale, at.top + y * at.scale, w * at.scale, h * at.scale];
}

export function stroke(canvas, at, box, colour, dashes) {
  const context = canvas.getContext("2d");
  const lines = onCanvas(at, box);
  context.setLineDash([]);
  context.strokeStyle = "rgba(10, 12, 16, 0.85)";
  context.lineWidth = 5;
  context.strokeRect(...lines);
  context.setLineDash(dashes);
  context.strokeStyle = colour;
  context.lineWidth = 2.5;
  context.strokeRect(...lines);
  context.setLineDash([]);
}

export function tag(canvas, at, box, words, colour) {
  const context = canvas.getContext("2d");
  const [x, y, , h] = onCanvas(at, box);
  context.font = "600 15px system-ui, sans-serif";
  const width = context.measureText(words).width + 12;
  const left = Math.min(Math.max(x - 1, 0), canvas.clientWidth - width);
  const top = y > 26 ? y - 25 : Math.min(y + h + 3, canvas.clientHeight - 22);
  context.fillStyle = colour;
  context.fillRect(left, top, width, 22);
  context.fillStyle = "#0b0e13";
  context.fillText(words, left + 6, top + 16);
}

// The rectangle that is being drawn, with its size.
export function drawRectangle(canvas, at, box) {
  const context = canvas.getContext("2d");
  context.fillStyle = "rgba(255, 255, 255, 0.14)";
  context.fillRect(...onCanvas(at, box));
  stroke(canvas, at, box, "#ffffff", []);
  tag(canvas, at, box, `${Math.round(box[2])} × ${Math.round(box[3])}`, "#ffffff");
}
