"""Where the pages lie, for the menu and for links from one page to another."""

from pathlib import Path

PAGES = Path(__file__).parent.parent / "pages"
