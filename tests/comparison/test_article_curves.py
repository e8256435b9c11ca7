"""The article's published curves, as they are kept."""

from fmnist_core.comparison.article_curves import article_curves


def test_holds_thirty_epochs_of_both_published_runs():
    curves = article_curves()
    assert list(curves.columns) == ["dropout", "epoch", "train_loss", "test_loss", "test_accuracy"]
    for dropout in (0.0, 0.2):
        assert curves[curves["dropout"] == dropout]["epoch"].tolist() == list(range(1, 31))
    assert len(curves) == 60


def test_is_what_the_article_printed():
    first, last = article_curves().iloc[[0, 59]].to_dict("records")
    assert first == {"dropout": 0.0, "epoch": 1, "train_loss": 0.521, "test_loss": 0.461, "test_accuracy": 0.833}
    assert last == {"dropout": 0.2, "epoch": 30, "train_loss": 0.340, "test_loss": 0.385, "test_accuracy": 0.876}
