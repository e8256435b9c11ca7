"""Where the browser finds what this server serves beside the pages."""

from streamlit import config


def asset_path(name: str) -> str:
    """The address of an asset of ours, below the path under which Streamlit serves this app."""
    base = config.get_option("server.baseUrlPath").strip("/")
    return f"{'/' if base else ''}{base}/assets/{name}"
