// Plotly, downloaded once for all charts of a page.

function loadPlotly(address) {
  window.dropoutLabPlotly ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    script.onload = () => (window.Plotly ? resolve() : reject(new Error(`${address} is not Plotly`)));
    script.onerror = () => reject(new Error(`${address} did not load`));
    document.head.append(script);
  });
  return window.dropoutLabPlotly;
}
