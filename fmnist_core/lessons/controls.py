"""The groups of controls that a lesson can show or leave away, page by page."""

# By the name of a page's script: what a link calls a group, and what people do. Whatever a page cannot be used without,
# such as Train's own button, belongs to none.
CONTROLS: dict[str, dict[str, str]] = {
    "train": {
        "preset": "Presets",
        "hidden": "Hidden layers",
        "dropout": "Dropout",
        "epochs": "Epochs",
        "seed": "Seed",
        "more": "More settings",
        "runs": "Link to all runs",
        "take_away": "Take away, and settings from a file",
    },
    "compare": {
        "factor": "What differs, and its levels",
        "across": "Across a second setting",
        "seeds": "Seeds for each arm",
        "preset": "Presets",
        "hidden": "Hidden layers",
        "dropout": "Dropout",
        "epochs": "Epochs",
        "seed": "First seed",
        "more": "More settings",
        "offers": "Experiments on offer",
        "reading": "Epoch and margin of the answer",
        "curves": "How curves are drawn",
        "table": "Table of the arms",
        "take_away": "Take away",
    },
    "predict": {
        "run": "Which runs are asked",
        "images": "Which kind of image",
        "choice": "Which images are shown",
    },
    "inspect": {
        "run": "Which runs are asked",
        "part": "Validation or test images",
        "views": "Tabs of other views",
    },
    "runs": {},
    "data": {},
}
