// Replays the frames of a figure in the browser, without asking the server. Where a replay stands is one number,
// its place: 2.5 is half-way from frame 2 to frame 3, null the figure as given.

const PLAY_TIME = 4000; // milliseconds for all frames, however many there are
const STEP_TIME = 150; // milliseconds from one place to another that the visitor chose
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const ICONS = { Play: "M4 2.5v11l9-5.5z", Pause: "M3.5 2.5h3v11h-3zM9.5 2.5h3v11h-3z" };

// Called for each new figure. A replay of frames of the same names goes on where it was.
function takeFrames(chart) {
  const frames = chart.figure.frames ?? [];
  const names = JSON.stringify(frames.map(({ name }) => name));
  if (chart.replay?.names !== names) removeReplay(chart);
  if (!frames.length) return;
  chart.replay ??= mountReplay(chart, names);
  describe(chart);
}

function removeReplay(chart) {
  if (!chart.replay) return;
  halt(chart.replay);
  chart.replay.controls.remove();
  chart.replay = null;
}

function mountReplay(chart, names) {
  const controls = document.createElement("div");
  controls.className = "live-chart-replay";
  controls.innerHTML = `
    <button type="button"><svg viewBox="0 0 16 16" aria-hidden="true"><path /></svg></button>
    <input type="range" min="0" step="1" aria-label="Epoch">
    <span></span>
    <button type="button">Back</button>`;
  const [play, slider, moment, back] = controls.children;
  const replay = { names, controls, play, slider, moment, back, place: null, move: null, isPlaying: false, request: 0 };
  slider.max = chart.figure.frames.length - 1;
  slider.addEventListener("input", () => go(chart, Number(slider.value)));
  play.addEventListener("click", () => (replay.isPlaying ? pause(chart) : playOn(chart)));
  back.addEventListener("click", () => {
    halt(replay);
    replay.place = null;
    slider.focus({ preventScroll: true }); // the button, now without a use, cannot keep it
    describe(chart);
    render(chart);
  });
  chart.stage.append(controls);
  return replay;
}

function go(chart, target) {
  halt(chart.replay);
  move(chart, chart.replay.place ?? target, target, calm.matches ? 0 : STEP_TIME);
}

function playOn(chart) {
  const { replay } = chart;
  const last = chart.figure.frames.length - 1;
  const start = replay.place === null || replay.place >= last ? 0 : replay.place;
  halt(replay);
  replay.isPlaying = true;
  move(chart, start, last, last ? (PLAY_TIME * (last - start)) / last : 0);
}

function pause(chart) {
  go(chart, Math.round(chart.replay.place ?? 0));
}

function halt(replay) {
  cancelAnimationFrame(replay.request);
  replay.move = null;
  replay.isPlaying = false;
}

function move(chart, from, to, milliseconds) {
  const { replay } = chart;
  replay.move = { from, to, milliseconds, start: performance.now() };
  replay.request = requestAnimationFrame((now) => advance(chart, now));
  describe(chart);
}

// Draws once for each picture that the browser shows, however long a drawing takes.
function advance(chart, now) {
  const { replay } = chart;
  const { from, to, milliseconds, start } = replay.move;
  const share = milliseconds ? within((now - start) / milliseconds, 1) : 1;
  const exact = from + (to - from) * share;
  const place = calm.matches ? Math.round(exact) : exact;
  if (share < 1) replay.request = requestAnimationFrame((next) => advance(chart, next));
  else halt(replay);
  const isNew = place !== replay.place;
  replay.place = place;
  describe(chart);
  if (isNew) render(chart);
}

// Says on the controls where the replay stands; of a step, where it leads.
function describe({ figure, replay }) {
  const { play, slider, moment, back, isPlaying } = replay;
  const { start_frame: startFrame, start_label: startLabel = "As shown" } = figure.layout.meta ?? {};
  const isAsGiven = replay.place === null && !replay.move;
  const place = replay.move && !isPlaying ? replay.move.to : (replay.place ?? 0);
  const frame = isAsGiven ? (startFrame ?? figure.frames.length - 1) : Math.round(place);
  const words = isAsGiven ? startLabel : figure.frames[frame].name;
  slider.value = frame;
  slider.style.setProperty("--done", frame / Math.max(1, figure.frames.length - 1));
  slider.setAttribute("aria-valuetext", words);
  moment.textContent = words;
  const longest = Math.max(...[startLabel, ...figure.frames.map(({ name }) => name)].map((text) => text.length));
  moment.style.minWidth = `${longest}ch`; // or the slider would change its length under the pointer
  const action = isPlaying ? "Pause" : "Play";
  play.setAttribute("aria-label", action);
  play.title = action;
  play.querySelector("path").setAttribute("d", ICONS[action]);
  back.disabled = isAsGiven;
}

function tracesNow({ figure: { data, frames }, replay }) {
  if (!replay || replay.place === null) return data.map((trace) => ({ ...trace }));
  const before = frames[Math.floor(replay.place)];
  const after = frames[Math.ceil(replay.place)];
  return data.map((trace, index) => {
    const change = blend(changeOf(before, index), changeOf(after, index), replay.place % 1);
    return change ? merge(trace, change) : { ...trace, visible: false };
  });
}

function changeOf({ data, traces }, index) {
  return data[traces ? traces.indexOf(index) : index];
}

// Lists of numbers go over into one another; of all else, words above all, the nearer frame's counts.
function blend(before, after, share) {
  const nearer = share < 0.5 ? before : after;
  if (!before || !after) return nearer;
  const mixed = Object.entries(nearer).map(([name, value]) => {
    const [start, end] = [before[name], after[name]];
    if (!isNumbers(start) || !isNumbers(end) || start.length !== end.length) return [name, value];
    return [name, start.map((number, index) => number + (end[index] - number) * share)];
  });
  return Object.fromEntries(mixed);
}

function isNumbers(value) {
  return Array.isArray(value) && value.every(Number.isFinite);
}

// As Plotly does it: of a marker, for example, a frame may change the colour alone.
function merge(trace, change) {
  const merged = { ...trace };
  for (const [name, value] of Object.entries(change)) {
    const isGroup = value?.constructor === Object && trace[name]?.constructor === Object;
    merged[name] = isGroup ? merge(trace[name], value) : value;
  }
  return merged;
}
