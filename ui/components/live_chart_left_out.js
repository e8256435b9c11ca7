// The button of a figure that leaves values out at first: a double click does the same, which neither fingers nor keys
// have.

// Called for each new figure; a run that diverges does so in the middle of its training.
function offerLeftOut(chart) {
  if (!chart.figure.layout.meta?.left_out) {
    removeLeftOut(chart);
    return;
  }
  chart.leftOut ??= mountLeftOut(chart);
  describeLeftOut(chart);
}

function removeLeftOut(chart) {
  chart.leftOut?.remove();
  chart.leftOut = null;
}

function mountLeftOut(chart) {
  const row = document.createElement("div");
  row.className = "live-chart-left-out";
  const button = document.createElement("button");
  button.type = "button";
  button.addEventListener("click", () => {
    const { xaxis, yaxis } = chart.figure.layout;
    const view = showsAll(chart)
      ? { "xaxis.range": [...xaxis.range], "yaxis.range": [...yaxis.range] }
      : { "xaxis.autorange": true, "yaxis.autorange": true };
    changeView(chart.node, view);
  });
  row.append(button);
  chart.stage.append(row);
  return row;
}

function describeLeftOut(chart) {
  if (!chart.leftOut) return;
  chart.leftOut.firstChild.textContent = showsAll(chart) ? "Leave the highest values out" : "Show all values";
}

function showsAll({ node }) {
  return Boolean(node._fullLayout.yaxis.autorange);
}
