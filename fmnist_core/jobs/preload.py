"""Imported by the fork server alone: what every worker needs, so that workers share it and start with it."""

import atexit
import gc
import os

import fmnist_core.jobs.worker

__all__ = ["fmnist_core"]

# A collection in a worker would write to the head of every object, and so copy the memory that it shares.
gc.freeze()
# When the server has gone, this process need not take apart one by one what it has imported: that takes two seconds, in
# which a stopped lab seems to be running. Workers end in another way, and run none of this.
atexit.register(os._exit, 0)
