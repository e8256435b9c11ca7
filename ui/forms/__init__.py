"""What asks: settings of a run or a comparison, which run, which image, an own picture."""
