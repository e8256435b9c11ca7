"""How fast the lab trains, beside others, in one table: `python -m benchmarks [--quick] [--only MODULE]`."""

# A process that is started for a contender imports this module too, and must not import anything heavy with it.
if __name__ == "__main__":
    from benchmarks.table import main

    main()
