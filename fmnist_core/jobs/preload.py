"""Imported by the fork server alone: what every worker needs, so that workers share it and start with it."""

import gc

import fmnist_core.jobs.worker

__all__ = ["fmnist_core"]

# A collection in a worker would write to the head of every object, and so copy the memory that it shares.
gc.freeze()
