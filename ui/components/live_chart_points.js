// What single points can do: a point that bears a name in `customdata` can be clicked, and shows its picture while
// the pointer is on it.

const ECHO_TIME = 1000; // milliseconds in which a click after a tap is the one that the browser made of the tap
const PATIENCE = 150; // milliseconds that the last point's picture may stay while the next one's loads

function followPoints(chart) {
  if (chart.followsPoints) return;
  chart.followsPoints = true;
  const { node } = chart;
  node.on("plotly_hover", ({ points, event }) => {
    const name = nameOf(points[0]);
    node.toggleAttribute("data-clickable", chart.data.clickable && name !== null);
    wantPicture(chart, name, event);
  });
  node.on("plotly_unhover", () => {
    node.removeAttribute("data-clickable");
    wantPicture(chart, null);
  });
  node.on("plotly_click", ({ points, event }) => {
    const name = nameOf(points[0]);
    wantPicture(chart, name, event); // a tap hovers without saying so
    const isTap = event.type.startsWith("touch");
    if (!isTap && event.timeStamp - chart.tappedAt < ECHO_TIME) return;
    if (isTap) chart.tappedAt = event.timeStamp;
    if (chart.data.clickable && name !== null) chart.sendClick(name);
  });
}

// Of a heatmap, Plotly hands over the cell's own customdata.
function nameOf(point) {
  const name = point?.customdata ?? "";
  return name === "" ? null : String(name);
}

// From one point straight to the next, Plotly reports leave and arrival in one go. The picture changes when the next
// one is there, and goes when there is none: it never blinks.
async function wantPicture(chart, name, event) {
  if (chart.data.image_folder === null) return;
  const address = name === null ? null : `${chart.data.image_folder}${encodeURIComponent(name)}.png`;
  chart.picture ??= mountPicture(chart);
  const { picture } = chart;
  picture.wanted = address;
  const hideUnless = (isFine) => {
    if (picture.wanted === address && !isFine) picture.image.hidden = true;
  };
  if (address === null) {
    requestAnimationFrame(() => hideUnless(false));
    return;
  }
  setTimeout(() => hideUnless(picture.image.getAttribute("src") === address), PATIENCE);
  const loading = new Image();
  loading.src = address;
  try {
    await loading.decode();
  } catch {
    hideUnless(false);
    return;
  }
  if (picture.wanted !== address) return; // the pointer has moved on
  picture.image.src = address;
  picture.image.hidden = false;
  place(picture.image, chart.node, event);
}

function mountPicture(chart) {
  const image = document.createElement("img");
  image.className = "live-chart-picture";
  image.alt = ""; // the hover label beside it says what it is
  image.hidden = true;
  chart.stage.append(image);
  return { image, wanted: null };
}

// Below the hover label, or above it where the chart ends; where a figure has no labels, below or above the pointer.
function place(image, node, event) {
  const chart = node.getBoundingClientRect();
  const label = node.querySelector(".hoverlayer .hovertext")?.getBoundingClientRect();
  const { clientX, clientY } = event.changedTouches?.[0] ?? event;
  const { left, top, bottom } = label ?? { left: clientX, top: clientY - 12, bottom: clientY + 12 };
  const size = image.offsetHeight;
  const below = bottom - chart.top + 4;
  const y = below + size <= chart.height ? below : top - chart.top - size - 4;
  image.style.left = `${within(left - chart.left, chart.width - size)}px`;
  image.style.top = `${within(y, chart.height - size)}px`;
}

function within(value, most) {
  return Math.max(0, Math.min(value, most));
}
