"""Images in, PNG out; and a visitor's own picture, read safely and prepared."""
