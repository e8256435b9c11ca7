"""Published figures to compare with; they are read here and never mixed with the lab's own results."""

from importlib.resources import files

import pandas as pd


def article_curves() -> pd.DataFrame:
    """The learning curves that the article "pytorch - fashion MNIST" of 13 February 2019 printed: facts only.

    A row per `dropout` (0.0 and 0.2) and `epoch` (1 to 30) with `train_loss` (as trained, dropout on), `test_loss`
    and `test_accuracy` (a share from 0 to 1). Its test set served as validation set.
    """
    with files(__package__).joinpath("article_curves.csv").open(encoding="utf-8") as file:
        return pd.read_csv(file)
