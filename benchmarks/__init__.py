"""What the README's figures come from. Each module runs with `python -m benchmarks.<name>`."""
