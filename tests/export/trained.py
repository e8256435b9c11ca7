"""A store with a trained comparison in it, and what exports are made of."""

from dataclasses import dataclass
from typing import Any

from fmnist_core.comparison.study import Study
from fmnist_core.config import RunConfig
from fmnist_core.data.dataset import Dataset
from fmnist_core.export.gathering import gather
from fmnist_core.export.material import Material
from fmnist_core.export.request import ExportRequest
from fmnist_core.settings import Settings
from fmnist_core.store.runs import Store

STUDY = Study(
    base=RunConfig(hidden=(24, 16), epochs=6, batch_norm=True, training_images=150), levels=(0.0, 0.5), seeds=3
)


@dataclass(frozen=True)
class Trained:
    """All runs of `STUDY` in a store, and the data that they learnt."""

    settings: Settings
    store: Store
    data: Dataset
    keys: tuple[str, ...]

    def run_request(self, kind: str = "report", place: int = 0, **more: Any) -> ExportRequest:
        return self._request(kind, "run", self.keys[place : place + 1], **more)

    def study_request(self, kind: str = "report", study: Study = STUDY, **more: Any) -> ExportRequest:
        return self._request(kind, "study", self.keys, experiment=study.to_address(), **more)

    def _request(self, kind: str, subject: Any, keys: tuple[str, ...], **more: Any) -> ExportRequest:
        return ExportRequest(
            kind=kind, subject=subject, keys=keys, version="1", data_fingerprint=self.data.fingerprint, **more
        )

    def material(self, request: ExportRequest) -> Material:
        return gather(request, self.settings, self.store)
