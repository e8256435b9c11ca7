// Draws the figure that live_chart.py sends. Streamlit calls the default function at mount, at each new figure
// and at each change of theme, always with the same parent element. More files follow in the same module:
// live_chart_points.js has what single points can do, live_chart_replay.js the replay of a figure's frames,
// live_chart_left_out.js the button for values that a figure leaves out, live_chart_library.js fetches Plotly.

const charts = new WeakMap(); // parent element -> its chart
const following = new Set(); // charts that take over another's view just now
const hovered = new Map(); // group -> the chart under the pointer and its x value

export default function ({ data, parentElement, setTriggerValue }) {
  if (!charts.has(parentElement)) charts.set(parentElement, mount(parentElement));
  const chart = charts.get(parentElement);
  chart.data = data;
  // A change of theme brings all as it was, which news may have overtaken. A page that ran anew is right, also where
  // its figure is the one from before the news: what a run lost by being stopped, for example.
  if (chart.given !== data.figure || chart.edition !== data.edition) {
    chart.given = chart.text = data.figure;
    chart.edition = data.edition;
    chart.givenAt = performance.now();
  }
  chart.sendClick = (name) => setTriggerValue("click", name);
  chart.node.style.height = `${data.height}px`;
  chart.node.setAttribute("aria-label", data.alt);
  chart.node.dataset.group = data.group ?? "";
  const call = ++chart.calls;
  draw(chart, call);

  // Streamlit also runs the clean-up of a call that a newer one overtook; only the newest takes the chart down.
  return () => {
    if (call !== chart.calls) return;
    chart.isGone = true;
    charts.delete(parentElement);
    window.removeEventListener("dropout-lab:contents", chart.takeContents);
    chart.observer.disconnect();
    leaveHover(chart.node);
    removeReplay(chart);
    removeLeftOut(chart);
    window.Plotly?.purge(chart.node);
  };
}

function mount(parent) {
  const stage = parent.querySelector(".live-chart-stage");
  const node = parent.querySelector(".live-chart");
  const message = parent.querySelector(".live-chart-message");
  // The window's own resize event misses a sidebar that opens and a tab that is shown for the first time.
  const observer = new ResizeObserver(() => {
    const width = node.offsetWidth;
    if (width && node._fullLayout && width !== node._fullLayout.width) window.Plotly.Plots.resize(node);
  });
  observer.observe(node);
  const chart = { stage, node, message, observer, data: null, figure: null, replay: null, calls: 0 };
  chart.takeContents = ({ detail: { contents, askedAt } }) => {
    const text = contents[chart.data.key];
    if (text === undefined || text === chart.text) return; // of others, or as it is drawn already
    if (askedAt < chart.givenAt) return; // the page has drawn since, and of a run's end nobody would tell again
    chart.text = text;
    draw(chart, chart.calls);
  };
  window.addEventListener("dropout-lab:contents", chart.takeContents);
  return chart;
}

async function draw(chart, call) {
  try {
    await Promise.all([loadPlotly(chart.data.library), document.fonts.ready]);
  } catch {
    say(chart, "The chart could not be loaded. Reload the page to try again.");
    return;
  }
  if (call !== chart.calls || !chart.node.isConnected) return; // overtaken, or gone
  say(chart, ""); // the chart back in place of an earlier sentence
  chart.figure = JSON.parse(chart.text);
  takeFrames(chart);
  await render(chart);
}

// The figure as it is to be seen now: as given, or at a moment of its replay. Plotly writes into what it is handed, a
// zoomed range for example; the copies keep the figure as it came.
async function render(chart) {
  // On a touch screen a drag scrolls the page; zooming is left to the buttons.
  const isTouch = matchMedia("(pointer: coarse)").matches;
  try {
    await window.Plotly.react(
      chart.node,
      tracesNow(chart),
      {
        dragmode: isTouch ? false : "zoom",
        ...structuredClone(chart.figure.layout),
        template: pageTemplate(chart.node),
      },
      // Made once: with a new button the configuration would count as changed, and Plotly would start anew.
      (chart.config ??= {
        displaylogo: false,
        // "autosize" would move axes that have no view of everything; a figure that has one says so. Each tap comes as
        // a double click, because browsers make a mouse's click of it as well.
        doubleClick: isTouch ? false : (chart.figure.layout.meta?.doubleClick ?? "reset"),
        modeBarButtons: [[...(canZoom(chart.figure.layout) ? ["zoomIn2d", "zoomOut2d", "resetScale2d"] : []), downloadButton(chart)]],
      }),
    );
    link(chart);
    followPoints(chart);
    offerLeftOut(chart);
  } catch (error) {
    if (chart.isGone) return; // taken down while Plotly still drew it
    console.error(error);
    say(chart, "The chart could not be drawn.");
  }
}

