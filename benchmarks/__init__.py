"""What the README's figures come from: `python -m benchmarks`, and each module with `python -m benchmarks.<name>`."""
