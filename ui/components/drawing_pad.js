// What one draws on the pad of drawing_pad.py. Streamlit calls the default function at mount, at each change of the
// data and at each change of theme.

const SIDE = 28; // pixels
const UNDO_STEPS = 50;

const pads = new WeakMap(); // outermost element -> its pad

export default function ({ data, parentElement, setStateValue }) {
  // Once mounted, the drawing here is ahead of the one that comes back from the server.
  const outermost = parentElement.querySelector(".pad");
  if (!pads.has(outermost)) pads.set(outermost, mount(outermost, data.pixels));
  pads.get(outermost).send = (pixels) => setStateValue("pixels", pixels);
}

function mount(outermost, sent) {
  const pad = {
    canvas: outermost.querySelector("canvas"),
    hint: outermost.querySelector(".hint"),
    undo: outermost.querySelector(".undo"),
    clear: outermost.querySelector(".clear"),
    pixels: sent ? Uint8Array.from(atob(sent), (character) => character.charCodeAt(0)) : new Uint8Array(SIDE * SIDE),
    earlier: [], // the pixels before each change that can be undone
    stroke: null, // the pointer that draws, where it was last, and the pixels before
    tool: "pen",
    radius: 1.5,
    send: null,
  };
  chooseBy(outermost, "tool", pad);
  chooseBy(outermost, "radius", pad);
  pad.undo.addEventListener("click", () => {
    if (pad.stroke || !pad.earlier.length) return;
    pad.pixels = pad.earlier.pop();
    show(pad);
    send(pad);
  });
  pad.clear.addEventListener("click", () => {
    if (pad.stroke || isBlank(pad.pixels)) return;
    const before = pad.pixels;
    pad.pixels = new Uint8Array(SIDE * SIDE);
    finish(pad, before);
  });
  pad.canvas.addEventListener("pointerdown", (event) => begin(pad, event));
  pad.canvas.addEventListener("pointermove", (event) => go(pad, event));
  pad.canvas.addEventListener("lostpointercapture", (event) => end(pad, event)); // also after up and cancel
  show(pad);
  return pad;
}

// One of a group of buttons is pressed; its data attribute is the pad's choice.
function chooseBy(outermost, name, pad) {
  const buttons = [...outermost.querySelectorAll(`[data-${name}]`)];
  const mark = () => {
    for (const button of buttons) button.setAttribute("aria-pressed", button.dataset[name] === String(pad[name]));
  };
  for (const button of buttons) {
    button.addEventListener("click", () => {
      pad[name] = button.dataset[name];
      mark();
    });
  }
  mark();
}

function begin(pad, event) {
  if (pad.stroke || event.button !== 0) return; // a second finger, or another button
  event.preventDefault();
  pad.canvas.setPointerCapture(event.pointerId);
  const at = place(pad, event);
  pad.stroke = { pointer: event.pointerId, at, before: pad.pixels.slice() };
  paint(pad, at, at);
  show(pad);
}

function go(pad, event) {
  if (event.pointerId !== pad.stroke?.pointer) return;
  const steps = event.getCoalescedEvents?.() ?? [];
  for (const step of steps.length ? steps : [event]) {
    const at = place(pad, step);
    paint(pad, pad.stroke.at, at);
    pad.stroke.at = at;
  }
  show(pad);
}

function end(pad, event) {
  if (event.pointerId !== pad.stroke?.pointer) return;
  const { before } = pad.stroke;
  pad.stroke = null;
  if (before.some((value, index) => value !== pad.pixels[index])) finish(pad, before);
}

function finish(pad, before) {
  pad.earlier.push(before);
  if (pad.earlier.length > UNDO_STEPS) pad.earlier.shift();
  show(pad);
  send(pad);
}

function send(pad) {
  pad.send(btoa(String.fromCharCode(...pad.pixels)));
}

// Where a pointer is, in pixels of the drawing from its upper left corner.
function place(pad, { clientX, clientY }) {
  const box = pad.canvas.getBoundingClientRect();
  return { x: ((clientX - box.left) / box.width) * SIDE, y: ((clientY - box.top) / box.height) * SIDE };
}

// A soft line: every pixel by the distance of its centre from the straight way between two points.
function paint(pad, from, to) {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length2 = dx * dx + dy * dy;
  for (let row = 0; row < SIDE; row++) {
    for (let column = 0; column < SIDE; column++) {
      const [x, y] = [column + 0.5 - from.x, row + 0.5 - from.y];
      const along = length2 ? Math.min(1, Math.max(0, (x * dx + y * dy) / length2)) : 0;
      const distance = Math.hypot(x - along * dx, y - along * dy);
      const cover = Math.min(1, Math.max(0, (Number(pad.radius) + 0.75 - distance) / 1.5)); // soft over 1.5 pixels
      const index = row * SIDE + column;
      const value = pad.pixels[index];
      pad.pixels[index] =
        pad.tool === "pen" ? Math.max(value, Math.round(255 * cover)) : Math.min(value, Math.round(255 * (1 - cover)));
    }
  }
}

function show(pad) {
  const picture = new ImageData(SIDE, SIDE);
  pad.pixels.forEach((value, index) => picture.data.set([value, value, value, 255], 4 * index));
  pad.canvas.getContext("2d").putImageData(picture, 0, 0);
  const blank = isBlank(pad.pixels);
  pad.hint.hidden = !blank;
  pad.canvas.setAttribute("aria-label", blank ? "Drawing, empty" : "Drawing");
  // Not `disabled`, which would take the keyboard's focus away from the button just pressed.
  pad.undo.setAttribute("aria-disabled", !pad.earlier.length);
  pad.clear.setAttribute("aria-disabled", blank);
}

function isBlank(pixels) {
  return pixels.every((value) => value === 0);
}
