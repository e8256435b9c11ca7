"""Where this server serves what stands beside the pages, and where the browser finds it."""

from streamlit import config


def base_path() -> str:
    """The path under which Streamlit serves this app; empty at the root of its address."""
    base = config.get_option("server.baseUrlPath").strip("/")
    return f"/{base}" if base else ""


def asset_path(name: str) -> str:
    """The path of an asset for its route."""
    return f"{base_path()}/assets/{name}"


def asset_address(name: str) -> str:
    """The address of an asset for the browser, relative to any page's.

    All pages lie on one level, and Streamlit's own files are found in the same way: a proxy that serves the lab below
    a path of its own, and strips that, needs to tell nobody.
    """
    return f"./assets/{name}"
