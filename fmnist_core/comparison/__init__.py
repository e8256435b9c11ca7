"""Arms side by side: studies, statistics, the verdict and its words, the article's published curves."""
