"""Words for pages: text from elsewhere made fit for Markdown, and times."""

import re

# What the browser's Markdown makes a link, an icon, an arrow or a dash of after the escapes are gone: something has to
# stand between.
_STILL_READ = re.compile(r":(?=//|material/|[\w+-]+:)|www(?=\.)|@(?=\w)|[-<>=~](?=[-<>=~])", re.IGNORECASE)
_NOTHING_SEEN = "\N{WORD JOINER}"


def plain(text: str) -> str:
    """`text` with Markdown's special characters made harmless: messages quote paths, addresses and what was typed."""
    apart = _STILL_READ.sub(lambda found: found[0] + _NOTHING_SEEN, text)
    return "".join(f"\\{character}" if character in "\\`*_[]<>$:#~|&" else character for character in apart)


def duration(seconds: float) -> str:
    """A time to wait for, as exact as it can be known."""
    if seconds < 90:
        return f"about {max(1, round(seconds))} s"
    return f"about {round(seconds / 60)} min" if seconds < 5400 else f"about {seconds / 3600:.1f} h"
