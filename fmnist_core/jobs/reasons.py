"""Why a task broke off, from its exception, in a few words that continue a sentence."""


def first_line(error: BaseException) -> str:
    """The first line of what an exception says; empty where it says nothing."""
    return str(error).strip().partition("\n")[0]


def kind_and_words(error: BaseException) -> str:
    """What kind of exception it is, and the first line of what it says: for those that nobody foresaw."""
    words = first_line(error)
    return f"{type(error).__name__}{f': {words}' if words else ''}"
