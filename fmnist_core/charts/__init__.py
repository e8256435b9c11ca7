"""Data in, a Plotly figure out."""
