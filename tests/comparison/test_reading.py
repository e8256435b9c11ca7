"""How a comparison is read: its address, what is refused, and what every caption says of the epoch."""

import math

import pytest

from fmnist_core.comparison.reading import Reading, epoch_caption, typed_margin


@pytest.mark.parametrize(
    ("reading", "address"),
    [
        (Reading(), {}),
        (Reading(epoch="best"), {"epoch": "best"}),
        (Reading(epoch=12, margin=0.25), {"epoch": "12", "margin": "0.25"}),
        (Reading(margin=1), {"margin": "1"}),
    ],
)
def test_the_address_reads_back(reading, address):
    assert reading.to_address() == address
    assert Reading.from_address(address, epochs=30) == reading


@pytest.mark.parametrize("epoch", ["0", "31", "-1", "1.0", "Last", "\u0663", "1\n", "9" * 50, ""])
def test_an_epoch_that_no_arm_has_is_refused(epoch):
    with pytest.raises(ValueError, match="number from 1 to 30, got"):
        Reading.from_address({"epoch": epoch}, epochs=30)


@pytest.mark.parametrize("margin", [0, -1, 20.5, math.nan, math.inf, "much", None])
def test_a_margin_out_of_its_limits_is_refused(margin):
    with pytest.raises(ValueError, match=r"0.01 to 20 percentage points, got"):
        Reading(margin=margin)


@pytest.mark.parametrize("epoch", [0, -3, "first", 2.5, None])
def test_an_epoch_that_is_none_is_refused(epoch):
    with pytest.raises(ValueError, match="last, best or a number from 1"):
        Reading(epoch=epoch)


def test_a_margin_may_be_typed_with_a_comma():
    assert typed_margin(" 0,25 ") == 0.25
    assert Reading(margin=0.25).margin_share == 0.0025


def test_a_margin_of_one_point_is_no_margin_of_points():
    assert [Reading(margin=margin).margin_words for margin in (0.5, 1)] == [
        "0.5 percentage points",
        "1 percentage point",
    ]


def test_only_a_chosen_epoch_was_chosen_from_all():
    assert [Reading(epoch=epoch).views(30) for epoch in ("last", "best", 12)] == [1, 1, 30]


def test_every_caption_says_what_the_best_epoch_was_chosen_on():
    assert "chosen on the validation images that judge it" in epoch_caption("best", "held-out", 1)
    assert "chosen on the test images that judge it" in epoch_caption("best", "article", 1)
    assert epoch_caption("last", "article", 1, "Stars are given") == "Stars are given at the last epoch."
    assert "all 30 epochs together" in epoch_caption(12, "held-out", 30)
