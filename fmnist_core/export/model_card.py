"""A model card: Markdown with the YAML head that Hugging Face reads, and the learner's own words in it."""

from typing import Any

from fmnist_core.config import count_parameters
from fmnist_core.data.dataset import CLASSES
from fmnist_core.export.material import RunMaterial
from fmnist_core.export.report_parts import Table, settings_table, tests_sentence, turned
from fmnist_core.export.visitors_words import escaped, heading, quotation
from fmnist_core.export.weights_file import NORMALISATION, architecture
from fmnist_core.results.diagnosis import diagnose
from fmnist_core.results.run_names import describe
from fmnist_core.results.tables import epoch_table, epoch_table_words

_DATASET = "zalando-datasets/fashion_mnist"


def model_card(material: RunMaterial) -> str:
    """The card of a run's best network. Test figures stand in it where the visitor revealed them."""
    import yaml

    head = yaml.safe_dump(_head(material), allow_unicode=True, sort_keys=False, width=1000)
    return f"---\n{head}---\n\n{_body(material)}"


def _name(material: RunMaterial) -> str:
    return material.notes.name or f"Run {material.run.number}"


def _head(material: RunMaterial) -> dict[str, Any]:
    is_real = material.run.data_name == "Fashion-MNIST"
    (best,) = material.epochs[material.epochs["epoch"] == material.run.epoch_of("best")].to_dict("records")
    is_article = material.run.config.protocol == "article"
    validated = "test images, on which the epoch was chosen" if is_article else "held-out training images"
    figures = [
        ("loss", f"Validation loss ({validated})", float(best["validation_loss"])),
        ("accuracy", f"Validation accuracy ({validated})", float(best["validation_accuracy"])),
    ]
    if "best" in material.tests:
        test = material.tests["best"]
        figures += [("loss", "Test loss", test.loss), ("accuracy", "Test accuracy", test.accuracy)]
    dataset = {"type": _DATASET if is_real else "drawn-garments", "name": material.run.data_name}
    return {
        "library_name": "pytorch",
        "pipeline_tag": "image-classification",
        "tags": ["image-classification", "multilayer-perceptron", "dropout", "education"],
        **({"datasets": [_DATASET]} if is_real else {}),
        "metrics": ["accuracy"],
        "model-index": [
            {
                "name": _name(material),
                "results": [
                    {
                        "task": {"type": "image-classification", "name": "Image classification"},
                        "dataset": dataset,
                        "metrics": [{"type": kind, "name": name, "value": value} for kind, name, value in figures],
                    }
                ],
            }
        ],
    }


def _body(material: RunMaterial) -> str:
    run, notes = material.run, material.notes
    figures = turned(epoch_table_words(epoch_table(material.epochs, material.tests)).rename_axis("Epoch").reset_index())
    trained = f"torch {run.torch_version} on {run.processor}" if run.torch_version else "an unknown machine"
    link = f"\n\nIn the lab: <{material.link}>" if material.link else ""
    return f"""{heading(_name(material))}

{escaped(describe(run.config))}. A multilayer perceptron of {count_parameters(run.config):,} parameters that
says which of ten garments a picture of 28 by 28 pixels shows. Run {run.key} of Dropout Lab, at its best epoch,
{run.epoch_of("best")}.{link}

## Why it was trained

{quotation(notes.hypothesis) or "No hypothesis was written down."}

## What it is for

Learning and teaching. It has seen nothing but {run.data_name}: of other pictures its answers mean nothing, however sure
they look.

## How to use it

Input: {NORMALISATION}. Network: {architecture(run.config)}. Classes, from 0: {", ".join(CLASSES)}.

## Training

{_table(settings_table(run.config))}

Data: {run.data_name}, fingerprint {run.data_fingerprint}. Trained with {escaped(trained)}.

## Evaluation

{_table(figures)}

{tests_sentence(bool(material.tests))} The best epoch is the one with the lowest validation loss; training figures are
measured with dropout off; the gap is validation loss minus training loss.

{escaped(diagnose(material.epochs).sentence)}

## Conclusion

{quotation(notes.conclusion) or "None was written down."}
"""


def _table(table: Table) -> str:
    rows = [table.columns, ["---"] * len(table.columns), *table.rows]
    return "\n".join(f"| {' | '.join(cell if cell == '---' else escaped(cell) for cell in row)} |" for row in rows)
