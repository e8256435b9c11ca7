"""Loading the data in the background, so that a page can show how far it is."""

import logging
import threading

from fmnist_core.data.dataset import Dataset
from fmnist_core.data.download import Progress
from fmnist_core.data.sources import load
from fmnist_core.settings import Settings

logger = logging.getLogger(__name__)


class BackgroundData:
    """The data set once it is there, and until then how far the loading is. Creating one starts the loading."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._done = threading.Event()
        self.dataset: Dataset | None = None
        self.progress: Progress | None = None
        self._start()

    def wait(self, seconds: float) -> bool:
        """Wait until loading has ended, at most `seconds`; return whether it has."""
        return self._done.wait(seconds)

    @property
    def is_loading(self) -> bool:
        """Whether a first or another attempt is under way."""
        return not self._done.is_set()

    def retry(self) -> None:
        """Look for the official files again; the data in use stay until it has ended. One attempt at a time."""
        with self._lock:
            if self.is_loading:
                return
            self._done.clear()
            self._start()

    def _start(self) -> None:
        threading.Thread(target=self._load, name="data", daemon=True).start()

    def _load(self) -> None:
        try:
            self.dataset = load(self._settings, self._report)
        except Exception:  # load() answers lack of data by itself; whatever else happens, waiting must end
            logger.exception("the data could not be loaded")
        finally:
            self.progress = None
            self._done.set()

    def _report(self, progress: Progress) -> None:
        self.progress = progress
