"""What a data set holds, as figures."""

import pytest

from fmnist_core.charts.data_charts import class_counts, pixel_histogram
from fmnist_core.data.dataset import CLASSES


def test_class_counts_stack_the_splits():
    figure = class_counts({"Training": [5000] * 10, "Test": [1000] * 10}, CLASSES)
    assert [(trace.name, sum(trace.x)) for trace in figure.data] == [("Training", 50_000), ("Test", 10_000)]
    assert figure.layout.barmode == "stack"
    assert len({trace.marker.color for trace in figure.data}) == 2


def test_pixel_histogram_shows_shares_on_a_logarithmic_axis():
    figure = pixel_histogram([50, 0, 25, 25])
    assert list(figure.data[0].y) == [0.5, None, 0.25, 0.25]
    assert list(figure.data[0].x) == [31.5, 95.5, 159.5, 223.5]
    assert figure.data[0].customdata[3] == "192 to 255"
    assert figure.layout.yaxis.type == "log"


@pytest.mark.parametrize("bins", [0, 3, 257])
def test_pixel_histogram_refuses_bins_of_unequal_width(bins):
    with pytest.raises(ValueError, match=f"must divide 256, got {bins}"):
        pixel_histogram([1] * bins)
