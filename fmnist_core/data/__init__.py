"""The data set: find, fetch, verify, split, name; and the drawn stand-in."""
