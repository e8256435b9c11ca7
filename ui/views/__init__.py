"""What shows: a run, a comparison, an answer, mistakes, confidence, maps, explanations."""
