"""Runs, epochs and weights in SQL: tables, opening, runs as pages see them, leases as workers use them."""
