"""Reads from the store and the data cache what an export is made of."""

from collections.abc import Sequence
from dataclasses import replace

from fmnist_core.comparison.arms import ArmRun
from fmnist_core.comparison.experiment import experiment_from_address
from fmnist_core.comparison.factors import Level
from fmnist_core.comparison.grid import Grid
from fmnist_core.comparison.progress import collect, stored_runs
from fmnist_core.comparison.reading import Reading
from fmnist_core.comparison.study import Study
from fmnist_core.data.dataset import Dataset
from fmnist_core.data.mapped import open_mapped
from fmnist_core.export.material import GridMaterial, Material, RunMaterial, StudyMaterial
from fmnist_core.export.request import ExportRequest
from fmnist_core.export.settings_used import ExportError
from fmnist_core.settings import Settings
from fmnist_core.store.notes import NO_NOTES
from fmnist_core.store.run import Run
from fmnist_core.store.runs import Store
from fmnist_core.store.shared_runs import SharedRuns


def gather(request: ExportRequest, settings: Settings, store: Store) -> Material:
    """All that the export needs. Raises ExportError and StoreError."""
    data = open_mapped(settings.data_cache, request.data_fingerprint)
    if request.subject == "run":
        run = store.run(request.keys[0])
        if run is None:
            raise ExportError("the run was deleted")
        material = _run_material(store, run, data, request)
        if material is None:
            raise ExportError("the run has no epoch yet; wait for the first one")
        return material
    shared = SharedRuns(store)
    experiment = experiment_from_address(request.experiment)
    studies = experiment.studies if isinstance(experiment, Grid) else (experiment,)
    collected = tuple(collect(study, stored_runs(study, shared, request.data_fingerprint), shared) for study in studies)
    if isinstance(experiment, Grid):
        return GridMaterial(grid=experiment, collected=collected, link=request.link, notes=request.notes)
    second = experiment.levels[request.second]
    return StudyMaterial(
        study=experiment,
        collected=collected[0],
        second=second,
        reveal_tests=request.reveal_tests,
        pair=_first_pair(store, experiment, collected[0].runs, second, data, request),
        reading=Reading.from_address(request.reading, experiment.shared_epochs),
        link=request.link,
        notes=request.notes,
    )


def _run_material(store: Store, run: Run, data: Dataset | None, request: ExportRequest) -> RunMaterial | None:
    """None before the first epoch."""
    weights = store.weights(run.key, "best")
    if weights is None or run.best_epoch is None:
        return None
    is_run = request.subject == "run"
    # A run that trains may be an epoch further by now than when it was looked at.
    run = replace(run, best_epoch=weights.epoch, epochs_done=max(run.epochs_done, weights.epoch))
    return RunMaterial(
        run=run,
        epochs=store.epochs(run.key).head(run.epochs_done),
        weights=weights.content,
        data=data,
        tests=store.tests(run.key) if request.reveal_tests else {},
        link=request.link if is_run else "",
        notes=request.notes if is_run else NO_NOTES,
    )


def _first_pair(
    store: Store,
    study: Study,
    runs: Sequence[ArmRun],
    second: Level,
    data: Dataset | None,
    request: ExportRequest,
) -> tuple[RunMaterial, RunMaterial] | None:
    """The first seed's runs that both arms have finished."""
    finished = {(one.level, one.seed): one.run for one in runs if one.finished}
    for seed in sorted({seed for _, seed in finished}):
        one, other = finished.get((study.levels[0], seed)), finished.get((second, seed))
        if one is not None and other is not None:
            before, after = (_run_material(store, run, data, request) for run in (one, other))
            if before is not None and after is not None:
                return before, after
    return None