// Charts of one group move as one: what is hovered or zoomed in one is so in the others. Within one figure, Plotly
// itself shares a hover only between panels that lie on top of each other.
function link(chart) {
  const { node } = chart;
  const now = hovered.get(node.dataset.group);
  if (now && now.node !== node) showHover(node, now.x); // the new epoch of a chart that others point at
  if (chart.isLinked) return;
  chart.isLinked = true;
  node.on("plotly_hover", ({ points }) => {
    if (!node.dataset.group) return;
    hovered.set(node.dataset.group, { node, x: points[0].x });
    for (const other of others(node)) showHover(other, points[0].x);
  });
  node.on("plotly_unhover", () => leaveHover(node));
  node.on("plotly_relayout", (changes) => {
    describeLeftOut(chart);
    if (following.has(node)) return;
    const view = Object.entries(changes).filter(([name]) => /^[xy]axis\.(range|autorange)/.test(name));
    if (view.length) for (const other of others(node)) follow(other, Object.fromEntries(view));
  });
}

function others(node) {
  const { group } = node.dataset;
  if (!group) return [];
  return [...document.querySelectorAll(".live-chart")].filter(
    (other) => other !== node && other.dataset.group === group && other._fullLayout,
  );
}

function showHover(node, x) {
  window.Plotly.Fx.hover(node, { xval: x }, "xy", true); // true: without an event, which would come back to us
}

function leaveHover(node) {
  const { group } = node.dataset;
  if (hovered.get(group)?.node !== node) return;
  hovered.delete(group);
  for (const other of others(node)) window.Plotly.Fx.unhover(other);
}

async function follow(node, view) {
  following.add(node);
  try {
    await changeView(node, view);
  } finally {
    following.delete(node);
  }
}

function changeView(node, view) {
  // Plotly keeps a view from one figure to the next, and takes it back at a double click, only when it counts as
  // the visitor's own doing.
  node._fullLayout._guiEditing = true;
  const done = window.Plotly.relayout(node, view);
  node._fullLayout._guiEditing = false;
  return done;
}

// Plotly's own button would measure text in the page's web font and then draw it, clipped, in another: a picture
// cannot load fonts. This one lays the same view out again in a font of the system.
function downloadButton(chart) {
  return {
    name: "download",
    title: "Download as PNG",
    icon: window.Plotly.Icons.camera,
    click: ({ data, layout, offsetWidth: width, offsetHeight: height }) =>
      window.Plotly.downloadImage(
        { data, layout: { ...layout, font: { family: "Arial, sans-serif" } } },
        { format: "png", scale: 2, width, height, filename: chart.data.filename },
      ),
  };
}

function canZoom(layout) {
  return Object.entries(layout).some(([name, axis]) => /^[xy]axis/.test(name) && !axis.fixedrange);
}

function say(chart, sentence) {
  chart.stage.hidden = Boolean(sentence);
  chart.message.hidden = !sentence;
  chart.message.textContent = sentence;
}

// What the figure leaves open, in the page's colours and font. Solid backgrounds, so that a downloaded picture of a
// dark page is not pale text on nothing.
function pageTemplate(node) {
  const style = getComputedStyle(node);
  const get = (name) => style.getPropertyValue(`--st-${name}`).trim();
  const background = get("background-color");
  const text = get("text-color");
  const muted = get("gray-text-color");
  const grid = get("border-color-light") || get("border-color");
  const font = { color: muted, size: 13 };
  const axis = { gridcolor: grid, linecolor: grid, zerolinecolor: grid, tickfont: font, title: { font } };
  return {
    layout: {
      paper_bgcolor: background,
      plot_bgcolor: background,
      font: { family: get("font"), size: 13, color: text },
      xaxis: axis,
      yaxis: axis,
      hoverlabel: { bgcolor: background, bordercolor: get("border-color"), font: { color: text, size: 13 } },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: muted, activecolor: get("primary-color") },
    },
  };
}
