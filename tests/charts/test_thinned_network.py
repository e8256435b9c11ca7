"""The drawing of a thinned network: every unit once, in its state."""

import numpy as np
import pytest

from fmnist_core.charts.thinned_network import MOST_UNITS, thinned_network, thinned_network_words


def drawn(widths):
    """Every third unit dropped; of the others every second silent."""
    kept = [np.arange(width) % 3 != 0 for width in widths]
    units = [np.where(layer, np.arange(len(layer)) % 2, 0).astype(np.float32) for layer in kept]
    return kept, units, thinned_network(kept, units, colour="#3f72d8")


@pytest.mark.parametrize("widths", [(256, 128, 64), (512, 128), (8,), (30, 7, 9), (300, 300, 300, 300, 300, 300)])
def test_every_unit_is_drawn_once_in_its_state(widths):
    kept, units, figure = drawn(widths)
    traces = {trace.name: trace for trace in figure.data}
    counts = {name: len([x for x in trace.x if x is not None]) for name, trace in traces.items()}
    assert counts["Dropped"] == sum(int((~layer).sum()) for layer in kept)
    assert counts["Working"] == sum(int((mask & (values > 0)).sum()) for mask, values in zip(kept, units, strict=True))
    assert sum(counts.values()) == sum(widths)
    places = {(x, y) for trace in figure.data for x, y in zip(trace.x, trace.y, strict=True)}
    assert len(places) == sum(widths), "no two units lie in one place"
    (left, right), (bottom, top) = figure.layout.xaxis.range, figure.layout.yaxis.range
    assert all(left < x < right and top < y < bottom for x, y in places)


def test_each_dot_tells_which_unit_it_is():
    _, _, figure = drawn((4, 3))
    words = [text for trace in figure.data for text in trace.hovertext]
    assert sorted(words) == [
        *(f"Hidden layer 1, unit {unit}: {state}" for unit, state in enumerate(("dropped", "working", "silent"), 1)),
        "Hidden layer 1, unit 4: dropped",
        *(f"Hidden layer 2, unit {unit}: {state}" for unit, state in enumerate(("dropped", "working", "silent"), 1)),
    ]


def test_states_differ_in_form_and_not_in_colour_alone():
    _, _, figure = drawn((64,))
    assert len({trace.marker.symbol for trace in figure.data}) == 3


def test_a_state_that_no_unit_is_in_stays_in_the_legend():
    kept = [np.ones(9, dtype=bool)]
    figure = thinned_network(kept, [np.ones(9, dtype=np.float32)], colour="#3f72d8")
    assert [trace.name for trace in figure.data] == ["Working", "Silent", "Dropped"]
    assert figure.data[2].x == (None,)


def test_the_words_count_what_was_kept():
    kept = [np.arange(10) < 4, np.arange(5) < 5]
    assert (
        thinned_network_words(kept)
        == "Hidden units that dropout kept: 4 of 10 in hidden layer 1, 5 of 5 in hidden layer 2"
    )


def test_a_network_that_nobody_could_read_is_refused():
    kept = [np.ones(MOST_UNITS + 1, dtype=bool)]
    with pytest.raises(ValueError, match="at most 2,048 units, got 2,049"):
        thinned_network(kept, kept, colour="#3f72d8")
