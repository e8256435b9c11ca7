"""The learning rate of a step, told without torch."""

import math


def one_cycle(step: int, total_steps: int, peak: float) -> float:
    """Learning rate of step 0 ... total_steps - 1: from peak / 25 up to `peak`, then down to almost nothing.

    Smith and Topin, 2018, with the cosine form and the default fractions of `torch.optim.lr_scheduler.OneCycleLR`
    and a rise of one fifth of the steps. A pure function of the step, so that resuming needs no scheduler state.
    """
    start, end = peak / 25, peak / 25e4
    top = max(0.2 * total_steps - 1, 0.0)
    if step <= top:
        low, high, progress = start, peak, step / top if top else 1.0
    else:
        low, high, progress = end, peak, 1 - (step - top) / (total_steps - 1 - top)
    return low + (high - low) * (1 - math.cos(math.pi * progress)) / 2
