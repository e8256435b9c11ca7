"""Lessons: a page set up, a question, and what a learner's own runs answer; how a link carries a teacher's."""
