"""Says whether the lab is well: for monitors and for whoever starts servers, at /health."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ui.components.addresses import base_path
from ui.server import wait_for_imports

logger = logging.getLogger(__name__)

LOOK_SECONDS = 2.0  # longest wait for the store

_looking: dict[str, Future[str]] = {}  # what has not answered yet, by its part
_lock = threading.Lock()


def health_route() -> Route:
    """The route for `st.App(routes=[...])`; make it after Streamlit has read its settings."""
    return Route(f"{base_path()}/health", _respond)


def _respond(_request: Request) -> Response:
    """200 where store, workers and data are well, else 503; JSON with a word for each."""
    # Not async, so that Starlette answers in a thread and nobody else waits.
    looks = {"store": _store, "workers": _workers, "data": _data}
    parts = {part: _within_bounds(part, look) for part, look in looks.items()}
    is_well = set(parts.values()) == {"ok"}
    return JSONResponse(
        {"status": "ok" if is_well else "not well", **parts},
        status_code=200 if is_well else 503,
        headers={"Cache-Control": "no-store"},
    )


def _within_bounds(part: str, look: Callable[[], str]) -> str:
    """What `look` says, or that it does not answer; one that hangs is asked once, however many ask for it."""
    with _lock:
        answer = _looking.get(part)
        if answer is None:
            answer = _looking[part] = Future()
            threading.Thread(target=_answer, args=(part, look, answer), name=f"health-{part}", daemon=True).start()
    try:
        return answer.result(LOOK_SECONDS)
    except TimeoutError:
        return "does not answer"


def _answer(part: str, look: Callable[[], str], answer: Future[str]) -> None:
    try:
        wait_for_imports()
        word = look()
    except Exception as error:  # whatever it is, it is not well; the log says more than may be shown to everyone
        logger.warning("health: %s fails: %s", part, error)
        word = "fails"
    with _lock:
        del _looking[part]
    answer.set_result(word)


def _store() -> str:
    from ui import handles  # the route is there before the server answers; what this imports takes a second

    handles.store().run("none has this key")  # one small question, as pages ask it
    return "ok"


def _workers() -> str:
    from ui import handles

    return "ok" if handles.dispatcher().is_connected else "not there"


def _data() -> str:
    from ui import handles

    dataset = handles.data().dataset
    if dataset is None:
        return "loading"
    return "ok" if dataset.is_real else "drawn garments"
