"""Event files: TensorBoard's own reader finds every figure at its epoch and time, and the settings."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

from fmnist_core.comparison.arms import by_level
from fmnist_core.export.event_files import run_event_files, study_event_files


@pytest.fixture
def opened(tmp_path: Path) -> Callable[[bytes], dict[str, EventAccumulator]]:
    def unpack(content: bytes) -> dict[str, EventAccumulator]:
        with ZipFile(BytesIO(content)) as archive:
            archive.extractall(tmp_path)
        (folder,) = tmp_path.iterdir()
        return {run.name: EventAccumulator(str(run)).Reload() for run in folder.iterdir()}

    return unpack


def test_every_epoch_is_there_at_its_time(run_material, opened):
    material = run_material()
    ((name, found),) = opened(run_event_files(material)).items()
    assert name == f"run-{material.run.key}"
    losses = found.Scalars("loss/validation")
    assert [one.step for one in losses] == material.epochs["epoch"].tolist()
    assert [one.value for one in losses] == pytest.approx(material.epochs["validation_loss"].tolist(), rel=1e-6)
    times = [one.wall_time for one in losses]
    assert times == sorted(times)
    assert times[-1] == pytest.approx(material.run.ended_at, abs=1e-3)
    assert times[-1] - times[0] == pytest.approx(material.epochs["seconds"].iloc[1:].sum(), abs=1e-3)
    assert len(found.Scalars("learning_rate")) == len(material.epochs)


def test_the_settings_are_hyperparameters(run_material, opened):
    material = run_material()
    (found,) = opened(run_event_files(material)).values()
    metadata = found.SummaryMetadata("_hparams_/session_start_info")
    settings = HParamsPluginData.FromString(metadata.plugin_data.content).session_start_info.hparams
    assert settings["learning_rate"].number_value == material.run.config.learning_rate
    assert settings["hidden"].string_value == "24-16"
    assert settings["batch_norm"].bool_value is True
    assert settings.keys() == material.run.config.to_dict().keys()
    last = material.epochs.iloc[-1]
    assert found.Scalars("hparam/validation_loss")[0].value == pytest.approx(last["validation_loss"], rel=1e-6)


def test_test_figures_go_along_only_where_they_were_revealed(run_material, opened, tmp_path):
    material = run_material(reveal_tests=True)
    (found,) = opened(run_event_files(material)).values()
    tags = found.Tags()["scalars"]
    assert "accuracy/test" in tags
    assert found.Scalars("hparam/test_accuracy")[0].value == pytest.approx(material.tests["last"].accuracy, rel=1e-6)


def test_hidden_ones_do_not(run_material, opened):
    (found,) = opened(run_event_files(run_material())).values()
    assert not [tag for tag in found.Tags()["scalars"] if "test" in tag]


def test_a_comparison_has_a_folder_for_each_run(trained, opened):
    material = trained.material(trained.study_request())
    found = opened(study_event_files(material))
    assert set(found) == {
        f"dropout-{level:g}-seed-{one.seed}" for level, arm in by_level(material.collected.runs).items() for one in arm
    }
    for arm in material.collected.runs:
        values = [one.value for one in found[f"dropout-{arm.level:g}-seed-{arm.seed}"].Scalars("accuracy/validation")]
        assert values == pytest.approx(arm.epochs["validation_accuracy"].tolist(), rel=1e-6)


def test_no_name_in_it_tells_where_it_was_made(run_material):
    with ZipFile(BytesIO(run_event_files(run_material()))) as archive:
        (name,) = archive.namelist()
    assert name.startswith("dropout-lab/run-")
    assert name.endswith(".dropout-lab")
