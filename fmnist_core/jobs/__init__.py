"""Work in other processes: the dispatcher, and what a worker does with one run."""
