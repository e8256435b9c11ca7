"""Imported by the fork server alone: what every worker needs, so that workers share it and start with it."""

import atexit
import gc
import os

import torch

import fmnist_core.jobs.worker

__all__ = ["fmnist_core"]

# The first optimiser of a process imports 70 MB more (torch's compiler, which nobody uses here), and takes a second.
torch.optim.AdamW([torch.zeros(1, requires_grad=True)], fused=True)
# A collection in a worker would write to the head of every object, and so copy the memory that it shares.
gc.freeze()
# When the server has gone, this process need not take apart one by one what it has imported: that takes two seconds, in
# which a stopped lab seems to be running. Workers end in another way, and run none of this.
atexit.register(os._exit, 0)
