"""Text from elsewhere, made fit for Markdown."""


def plain(text: str) -> str:
    """`text` with Markdown's special characters made harmless: messages quote paths, addresses and what was typed."""
    return "".join(f"\\{character}" if character in "\\`*_[]<>$:#~|" else character for character in text)
